"""Answer: everything that comes of a burst, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Text,
    Uuid,
    all_,
    any_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Capabilities
from bot.claim import Claim, release
from bot.desk.room import DeskRoom
from bot.desk.states import NotAtDesk, give_back, heard, open_handoff
from bot.desk.words import says_all
from bot.flood import LOOK_AGAIN, Flood
from bot.notices import CHANGED, OUTBOX
from bot.outbox import Kind
from bot.own_number import shape_for
from bot.rasa import Frame
from bot.reply import Bubble, Reply
from bot.rows import unnested
from bot.store import ON_DISK_WITH_THE_NEXT, Store
from bot.tables import conversations, frames, inbox, outbox
from bot.turn import Answer, Outcome, Stored

__all__ = ["Done", "Trouble", "merge", "record"]

Done = tuple[Stored, Answer]
Turns = list[Sequence[Reply]]


@dataclass(frozen=True)
class Trouble:
    """The message that couldn't be answered now, and when it is tried again."""

    stored: Stored
    pause: timedelta


_now = bindparam("now", type_=DateTime(timezone=True))
_claimed = bindparam("claimed", type_=Uuid)
_ids = bindparam("done_id", type_=ARRAY(BigInteger))
# Everything hangs on the claim: where it was lost, or one of the messages was answered already, nothing is written.
_kept = (
    update(conversations)
    .where(
        conversations.c.id == _claimed,
        conversations.c.leased_by == bindparam("owner"),
        ~exists().where(inbox.c.id == any_(_ids), inbox.c.answered_at.is_not(None)),
    )
    .values(
        leased_by=None,
        lease_until=None,
        retry_at=bindparam("again", type_=conversations.c.retry_at.type),
        attempts=bindparam("tries"),
        troubled=bindparam("trouble"),
        served_at=_now,
        flood_step=bindparam("flooded"),
        flood_until=bindparam("calm", type_=conversations.c.flood_until.type),
    )
    .returning(
        exists()
        .where(inbox.c.conversation == _claimed, inbox.c.answered_at.is_(None), inbox.c.id != all_(_ids))
        .label("more"),
        func.pg_notify(CHANGED, cast(_claimed, Text)),
        func.pg_notify(OUTBOX, conversations.c.channel),
    )
    .cte("kept")
)
_done = unnested("done", inbox.c.id, inbox.c.outcome, inbox.c.error)
_marked = (
    update(inbox)
    .where(inbox.c.id == _done.c.id, exists(select(_kept)))
    .values(answered_at=_now, outcome=_done.c.outcome, error=_done.c.error)
    .returning(inbox.c.id)
    .cte("marked")
)
_FRAME = upsert(frames).on_conflict_do_nothing()
_frames = unnested("frame", *frames.c)
_framed = (
    upsert(frames)
    .from_select(list(frames.c), select(*(_frames.c[one.name] for one in frames.c)).where(exists(select(_kept))))
    .on_conflict_do_nothing()
    .returning(frames.c.inbox)
    .cte("framed")
)
_bubbles = unnested("bubble", outbox.c.inbox, outbox.c.kind, outbox.c.body)
_queued = (
    insert(outbox)
    .from_select(
        ["conversation", "inbox", "kind", "body", "created_at"],
        select(_claimed, _bubbles.c.inbox, _bubbles.c.kind, _bubbles.c.body, _now)
        .where(exists(select(_kept)))
        .order_by(_bubbles.c.place),
    )
    .returning(outbox.c.id)
    .cte("queued")
)
# What is lost with the machine is answered anew: it isn't sent before the sender's claim is on disk, and so this is too.
_RECORD = select(_kept.c.more, ON_DISK_WITH_THE_NEXT).add_cte(_marked, _framed, _queued)


async def record(
    room: DeskRoom,
    claim: Claim,
    capabilities: Capabilities,
    done: Sequence[Done],
    trouble: Trouble | None,
    flood: Flood | None = None,
) -> bool | None:
    """Write the answers down and release the claim; whether more messages have come since.

    None, and nothing is written, when the claim was lost meanwhile. Nor is anything when the desk, which it was meant for,
    has let go of the conversation: then it is the next claim's, and the bot's to answer.
    """
    store, texts = room.store, room.texts
    now = store.clock()
    after = flood.answered(now) if flood and done else flood
    answered = any(answer.outcome is Outcome.ANSWERED for _, answer in done)
    framed = [_frame(store, stored, answer, answer.frame) for stored, answer in done if answer.frame]
    at_desk = any(answer.handoff or answer.outcome in (Outcome.OFFICER, Outcome.RETURNED) for _, answer in done)
    # What the bot alone has to do with is one statement, a transaction by itself.
    async with (store.engine if at_desk else store.single).connect() as connection:
        if at_desk and framed:
            # First: where a conversation goes depends on what its last message was understood as, too.
            await connection.execute(_FRAME, framed)
            framed = []
        try:
            said, told = await _spoken(connection, room, claim, done)
        except NotAtDesk:
            await connection.rollback()
            await release(store, claim)
            return True
        if said and flood is not None and not flood.step:
            said = [[Reply(texts("banyak_sekali"))], *said]
        spoken: list[tuple[int, Kind, Bubble]] = []
        for kind, replies in ((Kind.BOT, said), (Kind.DESK, told)):
            bubbles = await shape_for(
                connection, store, claim.conversation, merge(replies), capabilities, texts("balas_angka")
            )
            for_waiting = all(reply.for_waiting for turn in replies for reply in turn)
            spoken += [(done[-1][0].id, kind, replace(bubble, for_waiting=for_waiting)) for bubble in bubbles]
        if trouble is not None and not claim.troubled:
            spoken.append((trouble.stored.id, Kind.BOT, Bubble(texts("gangguan"))))
        values = {
            "claimed": claim.conversation,
            "owner": claim.owner,
            "again": now + trouble.pause if trouble else now + LOOK_AGAIN if flood else None,
            # They are counted for the message that waits first, and that one changes with each that is done.
            "tries": (0 if done else claim.attempts) + 1 if trouble else 0,
            "trouble": trouble is not None or (claim.troubled and not answered),
            "now": now,
            "flooded": after.step if after else 0,
            "calm": after.answer_at if after else None,
            "done_id": [stored.id for stored, _ in done],
            "done_outcome": [answer.outcome.value for _, answer in done],
            "done_error": [answer.error for _, answer in done],
            **{f"frame_{one.name}": [frame[one.name] for frame in framed] for one in frames.c},
            "bubble_inbox": [message for message, _, _ in spoken],
            "bubble_kind": [kind.value for _, kind, _ in spoken],
            "bubble_body": [store.outbox.seal_json(bubble.to_json()) for _, _, bubble in spoken],
        }
        more: bool | None = await connection.scalar(_RECORD, values)
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
    # Who wants to be handed over and isn't the bot's any more is with the desk already.
    for_desk = [
        stored for stored, answer in done if answer.handoff or answer.outcome in (Outcome.OFFICER, Outcome.RETURNED)
    ]
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
