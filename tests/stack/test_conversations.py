"""Every conversation of `tests/conversations/`, through the real stack, on each channel."""

from __future__ import annotations

import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import CHANNELS
from tests.stack.conversation import Conversation, load_conversation
from tests.stack.player import Player
from tests.stack.running import ROOT, Running

_FILES = sorted((ROOT / "tests" / "conversations").glob("*.yml"))


def _cases() -> list[object]:
    cases = []
    for path in _FILES:
        conversation = load_conversation(path)
        for channel in CHANNELS:
            is_quick = conversation.quick and channel != "telegram"
            marks = () if is_quick else (pytest.mark.verify,)
            cases.append(pytest.param(channel, conversation, id=f"{path.stem}-{channel}", marks=marks))
    return cases


@pytest.mark.parametrize(("channel", "conversation"), _cases())
def test_conversation(stack: Running, catalogue: Catalogue, channel: str, conversation: Conversation) -> None:
    stack.bring_up()
    Player(stack, catalogue, channel, conversation).play()


def test_there_are_ten_at_least() -> None:
    assert len(_FILES) >= 10
