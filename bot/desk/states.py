"""The states of a conversation and every way from one to another: bot → queued → officer → bot.

Each way is one conditional update of the conversation's row, so that of two who want it one gets it. Whoever changes the
hand-off's row has changed or locked the conversation's before, so nobody waits in a circle.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk import presence, words
from bot.desk.access import in_scope
from bot.desk.chronicle import Happening, announce, record
from bot.desk.officer import DeskRefused, Officer, Refusal
from bot.desk.room import DeskRoom
from bot.desk.routing import agency_of, service_talked_of
from bot.lease import is_over
from bot.notices import OUTBOX
from bot.outbox import Kind, State, add
from bot.reply import Bubble, Reply
from bot.tables import conversations, handoffs, outbox
from bot.tables import presence as officers

__all__ = [
    "Lease",
    "NotAtDesk",
    "Outcome",
    "claim",
    "close",
    "close_silent",
    "close_unanswered",
    "give_back",
    "hand_to",
    "heard",
    "lapse",
    "open_handoff",
    "reassign",
    "release",
    "renew",
    "take_over",
    "transfer",
]

_c, _h = conversations.c, handoffs.c


class Outcome(enum.StrEnum):
    """How an episode ended."""

    DONE = "selesai"
    """an officer closed it"""
    SILENT = "diam"
    RETURNED = "kembali"
    """the citizen went back to the bot while waiting"""
    UNANSWERED = "tak_terjawab"
    JOINED = "disatukan"
    """the same person's other conversation was with the desk too"""


class NotAtDesk(Exception):
    """The conversation went back to the bot before what was meant for the desk got there."""


@dataclass(frozen=True)
class Lease:
    until: datetime | None
    """None where the desk itself sees to it that an officer is there"""


# What the way of a message does, within its transaction.


async def open_handoff(
    connection: AsyncConnection,
    room: DeskRoom,
    conversation: uuid.UUID,
    *,
    reason: str,
    service: str | None,
    since: datetime,
    urgent: bool = False,
) -> Reply | None:
    """Queue a conversation that is the bot's; `since` is when the message came that brought it here.

    What the citizen is told, or None when it isn't the bot's any more.
    """
    if not await _move(connection, conversation, _c.handler == "bot", handler="queued"):
        return None
    service = service or await service_talked_of(connection, room, conversation)
    agency = await agency_of(connection, room, conversation, service)
    priority = max(room.agencies.priority(reason), room.agencies.priority("darurat") if urgent else 0)
    handoff = await _begin(connection, room, conversation, reason, service, agency, priority, since)
    await record(connection, room.store, handoff, Happening.QUEUED, agency=agency)
    await announce(connection, "queue", conversation, agency=agency)
    return await words.on_queueing(connection, room, handoff, reason)


async def heard(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID, since: datetime) -> Reply | None:
    """Note that the citizen wrote to the desk at `since`; what they are told, if it is time to say something.

    Raises NotAtDesk.
    """
    state = await _locked(connection, conversation)
    if state is None or state.handler == "bot":
        raise NotAtDesk
    if state.handoff is None:
        return None
    now = room.store.clock()
    row = (
        await connection.execute(
            update(handoffs)
            .where(_h.id == state.handoff)
            .values(waiting_since=func.coalesce(_h.waiting_since, since))
            .returning(_h.agency, _h.told_at)
        )
    ).one()
    await announce(connection, "conversation", conversation, agency=row.agency)
    if state.handler != "queued" or (row.told_at and row.told_at > now - room.rules.told_again):
        return None
    return await words.on_waiting(connection, room, state.handoff)


async def give_back(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID) -> Reply | None:
    """The citizen doesn't want to wait. What they are told, or None when an officer has taken it by now."""
    state = await _locked(connection, conversation)
    if state is None or state.handler == "officer":
        return None
    if state.handoff is not None:
        await _end(connection, room, conversation, state.handoff, Outcome.RETURNED, by=None, note=None)
    return Reply(room.texts("meja_kembali"))


