"""The turn that is being worked on: the bot's own number of the message, handed from part to part in a header.

Never the provider's id: some hold a phone number.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

__all__ = ["TURN_HEADER", "begin_turn", "of_turn", "present_turn", "turn_header"]

TURN_HEADER = "Praja-Turn"
_PLAIN = re.compile(r"[A-Za-z0-9-]{1,40}")
_turn: ContextVar[str] = ContextVar("turn", default="")


def present_turn() -> str:
    """ "" where none is."""
    return _turn.get()


@contextlib.contextmanager
def of_turn(turn: str | None) -> Iterator[None]:
    """Whatever is logged within the block, and in tasks begun in it, is of that turn; of none where it isn't a plain name."""
    before = _turn.set(_plain(turn))
    try:
        yield
    finally:
        _turn.reset(before)


def begin_turn(turn: str | None) -> None:
    """The same up to the next call in the same task, for servers whose requests aren't a block."""
    _turn.set(_plain(turn))


def turn_header() -> Mapping[str, str]:
    """For a call to another part."""
    turn = _turn.get()
    return {TURN_HEADER: turn} if turn else {}


def _plain(turn: str | None) -> str:
    return turn if turn is not None and _PLAIN.fullmatch(turn) else ""
