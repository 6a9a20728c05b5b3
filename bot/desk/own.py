"""Our own desk: officers work on our pages, which say every few seconds that they are still there."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk import states
from bot.desk.port import Staff
from bot.desk.presence import is_staffed
from bot.desk.room import DeskRoom

__all__ = ["OwnDesk"]


class OwnDesk:
    """A `Desk`."""

    name = "praja"

    async def staff(self, connection: AsyncConnection, room: DeskRoom, agency: str) -> Staff:
        return Staff.PRESENT if await is_staffed(connection, room, agency) else Staff.ABSENT

    def lease(self, wanted: timedelta) -> timedelta | None:
        return wanted

    async def keep(self, room: DeskRoom) -> bool:
        """Return to the queue what vanished officers hold."""
        return bool(await states.lapse(room))
