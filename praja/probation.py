"""A model's first minutes live: where citizens are understood less than before it, or answered, it has to go."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from sqlalchemy import Connection, Engine, and_, create_engine, func, or_, select

from bot.tables import conversations, frames, inbox
from bot.turn import Outcome
from learning.live_model import Change, LiveModel
from praja.database import database, with_driver
from praja.settings import Settings

__all__ = ["Comparison", "Observation", "Probation", "Tally", "observe", "probation", "watch"]

_BEFORE = 500
"""messages before it went live, to compare with"""
_JUST_BEFORE = 30
"""messages at least, to compare with what can't be answered; more where more have come since"""
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
    bad: int
    """not understood, or not answered"""

    @property
    def share(self) -> float:
        return self.bad / self.messages if self.messages else 0.0

    def __str__(self) -> str:
        return f"{self.bad} dari {self.messages}"


@dataclass(frozen=True)
class Comparison:
    before: Tally
    since: Tally

    def is_worse(self, rise: float = 0.0) -> bool:
        """By more than `rise`, and beyond chance."""
        risen = self.since.share - self.before.share
        return risen > max(rise, _CHANCE * self._error())

    def _error(self) -> float:
        messages = max(self.since.messages, 1), max(self.before.messages, 1)
        together = (self.since.bad + self.before.bad) / sum(messages)
        return math.sqrt(together * (1 - together) * sum(1 / each for each in messages))


@dataclass(frozen=True)
class Observation:
    understood: Comparison
    answered: Comparison
    """by when they came; bad are those that wait after several tries, one a conversation, or were given up"""
    well: int = 0
    """where all failing was in one stretch in which nothing was answered: how many messages were answered before it"""

    def verdict(self, rules: Probation) -> str | None:
        """Why it has to go, an Indonesian sentence; None while it may stay.

        It needn't for an outage: one of before it shows in the comparison, and where all stood still at once after it
        had answered well, that wasn't its doing. What failed then may wait for its next try long after the outage.
        """
        if self.answered.since.bad > rules.failing and self.answered.is_worse() and self.well < rules.fewest:
            return f"{self.answered.since} pesan gagal dijawab berulang kali, sebelumnya {self.answered.before}"
        if self.understood.since.messages >= rules.fewest and self.understood.is_worse(rules.rise):
            return f"{self.understood.since} pesan tidak dipahami, sebelumnya {self.understood.before}"
        return None


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
    with engine.connect() as connection:
        understood = _understood(connection, model, live_since)
        before, since = _failing(connection, live_since)
    return Observation(understood, Comparison(_tally(before), _tally(since)), _well(since))


def _understood(connection: Connection, model: str, live_since: datetime) -> Comparison:
    asked = select(frames.c.understood, frames.c.model, inbox.c.answered_at).join(inbox, inbox.c.id == frames.c.inbox)
    since = asked.where(frames.c.model == model, inbox.c.answered_at >= live_since)
    before = asked.where(inbox.c.answered_at < live_since).order_by(inbox.c.answered_at.desc()).limit(_BEFORE)
    tallies = []
    for messages in (before.subquery(), since.subquery()):
        lost = func.count().filter(~messages.c.understood)
        tallies.append(Tally(*connection.execute(select(func.count(), lost).select_from(messages)).one()))
    return Comparison(*tallies)


def _failing(connection: Connection, live_since: datetime) -> tuple[Sequence[bool], Sequence[bool]]:
    """Of the messages that came before, and since, and were taken to a model: whether each fails.

    Since: in the order of when they were answered, or last tried.
    """
    other = inbox.alias()
    first = (
        select(func.min(other.c.id))
        .where(other.c.conversation == inbox.c.conversation, other.c.answered_at.is_(None))
        .scalar_subquery()
    )
    waits = and_(inbox.c.answered_at.is_(None), conversations.c.attempts >= _OFTEN, inbox.c.id == first)
    taken = (
        select(or_(inbox.c.answered_at.is_(None), inbox.c.outcome == Outcome.GIVEN_UP.value))
        .join(conversations, conversations.c.id == inbox.c.conversation)
        .where(or_(inbox.c.outcome.in_([Outcome.ANSWERED.value, Outcome.GIVEN_UP.value]), waits))
    )
    tried = func.coalesce(inbox.c.answered_at, conversations.c.served_at)
    since = connection.scalars(taken.where(inbox.c.received_at >= live_since).order_by(tried, inbox.c.id)).all()
    earlier = taken.where(inbox.c.received_at < live_since).order_by(inbox.c.id.desc())
    return connection.scalars(earlier.limit(max(len(since), _JUST_BEFORE))).all(), since


def _tally(failing: Sequence[bool]) -> Tally:
    return Tally(len(failing), sum(failing))


def _well(failing: Sequence[bool]) -> int:
    places = [place for place, fails in enumerate(failing) if fails]
    return places[0] if places and places[-1] - places[0] + 1 == len(places) else 0
