"""Every conversation of `tests/conversations/`, through the real stack, on each channel."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import CHANNELS
from tests.stack.conversation import ConversationError, load_conversation
from tests.stack.player import Differs, Player
from tests.stack.running import ROOT, Running

_FILES = sorted((ROOT / "tests" / "conversations").glob("*.yml"))


def _cases() -> list[object]:
    cases: list[object] = []
    for path in _FILES:
        for channel in CHANNELS:
            marks = () if _is_quick(path) and channel != "telegram" else (pytest.mark.verify,)
            cases.append(pytest.param(channel, path, id=f"{path.stem}-{channel}", marks=marks))
    return cases


def _is_quick(path: Path) -> bool:
    """A file that doesn't fit says so at once, and doesn't keep the others from being played."""
    try:
        return load_conversation(path).quick
    except ConversationError:
        return True


@pytest.mark.parametrize(("channel", "path"), _cases())
def test_conversation(stack: Running, catalogue: Catalogue, channel: str, path: Path) -> None:
    try:
        conversation = load_conversation(path)
        stack.bring_up()
        Player(stack, catalogue, channel, conversation).play()
    except (ConversationError, Differs) as told:
        # Who wrote the conversation needs these words, not the way through our code.
        pytest.fail(str(told), pytrace=False)


def test_there_are_ten_at_least() -> None:
    assert len(_FILES) >= 10
