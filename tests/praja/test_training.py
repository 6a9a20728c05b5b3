"""Which model `praja up` serves, and what is kept of how one was trained."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from learning.example import Example
from learning.live_model import Kind, LiveModel
from learning.reviewed_set import ReviewedSet
from nlu.fingerprint import MADE_OF_FILE, MadeOf, made_of
from praja.training import need_model, serving_model
from tests.stack.checkout import check_out

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
HERE = made_of()


def archive(path: Path, made: MadeOf | None) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        content = json.dumps(asdict(made)).encode() if made else b""
        member = tarfile.TarInfo(f"components/{MADE_OF_FILE if made else 'other'}")
        member.size = len(content)
        packed.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def need(tmp_path: Path, told: list[str]) -> Callable[[], None]:
    def _train(models: Path, tell: Callable[[str], None]) -> Path:
        tell("trained")
        return archive(models / "trained.tar.gz", HERE)

    return lambda: need_model(tmp_path, told.append, NOW, _train)


def live(models: Path) -> str | None:
    current = LiveModel(models).current()
    return None if current is None else current.name


def test_without_any_model_one_is_trained_and_live(tmp_path: Path, need: Callable[[], None], told: list[str]) -> None:
    need()
    assert (told, live(tmp_path)) == (["trained"], "trained.tar.gz")


def test_a_model_that_is_there_already_becomes_live(tmp_path: Path, need: Callable[[], None], told: list[str]) -> None:
    archive(tmp_path / "a.tar.gz", HERE)
    need()
    assert (told, live(tmp_path)) == ([], "a.tar.gz")
    # A candidate trained later isn't.
    archive(tmp_path / "b.tar.gz", HERE)
    need()
    assert serving_model(tmp_path) == tmp_path / "a.tar.gz"
    assert len(LiveModel(tmp_path).history()) == 1


def test_other_data_is_told_and_the_live_model_stays(tmp_path: Path, need: Callable[[], None], told: list[str]) -> None:
    archive(tmp_path / "a.tar.gz", replace(HERE, data="x", reviewed="x"))
    need()
    assert live(tmp_path) == "a.tar.gz"
    need()
    assert told == ["data berubah sejak a.tar.gz dilatih; `praja train`, lalu `praja promote MODEL`"]


def test_one_trained_since_takes_the_place_of_what_cannot_serve(
    tmp_path: Path, need: Callable[[], None], told: list[str]
) -> None:
    LiveModel(tmp_path).set(archive(tmp_path / "a.tar.gz", replace(HERE, program="x")), NOW, Kind.PROMOTED)
    archive(tmp_path / "b.tar.gz", HERE)
    need()
    assert (told, live(tmp_path)) == ([], "b.tar.gz")


@pytest.mark.parametrize("made", [replace(HERE, program="x"), replace(HERE, configuration="x"), None])
def test_what_another_program_made_gives_way(
    tmp_path: Path, need: Callable[[], None], told: list[str], made: MadeOf | None
) -> None:
    LiveModel(tmp_path).set(archive(tmp_path / "a.tar.gz", made), NOW, Kind.PROMOTED)
    need()
    assert (told[-1], live(tmp_path)) == ("trained", "trained.tar.gz")
    assert LiveModel(tmp_path).history()[-1].reason == "program atau konfigurasi berubah"


def test_a_broken_archive_gives_way(tmp_path: Path, need: Callable[[], None], told: list[str]) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"half of it")
    need()
    assert live(tmp_path) == "trained.tar.gz"


_RASA_THAT_IS_WAITED_FOR = """#!/bin/sh
rm data/tinjauan/set.yml
for models; do :; done
touch "$models/new.tar.gz"
"""
"""`-m rasa train … --out MODELS`, while whose minutes a set is withdrawn"""


def test_a_set_that_is_withdrawn_while_it_is_learned_was_learned(tmp_path: Path) -> None:
    checkout = check_out(tmp_path / "checkout")
    (checkout / "nlu" / ".venv").unlink()
    python = checkout / "nlu" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(_RASA_THAT_IS_WAITED_FOR)
    python.chmod(0o755)
    learned = ReviewedSet(checkout / "data" / "tinjauan").write("set", [Example("piro regane pecel", "di_luar_topik")])
    subprocess.run(
        [sys.executable, "-m", "praja.command", "train"],
        cwd=checkout, env={"PRAJA_HOME": str(tmp_path), "PRAJA_MODELS": str(checkout / "models")}, check=True,
    )  # fmt: skip
    assert ReviewedSet(checkout / "data" / "tinjauan").version() == ""
    assert json.loads((checkout / "models" / "new.json").read_text())["reviewed_version"] == learned