# What officers do.


async def claim(room: DeskRoom, officer: Officer, conversation: uuid.UUID) -> Lease:
    """Take a waiting conversation. Raises DeskRefused: TAKEN, NOT_WAITING, OUT_OF_SCOPE, GONE."""
    until = _until(room, room.rules.lease)
    async with room.store.engine.begin() as connection:
        taken = (
            await connection.execute(
                update(conversations)
                .where(
                    _c.id == conversation,
                    _c.handler == "queued",
                    _h.id == _c.handoff,
                    in_scope(officer),
                )
                .values(handler="officer", officer=officer.id, officer_lease_until=until)
                .returning(_c.handoff, _h.agency)
            )
        ).first()
        if taken is not None:
            await presence.know(connection, room, officer)
            await _claimed(connection, room, taken.handoff)
            await record(connection, room.store, taken.handoff, Happening.CLAIMED, officer=officer.id)
            await announce(connection, "queue", conversation, agency=taken.agency, officer=officer.id)
            return Lease(until)
        state = await _state(connection, conversation)
        if state is None or state.handler != "officer" or state.officer != officer.id:
            raise await _refusal(connection, room, officer, state)
    return await renew(room, officer, conversation)


async def renew(room: DeskRoom, officer: Officer, conversation: uuid.UUID) -> Lease:
    """Raises DeskRefused when the officer doesn't hold it any more."""
    until = _until(room, room.rules.lease)
    async with room.store.engine.begin() as connection:
        # A colleague who was just given it has longer than one lease.
        kept = await connection.scalar(
            update(conversations)
            .where(_c.id == conversation, *_held_by(officer))
            .values(officer_lease_until=func.greatest(_c.officer_lease_until, until) if until else None)
            .returning(_c.id)
        )
        if kept is None:
            raise await _refusal(connection, room, officer, await _state(connection, conversation))
    return Lease(until)


async def release(room: DeskRoom, officer: Officer, conversation: uuid.UUID, note: str | None = None) -> None:
    """Back into the queue; whoever waits keeps the place of the first unanswered message. Raises DeskRefused."""
    async with room.store.engine.begin() as connection:
        handoff, agency = await _requeued(connection, room, officer, conversation)
        await record(connection, room.store, handoff, Happening.RELEASED, officer=officer.id, note=note)
        await announce(connection, "queue", conversation, agency=agency)


async def transfer(room: DeskRoom, officer: Officer, conversation: uuid.UUID, *, agency: str, note: str) -> None:
    """Into another agency's queue; the citizen is told. Raises DeskRefused."""
    if agency not in room.agencies:
        raise room.refused(Refusal.UNKNOWN_AGENCY)
    async with room.store.engine.begin() as connection:
        handoff, before = await _requeued(connection, room, officer, conversation)
        await connection.execute(update(handoffs).where(_h.id == handoff).values(agency=agency))
        await record(
            connection, room.store, handoff, Happening.TRANSFERRED, officer=officer.id, agency=agency, note=note
        )
        await _say(connection, room, conversation, await words.on_transfer(connection, room, handoff))
        await announce(connection, "queue", conversation, agency=before)
        await announce(connection, "queue", conversation, agency=agency)


async def hand_to(room: DeskRoom, officer: Officer, conversation: uuid.UUID, *, colleague: Officer, note: str) -> None:
    """To a colleague, who holds it at once. Raises DeskRefused."""
    async with room.store.engine.begin() as connection:
        await _give(connection, room, conversation, colleague, and_(*_held_by(officer)), officer)
        handoff, agency = await _of(connection, conversation)
        await record(
            connection,
            room.store,
            handoff,
            Happening.HANDED_OVER,
            officer=officer.id,
            colleague=colleague.id,
            note=note,
        )
        await announce(connection, "queue", conversation, agency=agency, officer=colleague.id)


