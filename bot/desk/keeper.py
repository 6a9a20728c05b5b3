"""The loop that sees to what time does at the desk: leases that lapse, chats that fall silent, and the desk's own work."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from bot.desk import states
from bot.desk.escalation import escalate
from bot.desk.room import DeskRoom
from bot.fault import fault
from bot.notices import wait

__all__ = ["Keeper"]

_logger = logging.getLogger(__name__)
_JUDGED_EVERY = timedelta(seconds=15)
"""the standard is in minutes, and judging it means counting hours of offices"""


class Keeper:
    """Any number may run, here and in other processes: everything they do is a conditional update."""

    def __init__(self, room: DeskRoom, *, poll: float = 1.0) -> None:
        self._room = room
        self._poll = poll
        self._stopping = False
        self._woken = asyncio.Event()
        self._judged_at: datetime | None = None

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        while not self._stopping:
            if not await self.once():
                await wait(self._woken, self._poll)

    async def once(self) -> bool:
        """Do what is due now; whether there was something."""
        try:
            closed = await states.close_silent(self._room) + await states.close_unanswered(self._room)
            raised = await self._judge()
            return await self._room.desk.keep(self._room) or bool(closed or raised)
        except (SQLAlchemyError, OSError, aiohttp.ClientError, TimeoutError) as error:
            _logger.warning("keeping the desk failed: %s", fault(error))
            return False

    async def _judge(self) -> int:
        now = self._room.store.clock()
        if self._judged_at is not None and timedelta(0) <= now - self._judged_at < _JUDGED_EVERY:
            return 0
        self._judged_at = now
        return await escalate(self._room)
