"""What the desk works with, handed to each of its functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.channel import Channel
from bot.desk.agencies import Agencies
from bot.desk.officer import DeskRefused, Refusal
from bot.desk.port import Desk
from bot.desk.standard import Standard
from bot.notices import Notices
from bot.store import Store
from bot.texts import Texts

__all__ = ["DeskRoom", "DeskRules"]


@dataclass(frozen=True)
class DeskRules:
    lease: timedelta = timedelta(seconds=60)
    """how long an officer who isn't heard of keeps a conversation"""
    handover: timedelta = timedelta(minutes=5)
    """the same, for one who was given it by a colleague and may not have seen it yet"""
    idle: timedelta = timedelta(hours=1)
    """after which an answered conversation in which nobody writes any more is the bot's again"""
    unanswered: timedelta = timedelta(days=7)
    """after which a conversation that no officer took is the bot's again"""
    told_again: timedelta = timedelta(minutes=15)
    """how often at most a waiting citizen who writes is told how the queue stands"""
    presence: timedelta = timedelta(seconds=90)
    """how long an officer who isn't heard of is on duty"""


@dataclass(frozen=True)
class DeskRoom:
    store: Store
    texts: Texts
    agencies: Agencies
    standard: Standard
    channels: Mapping[str, Channel]
    templates: Mapping[str, tuple[str, str]]
    """name and language of the template of each channel that needs one outside its window; its one parameter is the text"""
    notices: Notices
    desk: Desk
    rules: DeskRules = DeskRules()

    def refused(self, reason: Refusal, **values: str) -> DeskRefused:
        return DeskRefused(reason, self.texts.of("meja_ditolak", reason.value, **values))
