"""A model's first minutes live: where citizens are understood less than before it, or not answered, it has to go."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from sqlalchemy import Engine, create_engine, func, select

from bot.tables import conversations, frames, inbox
from learning.live_model import LiveModel
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


_NOTHING = Observation(Tally(0, 0), Tally(0, 0), 0)


async def probation(
    rules: Probation, observed: Callable[[], Observation], *, clock: Callable[[], float], pause: float = 5.0
) -> str | None:
    """Watch until its minutes are over; why it has to go, None where it may stay. `clock` in seconds."""
    over = clock() + rules.minutes * 60
    while clock() < over:
        if (why := (await asyncio.to_thread(observed)).verdict(rules)) is not None:
            return why
        await asyncio.sleep(pause)
    return None


async def watch(rules: Probation, model: str, settings: Settings) -> str | None:
    """Of the model that has just gone live: why it has to go, None where it may stay or isn't live any more."""
    if rules.minutes <= 0:
        return None
    live, since = LiveModel(settings.models), datetime.now(UTC)
    with database(settings) as url:
        engine = create_engine(with_driver(url))

        def observed() -> Observation:
            current = live.current()
            # Somebody has put another one in its place: nothing is left to watch.
            is_live = current is not None and current.name == model
            return observe(engine, model, since) if is_live else _NOTHING

        try:
            return await probation(rules, observed, clock=time.monotonic)
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
