"""What has changed, as it happens: for the pages' server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.desk.room import DeskRoom
from bot.notices import CHANGED, DESK, Lost

__all__ = ["Change", "changes"]

Kind = Literal["queue", "conversation", "typing", "presence", "everything"]


@dataclass(frozen=True)
class Change:
    kind: Kind
    """`queue`: who has `conversation`, or its place; `conversation`: its messages, or how far they got;
    `everything`: notices may have been lost, so look at all that is shown
    """
    conversation: uuid.UUID | None = None
    agency: str | None = None
    officer: str | None = None
    """who got it, who is typing, who came or went"""


@contextlib.contextmanager
def changes(room: DeskRoom) -> Iterator[AsyncIterator[Change]]:
    """Every change from the beginning of the block on, of the bot's conversations too."""
    with room.notices.stream() as notices:
        yield _changes(notices)


async def _changes(notices: asyncio.Queue[tuple[str, str] | Lost]) -> AsyncIterator[Change]:
    while True:
        notice = await notices.get()
        if isinstance(notice, Lost):
            yield Change("everything")
        elif notice[0] in (CHANGED, DESK):
            with contextlib.suppress(ValueError):
                yield _read(*notice)


def _read(channel: str, payload: str) -> Change:
    if channel == CHANGED:
        return Change("conversation", uuid.UUID(payload))
    told = json.loads(payload)
    conversation = uuid.UUID(told["conversation"]) if told["conversation"] else None
    return Change(told["kind"], conversation, told["agency"], told["officer"])
