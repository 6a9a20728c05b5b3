"""`saluran.yml` as it is delivered, and what its editors are told when it isn't fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.texts import Texts, TextsUnfit
from tests.bot.conftest import DATA

STATES = {"MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DITOLAK", "DISETUJUI", "SELESAI", "DIBATALKAN"}
_DELIVERED = yaml.safe_load((DATA / "teks" / "saluran.yml").read_text(encoding="utf-8"))


def test_the_delivered_file_is_fit() -> None:
    texts = Texts(DATA)
    assert "15 MB" in texts("berkas_terlalu_besar", batas=15)
    assert texts.of("tidak_didukung", "hologram") == texts.of("tidak_didukung", "lainnya")
    assert set(_DELIVERED["pemberitahuan"]) >= STATES


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"gangguan": None}, "'gangguan' belum ada"),
        ({"gangguan": "Maaf {nama}"}, "'gangguan'"),
        ({"gangguan": "Maaf {"}, "tidak berpasangan"),
        ({"tidak_didukung": {"voice": "Maaf"}}, "'lainnya'"),
        ({"pemberitahuan": {"lainnya": "Kabar {nomer}"}}, "'pemberitahuan.lainnya'"),
    ],
)
def test_an_unfit_file_says_what_to_mend(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    (tmp_path / "teks").mkdir()
    (tmp_path / "teks" / "saluran.yml").write_text(yaml.safe_dump({**_DELIVERED, **change}), encoding="utf-8")
    with pytest.raises(TextsUnfit, match=re.escape(complaint)):
        Texts(tmp_path)


@pytest.mark.parametrize("content", [None, "[", "- a"])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "teks").mkdir()
    if content is not None:
        (tmp_path / "teks" / "saluran.yml").write_text(content, encoding="utf-8")
    with pytest.raises(TextsUnfit, match=r"saluran\.yml"):
        Texts(tmp_path)