async def reassign(
    room: DeskRoom, supervisor: Officer, conversation: uuid.UUID, *, colleague: Officer | None, note: str
) -> None:
    """Whoever holds it, and also when nobody does: to `colleague`, or with None back into the queue.

    That `supervisor` is one has been proved before. Raises DeskRefused.
    """
    anybodys = _c.handler.in_(("queued", "officer"))
    async with room.store.engine.begin() as connection:
        if colleague is None:
            moved = await _move(
                connection, conversation, anybodys, handler="queued", officer=None, officer_lease_until=None,
                scope=supervisor,
            )  # fmt: skip
            if not moved:
                raise await _refusal(connection, room, supervisor, await _state(connection, conversation))
        else:
            await _give(connection, room, conversation, colleague, anybodys, supervisor)
        handoff, agency = await _of(connection, conversation)
        if colleague is None:
            await _queued_now(connection, room, handoff)
        await record(
            connection,
            room.store,
            handoff,
            Happening.REASSIGNED,
            officer=supervisor.id,
            colleague=colleague.id if colleague else None,
            note=note,
        )
        await announce(connection, "queue", conversation, agency=agency, officer=colleague.id if colleague else None)


async def close(
    room: DeskRoom, officer: Officer, conversation: uuid.UUID, *, note: str | None = None, farewell: Reply | None = None
) -> None:
    """The conversation is the bot's again, and the citizen is told: `farewell`, or that it is so. Raises DeskRefused."""
    async with room.store.engine.begin() as connection:
        state = await _locked(connection, conversation)
        if state is None or state.handler != "officer" or state.officer != officer.id:
            raise await _refusal(connection, room, officer, await _state(connection, conversation))
        await _end(connection, room, conversation, state.handoff, Outcome.DONE, by=officer.id, note=note)
        await _say(connection, room, conversation, farewell or Reply(room.texts("meja_selesai")))


async def take_over(room: DeskRoom, officer: Officer, conversation: uuid.UUID, *, agency: str) -> Lease:
    """Take a conversation that is the bot's, which nobody asked for. Raises DeskRefused."""
    if agency not in room.agencies:
        raise room.refused(Refusal.UNKNOWN_AGENCY)
    if not officer.may_see(agency):
        raise room.refused(Refusal.OUT_OF_SCOPE)
    until = _until(room, room.rules.lease)
    async with room.store.engine.begin() as connection:
        taken = await _move(
            connection, conversation, _c.handler == "bot", handler="officer", officer=officer.id,
            officer_lease_until=until,
        )  # fmt: skip
        if not taken:
            raise await _refusal(connection, room, officer, await _state(connection, conversation))
        await presence.know(connection, room, officer)
        handoff = await _begin(connection, room, conversation, "petugas", None, agency, 0, None)
        await _claimed(connection, room, handoff)
        await record(connection, room.store, handoff, Happening.CLAIMED, officer=officer.id, agency=agency)
        await announce(connection, "queue", conversation, agency=agency, officer=officer.id)
    return Lease(until)


# What time does.


async def lapse(room: DeskRoom) -> int:
    """Return to the queue what officers hold who weren't heard of; how many."""
    longest = max(room.rules.lease, room.rules.handover)
    async with room.store.engine.begin() as connection:
        vanished = (
            await connection.execute(
                select(_c.id, _c.officer)
                .where(
                    _c.handler == "officer",
                    # Where no lease runs, a colleague elsewhere keeps what he has.
                    _c.officer_lease_until.is_not(None),
                    is_over(_c.officer_lease_until, literal(room.store.clock()), longest),
                )
                .with_for_update(skip_locked=True, key_share=True)
            )
        ).all()
        for row in vanished:
            await _move(connection, row.id, true(), handler="queued", officer=None, officer_lease_until=None)
            handoff, agency = await _of(connection, row.id)
            await _queued_now(connection, room, handoff)
            await record(connection, room.store, handoff, Happening.LAPSED, officer=row.officer)
            await announce(connection, "queue", row.id, agency=agency)
    return len(vanished)


