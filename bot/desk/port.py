"""Where officers work: our own pages, or a Chatwoot that the district already has."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from bot.desk.room import DeskRoom

__all__ = ["Desk", "Staff"]


class Staff(enum.Enum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Desk(Protocol):
    name: str

    async def staff(self, connection: AsyncConnection, room: DeskRoom, agency: str) -> Staff:
        """Whether somebody is there who could take the agency's conversations now."""
        ...

    def lease(self, wanted: timedelta) -> timedelta | None:
        """How long an officer keeps a conversation unheard of; None where the desk itself sees to that."""
        ...

    async def keep(self, room: DeskRoom) -> bool:
        """Do what is due: called at every notice and every second. Whether there was something.

        Raises what its database and network raise; it is called again.
        """
        ...
