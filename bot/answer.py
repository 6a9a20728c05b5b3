"""Answer: everything that comes of a burst, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, cast, exists, func, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Capabilities
from bot.claim import Claim
from bot.desk.room import DeskRoom
from bot.desk.states import give_back, heard, open_handoff
from bot.desk.words import says_all
from bot.flood import LOOK_AGAIN, Flood
from bot.notices import CHANGED, OUTBOX
from bot.outbox import Kind, add
from bot.own_number import shape_for
from bot.rasa import Frame
from bot.reply import Bubble, Reply
from bot.store import Store
from bot.tables import conversations, frames, inbox
from bot.turn import Answer, Outcome, Stored

__all__ = ["Done", "Trouble", "merge", "record"]

Done = tuple[Stored, Answer]
Turns = list[Sequence[Reply]]


@dataclass(frozen=True)
class Trouble:
    """The message that couldn't be answered now, and when it is tried again."""

    stored: Stored
    pause: timedelta


_KEEP = (
    update(conversations)
    .where(conversations.c.id == bindparam("claimed"), conversations.c.leased_by == bindparam("owner"))
    .values(
        leased_by=None,
        lease_until=None,
        retry_at=bindparam("again", type_=conversations.c.retry_at.type),
        attempts=bindparam("tries"),
        troubled=bindparam("trouble"),
        served_at=bindparam("now", type_=conversations.c.served_at.type),
        flood_step=bindparam("flooded"),
        flood_until=bindparam("calm", type_=conversations.c.flood_until.type),
    )
    .returning(
        exists().where(inbox.c.conversation == bindparam("claimed"), inbox.c.answered_at.is_(None)).label("more"),
        func.pg_notify(CHANGED, cast(bindparam("claimed"), Text)),
        func.pg_notify(OUTBOX, conversations.c.channel),
    )
)
_MARK = (
    update(inbox)
    .where(inbox.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))), inbox.c.answered_at.is_(None))
    .values(answered_at=bindparam("now"), outcome=bindparam("result"), error=bindparam("reason"))
)
_FRAME = upsert(frames).on_conflict_do_nothing()


async def record(
    room: DeskRoom,
    claim: Claim,
    capabilities: Capabilities,
    done: Sequence[Done],
    trouble: Trouble | None,
    flood: Flood | None = None,
) -> bool | None:
    """Write the answers down and release the claim; whether more messages have come since.

    None, and nothing is written, when the claim was lost meanwhile.
    """
    store, texts = room.store, room.texts
    now = store.clock()
    after = flood.answered(now) if flood and done else flood
    answered = any(answer.outcome is Outcome.ANSWERED for _, answer in done)
    async with store.engine.connect() as connection:
        # First: where a conversation goes depends on what its last message was understood as, too.
        await _keep_frames(connection, store, done)
        said, told = await _spoken(connection, room, claim, done)
        if said and flood is not None and not flood.step:
            said = [[Reply(texts("banyak_sekali"))], *said]
        if not await _mark(connection, store, done):
            return None
        for kind, replies in ((Kind.BOT, said), (Kind.DESK, told)):
            if replies:
                bubbles = await shape_for(
                    connection, store, claim.conversation, merge(replies), capabilities, texts("balas_angka")
                )
                await add(connection, store, claim.conversation, kind, bubbles, message=done[-1][0].id)
        if trouble is not None and not claim.troubled:
            sorry = [Bubble(texts("gangguan"))]
            await add(connection, store, claim.conversation, Kind.BOT, sorry, message=trouble.stored.id)
        kept = await connection.execute(
            _KEEP,
            {
                "claimed": claim.conversation,
                "owner": claim.owner,
                "again": now + trouble.pause if trouble else now + LOOK_AGAIN if flood else None,
                # They are counted for the message that waits first, and that one changes with each that is done.
                "tries": (0 if done else claim.attempts) + 1 if trouble else 0,
                "trouble": trouble is not None or (claim.troubled and not answered),
                "now": now,
                "flooded": after.step if after else 0,
                "calm": after.answer_at if after else None,
            },
        )
        more: bool | None = kept.scalar()
        if more is not None:
            await connection.commit()
    # A message that is tried again later wakes nobody now.
    return more and trouble is None and flood is None if more is not None else None


async def _spoken(
    connection: AsyncConnection, room: DeskRoom, claim: Claim, done: Sequence[Done]
) -> tuple[Turns, Turns]:
    """What the bot says and what the desk does, of each turn.

    The turn that hands the conversation over is the desk's whole, else the last of it would be withheld.
    """
    said: Turns = [answer.replies for _, answer in done if answer.replies]
    if not done:
        return said, []
    last, answer = done[-1]
    if answer.handoff is not None:
        words = await open_handoff(
            connection,
            room,
            claim.conversation,
            reason=answer.handoff.reason,
            service=answer.handoff.service,
            since=last.received_at,
            urgent=any(answer.frame and answer.frame.intent == "darurat" for _, answer in done),
        )
        if words is not None:
            # Its buttons would lead to the bot, which is silent from now on.
            kept = [turn for turn in said if turn is not answer.replies or not says_all(answer.handoff.reason)]
            return [], [*([replace(reply, choices=()) for reply in turn] for turn in kept), [words]]
    if answer.outcome is Outcome.RETURNED:
        words = await give_back(connection, room, claim.conversation)
        if words is not None:
            return said, [[words]]
    for_desk = [stored for stored, answer in done if answer.outcome in (Outcome.OFFICER, Outcome.RETURNED)]
    if for_desk:
        words = await heard(connection, room, claim.conversation, min(stored.received_at for stored in for_desk))
        return said, [[words]] if words else []
    return said, []


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


async def _mark(connection: AsyncConnection, store: Store, done: Sequence[Done]) -> bool:
    """Whether none of them was answered before."""
    now = store.clock()
    marked = 0
    by_outcome: dict[tuple[Outcome, str | None], list[int]] = defaultdict(list)
    for stored, answer in done:
        by_outcome[answer.outcome, answer.error].append(stored.id)
    for (outcome, error), ids in by_outcome.items():
        values = {"ids": ids, "now": now, "result": outcome.value, "reason": error}
        marked += (await connection.execute(_MARK, values)).rowcount
    return marked == len(done)


async def _keep_frames(connection: AsyncConnection, store: Store, done: Sequence[Done]) -> None:
    framed = [_frame(store, stored, answer, answer.frame) for stored, answer in done if answer.frame]
    if framed:
        await connection.execute(_FRAME, framed)


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
        "understood": answer.understood,
        "displeased": answer.displeased,
        "in_form": frame.in_form,
        "margin": frame.margin,
    }
