"""A short run of `make chaos`, without Rasa: what it understands is not what is tried."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.run import Size, run

_SHORT = Size(messages=300, people=30, seconds=60, faults=0.2, understands=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Every user may enter it, the database's too."""
    made = Path(tempfile.mkdtemp(prefix="praja-chaos-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.verify
async def test_nothing_is_lost_doubled_or_stuck_when_everything_breaks(folder: Path) -> None:
    verdict = await run(_SHORT, random.Random(2026), folder, lambda text: None)
    assert verdict.wrong == []