async def close_silent(room: DeskRoom) -> int:
    """Close what was answered and where nobody has written since; how many."""
    before = room.store.clock() - room.rules.idle
    quiet = func.greatest(_c.last_message_at, _h.said_at, _h.claimed_at) < before
    return await _close_all(
        room, and_(_c.handler == "officer", _h.waiting_since.is_(None), quiet), Outcome.SILENT, "meja_diam"
    )


async def close_unanswered(room: DeskRoom) -> int:
    """Give back to the bot what no officer took for days; how many."""
    before = room.store.clock() - room.rules.unanswered
    since = func.coalesce(_h.waiting_since, _h.queued_at)
    return await _close_all(room, and_(_c.handler == "queued", since < before), Outcome.UNANSWERED, "meja_tak_terjawab")


async def _close_all(room: DeskRoom, which: ColumnElement[bool], outcome: Outcome, text: str) -> int:
    async with room.store.engine.begin() as connection:
        found = (
            await connection.execute(
                select(_c.id, _c.handoff)
                .join(handoffs, _h.id == _c.handoff)
                .where(which)
                .with_for_update(of=conversations, skip_locked=True, key_share=True)
            )
        ).all()
        for row in found:
            await _end(connection, room, row.id, row.handoff, outcome, by=None, note=None)
            await _say(connection, room, row.id, Reply(room.texts(text)))
    return len(found)


# The steps they are made of.


async def _move(
    connection: AsyncConnection,
    conversation: uuid.UUID,
    condition: ColumnElement[bool],
    *,
    scope: Officer | None = None,
    **values: Any,
) -> bool:
    conditions = [_c.id == conversation, condition]
    if scope is not None:
        conditions += [_h.id == _c.handoff, in_scope(scope)]
    moved = await connection.execute(update(conversations).where(*conditions).values(**values).returning(_c.id))
    return moved.first() is not None


async def _begin(
    connection: AsyncConnection,
    room: DeskRoom,
    conversation: uuid.UUID,
    reason: str,
    service: str | None,
    agency: str,
    priority: int,
    since: datetime | None,
) -> int:
    now = room.store.clock()
    handoff: int = (
        await connection.execute(
            insert(handoffs)
            .values(
                conversation=conversation,
                reason=reason,
                service=service,
                agency=agency,
                priority=priority,
                requested_at=now,
                queued_at=now,
                waiting_since=since,
            )
            .returning(_h.id)
        )
    ).scalar_one()
    await connection.execute(update(conversations).where(_c.id == conversation).values(handoff=handoff))
    return handoff


async def _end(
    connection: AsyncConnection,
    room: DeskRoom,
    conversation: uuid.UUID,
    handoff: int,
    outcome: Outcome,
    *,
    by: str | None,
    note: str | None,
) -> None:
    """The conversation's row is locked, and its state was looked at."""
    await _move(connection, conversation, true(), handler="bot", handoff=None, officer=None, officer_lease_until=None)
    # What the bot wanted to say before, and couldn't, is overtaken by what officer and citizen said.
    await connection.execute(
        update(outbox)
        .where(
            outbox.c.conversation == conversation,
            outbox.c.kind == Kind.BOT.value,
            outbox.c.state == State.QUEUED.value,
        )
        .values(state=State.WITHHELD.value)
    )
    agency = await connection.scalar(
        update(handoffs)
        .where(_h.id == handoff)
        .values(closed_at=room.store.clock(), outcome=outcome.value)
        .returning(_h.agency)
    )
    await record(connection, room.store, handoff, Happening.CLOSED, officer=by, note=note)
    await announce(connection, "queue", conversation, agency=agency)


