from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from learning.live_model import Kind, LiveModel, LiveModelUnreadable

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.tar.gz" for name in "abc"]
    for path in paths:
        path.touch()
    return paths


def test_nothing_is_live_at_first(tmp_path: Path) -> None:
    live = LiveModel(tmp_path / "models")
    assert (live.current(), live.before(), list(live.history())) == (None, None, [])


def test_each_step_back_goes_further(tmp_path: Path, models: list[Path]) -> None:
    a, b, c = models
    live = LiveModel(tmp_path)
    live.set(a, NOW, Kind.FIRST)
    live.set(b, NOW, Kind.PROMOTED)
    live.set(c, NOW, Kind.OVERRIDDEN, "uji")
    assert (live.current(), live.before()) == (c, b)
    live.set(b, NOW, Kind.ROLLED_BACK)
    assert (live.current(), live.before()) == (b, a)
    live.set(a, NOW, Kind.ROLLED_BACK)
    assert (live.current(), live.before()) == (a, None)
    live.set(c, NOW, Kind.PROMOTED)
    assert (live.current(), live.before()) == (c, a)
    assert [change.kind for change in live.history()][2:4] == [Kind.OVERRIDDEN, Kind.ROLLED_BACK]
    assert live.history()[2].reason == "uji"


def test_an_archive_that_is_gone_is_not_live(tmp_path: Path, models: list[Path]) -> None:
    live = LiveModel(tmp_path)
    live.set(models[0], NOW, Kind.FIRST)
    models[0].unlink()
    assert live.current() is None


def test_a_history_of_before_probation_is_read(tmp_path: Path, models: list[Path]) -> None:
    entry = {"model": "a.tar.gz", "at": "2026-11-24T14:00:00+00:00", "kind": "pertama", "reason": ""}
    (tmp_path / "live.json").write_text(json.dumps({"history": [entry]}))
    live = LiveModel(tmp_path)
    assert (live.current(), live.on_probation(NOW)) == (models[0], None)


def test_a_broken_pointer_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text('{"history": [{}]}')
    with pytest.raises(LiveModelUnreadable, match="rusak"):
        LiveModel(tmp_path).current()
