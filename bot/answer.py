"""Answer: everything that comes of a burst, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Capabilities
from bot.claim import Claim
from bot.notices import CHANGED
from bot.outbox import Kind, enqueue
from bot.rasa import Frame
from bot.reply import Bubble, Reply
from bot.shaping import shape
from bot.store import Store
from bot.tables import conversations, frames, handoffs, inbox
from bot.texts import Texts
from bot.turn import Answer, Outcome, Stored

__all__ = ["Done", "Trouble", "merge", "record"]

Done = tuple[Stored, Answer]


@dataclass(frozen=True)
class Trouble:
    """The message that couldn't be answered now, and when it is tried again."""

    stored: Stored
    pause: timedelta


async def record(
    store: Store, claim: Claim, texts: Texts, capabilities: Capabilities, done: Sequence[Done], trouble: Trouble | None
) -> bool:
    """Write the answers down and release the claim; false, and nothing is written, when the claim was lost meanwhile."""
    now = store.clock()
    bubbles = shape(merge([answer.replies for _, answer in done]), capabilities, texts("balas_angka"))
    answered = any(answer.outcome is Outcome.ANSWERED for _, answer in done)
    troubled = trouble is not None or (claim.troubled and not answered)
    async with store.engine.begin() as connection:
        kept = await connection.execute(
            update(conversations)
            .where(conversations.c.id == claim.conversation, conversations.c.leased_by == claim.owner)
            .values(
                leased_by=None,
                lease_until=None,
                retry_at=now + trouble.pause if trouble else None,
                # They are counted for the message that waits first, and that one changes with each that is done.
                attempts=(0 if done else claim.attempts) + 1 if trouble else 0,
                troubled=troubled,
            )
            .returning(func.pg_notify(CHANGED, str(claim.conversation)))
        )
        if not kept.all():
            return False
        if done:
            await enqueue(connection, store, claim.conversation, Kind.BOT, bubbles, message=done[-1][0].id)
        await _mark(connection, store, claim, done)
        if trouble is not None and not claim.troubled:
            told = [Bubble(texts("gangguan"))]
            await enqueue(connection, store, claim.conversation, Kind.BOT, told, message=trouble.stored.id)
    return True


def merge(turns: Sequence[Sequence[Reply]]) -> list[Reply]:
    """The replies of a burst's turns, as if they were one turn's.

    What is said twice is said once. Of the choices only the last turn's that has any are offered: they are what a typed
    number is held against, and what was offered before is overtaken.
    """
    offering = max((i for i, replies in enumerate(turns) if any(reply.choices for reply in replies)), default=-1)
    merged: list[Reply] = []
    for i, replies in enumerate(turns):
        for reply in replies:
            kept = reply if i == offering else replace(reply, choices=())
            merged = [earlier for earlier in merged if earlier.text != kept.text or earlier.file or earlier.choices]
            merged.append(kept)
    return [reply for reply in merged if reply.text.strip() or reply.choices or reply.file]


async def _mark(connection: AsyncConnection, store: Store, claim: Claim, done: Sequence[Done]) -> None:
    now = store.clock()
    by_outcome: dict[tuple[Outcome, str | None], list[int]] = defaultdict(list)
    for stored, answer in done:
        by_outcome[answer.outcome, answer.error].append(stored.id)
    for (outcome, error), ids in by_outcome.items():
        await connection.execute(
            update(inbox).where(inbox.c.id.in_(ids)).values(answered_at=now, outcome=outcome.value, error=error)
        )
    framed = [_frame(store, stored, answer, answer.frame) for stored, answer in done if answer.frame]
    if framed:
        await connection.execute(upsert(frames).on_conflict_do_nothing(), framed)
    wanted = [answer.handoff for _, answer in done if answer.handoff]
    if wanted:
        await connection.execute(
            insert(handoffs),
            [
                {
                    "conversation": claim.conversation,
                    "reason": handoff.reason,
                    "service": handoff.service,
                    "requested_at": now,
                }
                for handoff in wanted
            ],
        )


def _frame(store: Store, stored: Stored, answer: Answer, frame: Frame) -> dict[str, Any]:
    return {
        "inbox": stored.id,
        "intent": frame.intent,
        "confidence": frame.confidence,
        "service": frame.service,
        "service_confidence": frame.service_confidence,
        "entities": store.frame.seal_json(list(frame.entities)),
        "text": store.frame.seal(answer.text.encode()),
        "model": answer.model,
    }
