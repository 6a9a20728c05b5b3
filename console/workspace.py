"""What every page works with, handed over once: the database, the clock, the seal of secrets, the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.desk.agencies import Agencies
from bot.desk.listing import AgencyCount, Item
from bot.desk.room import DeskRoom
from bot.desk.standard import Level
from bot.store import Store
from console.backend import OfficerBackend
from console.pages import Pages
from console.passwords import Passwords
from console.reasons import Reasons
from console.replies import CannedReply
from console.review.room import ReviewRoom
from console.settings import ConsoleSettings
from console.shared import SharedReading
from console.training.room import TrainingRoom
from identity import Seal

__all__ = ["Workspace"]

_LOCAL_TIME = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Workspace:
    settings: ConsoleSettings
    room: DeskRoom
    """the bot's: conversations are read and answered through its functions"""
    secrets: Seal
    passwords: Passwords
    reasons: Reasons
    replies: tuple[CannedReply, ...]
    review: ReviewRoom
    training: TrainingRoom
    backend: OfficerBackend
    session: aiohttp.ClientSession
    pages: Pages = field(default_factory=Pages)
    waiting: SharedReading[Sequence[tuple[Item, Level]]] = field(default_factory=SharedReading)
    """the lists of conversations that open pages show"""
    counted: SharedReading[Sequence[AgencyCount]] = field(default_factory=SharedReading)

    @property
    def store(self) -> Store:
        return self.room.store

    @property
    def agencies(self) -> Agencies:
        return self.room.agencies

    @property
    def engine(self) -> AsyncEngine:
        return self.store.engine

    def clock(self) -> datetime:
        return self.store.clock()

    def today(self) -> date:
        return self.clock().astimezone(_LOCAL_TIME).date()