async def _requeued(
    connection: AsyncConnection, room: DeskRoom, officer: Officer, conversation: uuid.UUID
) -> tuple[int, str]:
    moved = await _move(
        connection, conversation, and_(*_held_by(officer)), handler="queued", officer=None, officer_lease_until=None
    )
    if not moved:
        raise await _refusal(connection, room, officer, await _state(connection, conversation))
    handoff, agency = await _of(connection, conversation)
    await _queued_now(connection, room, handoff)
    return handoff, agency


async def _give(
    connection: AsyncConnection,
    room: DeskRoom,
    conversation: uuid.UUID,
    colleague: Officer,
    condition: ColumnElement[bool],
    giver: Officer,
) -> None:
    moved = (
        await connection.execute(
            update(conversations)
            .where(_c.id == conversation, condition, _h.id == _c.handoff, in_scope(giver))
            .values(handler="officer", officer=colleague.id, officer_lease_until=_until(room, room.rules.handover))
            .returning(_c.handoff, _h.agency)
        )
    ).first()
    if moved is None:
        raise await _refusal(connection, room, giver, await _state(connection, conversation))
    if not colleague.may_see(moved.agency):
        raise room.refused(Refusal.OUT_OF_SCOPE)
    await presence.know(connection, room, colleague)
    await _claimed(connection, room, moved.handoff)


async def _claimed(connection: AsyncConnection, room: DeskRoom, handoff: int) -> None:
    await connection.execute(
        update(handoffs).where(_h.id == handoff).values(claimed_at=func.coalesce(_h.claimed_at, room.store.clock()))
    )


async def _queued_now(connection: AsyncConnection, room: DeskRoom, handoff: int) -> None:
    await connection.execute(update(handoffs).where(_h.id == handoff).values(queued_at=room.store.clock()))


async def _of(connection: AsyncConnection, conversation: uuid.UUID) -> tuple[int, str]:
    """The open hand-off and its agency."""
    row = (
        await connection.execute(
            select(_h.id, _h.agency).join(conversations, _c.handoff == _h.id).where(_c.id == conversation)
        )
    ).one()
    return row.id, row.agency


async def _say(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID, reply: Reply) -> None:
    bubble = Bubble(reply.text, reply.choices, for_waiting=reply.for_waiting)
    await add(connection, room.store, conversation, Kind.DESK, [bubble])
    await connection.execute(select(func.pg_notify(OUTBOX, "")))


async def _state(connection: AsyncConnection, conversation: uuid.UUID) -> Row[*tuple[Any, ...]] | None:
    return (
        await connection.execute(
            select(_c.handler, _c.handoff, _c.officer, _h.agency, officers.c.name)
            .outerjoin(handoffs, _h.id == _c.handoff)
            .outerjoin(officers, officers.c.officer == _c.officer)
            .where(_c.id == conversation)
        )
    ).first()


async def _locked(connection: AsyncConnection, conversation: uuid.UUID) -> Row[*tuple[Any, ...]] | None:
    return (
        await connection.execute(
            select(_c.handler, _c.handoff, _c.officer).where(_c.id == conversation).with_for_update(key_share=True)
        )
    ).first()


async def _refusal(
    connection: AsyncConnection, room: DeskRoom, officer: Officer, state: Row[*tuple[Any, ...]] | None
) -> DeskRefused:
    """Why the officer didn't get what they wanted, by how things stand now."""
    if state is None:
        return room.refused(Refusal.GONE)
    if state.agency is not None and not officer.may_see(state.agency):
        return room.refused(Refusal.OUT_OF_SCOPE)
    if state.handler == "officer" and state.officer != officer.id:
        return room.refused(Refusal.TAKEN, nama=state.name or "petugas lain")
    if state.handler == "queued":
        return room.refused(Refusal.NOT_HOLDER)
    return room.refused(Refusal.NOT_WAITING)


def _held_by(officer: Officer) -> Sequence[ColumnElement[bool]]:
    return _c.handler == "officer", _c.officer == officer.id


def _until(room: DeskRoom, wanted: timedelta) -> datetime | None:
    lease = room.desk.lease(wanted)
    return None if lease is None else room.store.clock() + lease
