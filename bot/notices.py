"""PostgreSQL's NOTIFY: it wakes whoever waits, in any process. Nothing relies on it, everybody polls too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator

import psycopg

__all__ = ["CHANGED", "DESK", "INBOX", "OUTBOX", "UNADDRESSED", "Lost", "Notices", "wait"]

INBOX = "praja_inbox"
"""payload: none, or `UNADDRESSED`"""
UNADDRESSED = "unaddressed"
OUTBOX = "praja_outbox"
"""payload: the channel to send through, or none where whoever writes doesn't know it"""
CHANGED = "praja_changed"
"""payload: the conversation that something was answered in or sent to"""

DESK = "praja_desk"
"""payload: JSON of `bot/desk/changes.py`"""

_PAUSE = 1.0
_MOST_KEPT = 1000
_logger = logging.getLogger(__name__)


class Lost:
    """In a stream: notices may have been missed here."""


class Notices:
    """One listening connection of a process."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self.listening = asyncio.Event()
        """set once it first listens"""
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}
        self._streams: set[asyncio.Queue[tuple[str, str] | Lost]] = set()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made anew."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                _logger.warning("listening for notices failed (%s); trying again", type(error).__name__)
                await asyncio.sleep(_PAUSE)

    @contextlib.contextmanager
    def subscribe(self, channel: str, *payloads: str) -> Iterator[asyncio.Event]:
        """An event that each such notice sets, of any of the payloads; whoever waits for it clears it."""
        keys = [(channel, payload) for payload in payloads or ("",)]
        event = asyncio.Event()
        for key in keys:
            self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            for key in keys:
                self._waiting[key].discard(event)
                if not self._waiting[key]:
                    del self._waiting[key]

    @contextlib.contextmanager
    def stream(self) -> Iterator[asyncio.Queue[tuple[str, str] | Lost]]:
        """Every notice from now on as (channel, payload), and `Lost` where some may be missing."""
        queue: asyncio.Queue[tuple[str, str] | Lost] = asyncio.Queue(_MOST_KEPT)
        self._streams.add(queue)
        try:
            yield queue
        finally:
            self._streams.discard(queue)

    def _put(self, notice: tuple[str, str] | Lost) -> None:
        for queue in self._streams:
            if queue.full():
                # Whoever reads too slowly has to look at everything anyway.
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(Lost())
            queue.put_nowait(notice)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            for channel in (INBOX, OUTBOX, CHANGED, DESK):
                await connection.execute(f"LISTEN {channel}")
            self.listening.set()
            # What was said while nobody listened is found by looking.
            for events in self._waiting.values():
                _set(events)
            self._put(Lost())
            async for notice in connection.notifies():
                self._put((notice.channel, notice.payload))
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
