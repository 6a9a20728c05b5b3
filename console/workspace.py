"""What every page works with, handed over once: the database, the clock, the seal of secrets, the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.desk.room import DeskRoom
from bot.store import Store
from console.backend import OfficerBackend
from console.pages import Pages
from console.reasons import Reasons
from console.replies import CannedReply
from console.review.room import ReviewRoom
from console.settings import ConsoleSettings
from identity import Seal

__all__ = ["Workspace"]

_LOCAL_TIME = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Workspace:
    settings: ConsoleSettings
    room: DeskRoom
    """the bot's: conversations are read and answered through its functions"""
    secrets: Seal
    reasons: Reasons
    replies: tuple[CannedReply, ...]
    review: ReviewRoom
    backend: OfficerBackend
    session: aiohttp.ClientSession
    pages: Pages = field(default_factory=Pages)

    @property
    def store(self) -> Store:
        return self.room.store

    @property
    def agencies(self) -> Mapping[str, str]:
        """id → name"""
        return {agency.id: agency.name for agency in self.room.agencies.all()}

    @property
    def engine(self) -> AsyncEngine:
        return self.store.engine

    def clock(self) -> datetime:
        return self.store.clock()

    def today(self) -> date:
        return self.clock().astimezone(_LOCAL_TIME).date()
