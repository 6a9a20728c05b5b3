"""A model's first minutes live: where citizens are understood less than before it, or not answered, it has to go."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from sqlalchemy import Engine, create_engine, func, select

from bot.tables import conversations, frames, inbox
from learning.live_model import Change, LiveModel
from praja.database import database, with_driver
from praja.settings import Settings

__all__ = ["Observation", "Probation", "Tally", "observe", "probation", "watch"]

_BEFORE = 500
"""messages before it went live, to compare with"""
_OFTEN = 2
"""tries of one message that didn't end in an answer"""
_CHANCE = 2.0
"""standard errors that a difference of two shares has to exceed"""


@dataclass(frozen=True)
class Probation:
    """The rules of `data/gerbang.yml`."""

    minutes: float
    fewest: int
    rise: float
    failing: int

    @classmethod
    def read(cls, data: Path) -> Probation:
        written = yaml.safe_load((data / "gerbang.yml").read_text("utf-8"))["percobaan"]
        return cls(
            float(written["menit"]),
            int(written["paling_sedikit"]),
            float(written["tidak_dipahami_naik"]),
            int(written["gagal"]),
        )


@dataclass(frozen=True)
class Tally:
    messages: int
    lost: int
    """not understood"""

    @property
    def share(self) -> float:
        return self.lost / self.messages if self.messages else 0.0


@dataclass(frozen=True)
class Observation:
    before: Tally
    since: Tally
    failing: int
    """conversations that wait for an answer after several tries"""

    def verdict(self, rules: Probation) -> str | None:
        """Why it has to go, an Indonesian sentence; None while it may stay."""
        if self.failing > rules.failing:
            return f"{self.failing} percakapan gagal dijawab berulang kali"
        rise = self.since.share - self.before.share
        if self.since.messages < rules.fewest or rise <= rules.rise or rise <= _CHANCE * self._error():
            return None
        return (
            f"{self.since.lost} dari {self.since.messages} pesan tidak dipahami, "
            f"sebelumnya {self.before.lost} dari {self.before.messages}"
        )

    def _error(self) -> float:
        messages = self.since.messages + self.before.messages
        together = (self.since.lost + self.before.lost) / messages
        spread = together * (1 - together)
        return math.sqrt(spread * (1 / self.since.messages + 1 / max(self.before.messages, 1)))


async def probation(
    live: LiveModel,
    rules: Probation,
    observed: Callable[[Change], Observation],
    send_back: Callable[[Change, str], Awaitable[None]],
    clock: Callable[[], datetime],
    *,
    pause: float = 5.0,
) -> str | None:
    """Until the live model's first minutes are over; why it had to go and was sent back, None where it may stay.

    Any number of processes may watch at once, and any of them go on where another has died: what is known lies in the
    pointer and in the bot's tables. Raises LiveModelUnreadable, and what `send_back` raises.
    """
    while (change := live.on_probation(clock())) is not None:
        if (why := (await asyncio.to_thread(observed, change)).verdict(rules)) is not None:
            await send_back(change, why)
            return why
        await asyncio.sleep(pause)
    return None


async def watch(settings: Settings, send_back: Callable[[Change, str], Awaitable[None]]) -> str | None:
    """The probation of whatever model is on it, as the bot's tables show it; why it had to go, None where it may stay."""
    live = LiveModel(settings.models)
    if live.on_probation(datetime.now(UTC)) is None:
        return None
    with database(settings) as url:
        engine = create_engine(with_driver(url))
        try:
            return await probation(
                live,
                Probation.read(settings.data),
                lambda change: observe(engine, change.model, change.when),
                send_back,
                lambda: datetime.now(UTC),
            )
        finally:
            engine.dispose()


def observe(engine: Engine, model: str, live_since: datetime) -> Observation:
    """From the bot's tables; `model` as a turn's answer names it."""
    asked = select(frames.c.understood, frames.c.model, inbox.c.answered_at).join(inbox, inbox.c.id == frames.c.inbox)
    since = asked.where(frames.c.model == model, inbox.c.answered_at >= live_since)
    before = asked.where(inbox.c.answered_at < live_since).order_by(inbox.c.answered_at.desc()).limit(_BEFORE)
    with engine.connect() as connection:
        tallies = []
        for messages in (before.subquery(), since.subquery()):
            lost = func.count().filter(~messages.c.understood)
            count, missed = connection.execute(select(func.count(), lost).select_from(messages)).one()
            tallies.append(Tally(count, missed))
        failing = connection.scalar(
            select(func.count()).select_from(conversations).where(conversations.c.attempts >= _OFTEN)
        )
    return Observation(tallies[0], tallies[1], failing or 0)
