"""A flood: somebody writes more than can be answered one by one, by machine, by mistake or in anger.

Every answer costs a turn of Rasa's and, on WhatsApp, money. So of a flood only the last message is answered, with growing
pauses, and the citizen is told so once. The others stay where they are, with the outcome `flooded`; the desk sees them all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, DateTime, bindparam, func, select, update

from bot.claim import Claim
from bot.outbox import Kind
from bot.store import Store
from bot.tables import inbox, outbox
from bot.turn import Outcome, Stored

__all__ = ["LOOK_AGAIN", "Flood", "FloodLimits", "find_flood", "skim"]

LOOK_AGAIN = timedelta(seconds=5)
"""between two looks at a flood that isn't answered yet: what has come is marked, so that it never piles up"""
_DAY = timedelta(days=1)
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True)
class FloodLimits:
    """Of one person. More is a flood."""

    messages_a_minute: int = 30
    """written without waiting for the answer to the one before; also: messages that wait at once. A claim counts one more."""
    answers_a_day: int | None = None
    """bubbles of the bot's, where each is billed; None: any number"""


@dataclass(frozen=True)
class Flood:
    step: int
    """how many answers it has got"""
    answer_at: datetime
    """not before"""

    def answered(self, now: datetime) -> Flood:
        return Flood(self.step + 1, now + min(_FIRST_PAUSE * 2 ** min(self.step, 10), _LONGEST_PAUSE))


_now = bindparam("now", type_=DateTime(timezone=True))
_answers = (
    select(outbox.c.created_at, outbox.c.kind)
    .where(outbox.c.conversation == bindparam("claimed"))
    .order_by(outbox.c.id.desc())
    .limit(bindparam("answers"))
    .subquery()
)
_ANSWERS = (
    select(func.count())
    .select_from(_answers)
    .where(_answers.c.kind == Kind.BOT.value, _answers.c.created_at > _now - _DAY)
)
_LAST = (
    select(
        *(inbox.c[name] for name in ("id", "channel", "external_id", "conversation", "raw", "sent_at", "received_at"))
    )
    .where(inbox.c.conversation == bindparam("claimed"), inbox.c.answered_at.is_(None))
    .order_by(inbox.c.id.desc())
    .limit(1)
)
_SKIP = (
    update(inbox)
    .where(
        inbox.c.conversation == bindparam("claimed"),
        inbox.c.answered_at.is_(None),
        inbox.c.id < bindparam("last", type_=BigInteger),
    )
    .values(answered_at=_now, outcome=Outcome.FLOODED.value)
)


async def find_flood(store: Store, claim: Claim, limits: FloodLimits, *, billed: bool) -> Flood | None:
    """Whether the conversation is one now. No more rows were counted than the limits, however long the conversation is.

    Whoever waits for each answer writes no flood, however quickly; only where answers are billed a day's number ends that.
    """
    now = store.clock()
    flooded = max(claim.hasty, claim.waiting) > limits.messages_a_minute
    if not flooded and billed and limits.answers_a_day is not None:
        about = {"claimed": claim.conversation, "now": now, "answers": limits.answers_a_day}
        async with store.single.connect() as connection:
            answers = await connection.scalar(_ANSWERS, about)
        flooded = (answers or 0) >= limits.answers_a_day
    if not flooded:
        return None
    until = claim.flood_until
    # One that is further off than any was set before the clock went back.
    return Flood(claim.flood_step, until if until and until <= now + _LONGEST_PAUSE else now)


async def skim(store: Store, claim: Claim) -> tuple[Stored | None, int]:
    """The last message, and how many before it were passed over and marked so."""
    async with store.engine.begin() as connection:
        row = (await connection.execute(_LAST, {"claimed": claim.conversation})).first()
        if row is None:
            return None, 0
        values = {"claimed": claim.conversation, "last": row.id, "now": store.clock()}
        passed = await connection.execute(_SKIP, values)
    return replace(Stored(*row), early=True), passed.rowcount
