"""PostgreSQL's NOTIFY: it wakes whoever waits, in any process. Nothing relies on it, everybody polls too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator

import psycopg

__all__ = ["CHANGED", "INBOX", "OUTBOX", "UNADDRESSED", "Notices", "wait"]

INBOX = "praja_inbox"
"""payload: none, or `UNADDRESSED`"""
UNADDRESSED = "unaddressed"
OUTBOX = "praja_outbox"
CHANGED = "praja_changed"
"""payload: the conversation that something was answered in or sent to"""

_PAUSE = 1.0
_logger = logging.getLogger(__name__)


class Notices:
    """One listening connection of a process."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made anew."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                _logger.warning("listening for notices failed (%s); trying again", type(error).__name__)
                await asyncio.sleep(_PAUSE)

    @contextlib.contextmanager
    def subscribe(self, channel: str, payload: str = "") -> Iterator[asyncio.Event]:
        """An event that each such notice sets; whoever waits for it clears it."""
        key = channel, payload
        event = asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            for channel in (INBOX, OUTBOX, CHANGED):
                await connection.execute(f"LISTEN {channel}")
            # What was said while nobody listened is found by looking.
            for events in self._waiting.values():
                _set(events)
            async for notice in connection.notifies():
                _set(self._waiting.get((notice.channel, notice.payload), ()))


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, at most `seconds`; the event is clear afterwards."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


def _set(events: Iterable[asyncio.Event]) -> None:
    for event in events:
        event.set()
