"""`saluran.yml` as it is delivered, and what its editors are told when it isn't fit."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.channel import Message
from bot.channels.telegram import updates as telegram
from bot.channels.whatsapp import events as whatsapp
from bot.channels.whatsapp import webhook
from bot.texts import Texts, TextsUnfit
from tests.bot.conftest import DATA

STATES = {"MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DITOLAK", "DISETUJUI", "SELESAI", "DIBATALKAN"}
DOCUMENTED = (
    *("button", "errors", "gif", "group_invite", "hsm", "image", "interactive", "link_preview", "list", "location"),
    *("media_placeholder", "order", "poll_creation", "product"),
)
"""`unsupported.type` of Meta's that stand for a message (channels.md 1.2)"""
_PAYLOADS = Path(__file__).parents[1] / "data"
_OURS = "100000000000001"
_DELIVERED = yaml.safe_load((DATA / "teks" / "saluran.yml").read_text(encoding="utf-8"))


def test_the_delivered_file_is_fit() -> None:
    texts = Texts(DATA)
    assert "15 MB" in texts("berkas_terlalu_besar", batas=15)
    assert texts.of("tidak_didukung", "hologram") == texts.of("tidak_didukung", "lainnya")
    assert set(_DELIVERED["pemberitahuan"]) >= STATES


def test_every_kind_that_a_channel_cannot_read_has_its_sentence() -> None:
    assert set(_DELIVERED["tidak_didukung"]) >= telegram.UNSUPPORTED | whatsapp.UNSUPPORTED


def test_the_channels_list_every_kind_they_give() -> None:
    """All but the ones made up for the tests, among the captured payloads and those that WhatsApp documents."""
    payloads = [(channel, path) for channel in ("telegram", "whatsapp") for path in _payloads(channel)]
    kinds = {kind for channel, path in payloads for kind in _kinds(channel, json.loads(path.read_text()))}
    assert kinds - {"hologram"} <= telegram.UNSUPPORTED | whatsapp.UNSUPPORTED
    body = json.loads((_PAYLOADS / "whatsapp" / "unsupported_131051_poll.json").read_text())
    for kind in DOCUMENTED:
        body["entry"][0]["changes"][0]["value"]["messages"][0]["unsupported"]["type"] = kind
        assert set(_kinds("whatsapp", body)) <= whatsapp.UNSUPPORTED


def _payloads(channel: str) -> list[Path]:
    return sorted((_PAYLOADS / channel).glob("*.json"))


def _kinds(channel: str, body: dict[str, Any]) -> Iterator[str]:
    for update in telegram.split(body) if channel == "telegram" else webhook.split(body, _OURS):
        with contextlib.suppress(ValueError):
            event = telegram.parse(update.body) if channel == "telegram" else whatsapp.parse(update.body, _OURS)
            if isinstance(event, Message) and event.unsupported:
                yield event.unsupported


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
