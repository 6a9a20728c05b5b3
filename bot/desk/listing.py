"""The lists that officers work from: what waits, for whom, since when."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, case, func, select

from bot.desk.access import in_scope
from bot.desk.agencies import covers
from bot.desk.officer import Officer
from bot.desk.presence import on_duty
from bot.desk.room import DeskRoom
from bot.desk.transcript import said
from bot.desk.waiting import is_waiting, rank
from bot.tables import conversations, handoffs, inbox, presence
from identity import mask_numbers

__all__ = ["AgencyCount", "Item", "View", "counts", "listing"]

View = Literal["mine", "queued", "all"]
_PREVIEW = 120
_c, _h = conversations.c, handoffs.c


@dataclass(frozen=True)
class Item:
    conversation: uuid.UUID
    handoff: int
    channel: str
    state: Literal["queued", "officer"]
    agency: str
    agency_name: str
    service: str | None
    reason: str
    priority: int
    raised: bool
    """waited longer than the standard"""
    position: int | None
    """1 = next of its agency; None when an officer has it"""
    waiting_since: datetime | None
    """first message without an officer's answer; None: all are answered"""
    requested_at: datetime
    holder: str | None
    holder_name: str | None
    lease_until: datetime | None
    last_message_at: datetime | None
    preview: str
    """of the citizen's last message, long numbers masked"""
    unanswered: int
    """messages since `waiting_since`"""


@dataclass(frozen=True)
class AgencyCount:
    agency: str
    agency_name: str
    queued: int
    held: int
    oldest: datetime | None
    """first unanswered message of those that wait"""
    on_duty: int
    """officers who could take one"""


async def listing(
    room: DeskRoom, officer: Officer, *, view: View, agency: str | None = None, most: int = 200
) -> Sequence[Item]:
    """Waiting ones first and in their order, then those that are held; only of the officer's agencies."""
    where: list[ColumnElement[bool]] = [_c.handler != "bot", in_scope(officer)]
    if agency is not None:
        where.append(_h.agency == agency)
    if view == "mine":
        where.append(_c.officer == officer.id)
    elif view == "queued":
        where.append(is_waiting())
    position = func.row_number().over(partition_by=(_h.agency, _c.handler), order_by=list(rank(handoffs)))
    last = (
        select(inbox.c.raw)
        .where(inbox.c.conversation == _c.id)
        .order_by(inbox.c.id.desc())
        .limit(1)
        .correlate(conversations)
        .scalar_subquery()
    )
    unanswered = (
        select(func.count())
        .where(inbox.c.conversation == _c.id, inbox.c.received_at >= _h.waiting_since)
        .correlate(conversations, handoffs)
        .scalar_subquery()
    )
    statement = (
        select(
            *(_c[name] for name in ("channel", "handler", "officer", "officer_lease_until", "last_message_at")),
            _c.id.label("conversation"),
            *(_h[name] for name in ("id", "agency", "service", "reason", "priority")),
            *(_h[name] for name in ("waiting_since", "requested_at", "raised_at")),
            presence.c.name,
            position.label("position"),
            last.label("raw"),
            unanswered.label("unanswered"),
        )
        .join(handoffs, _h.id == _c.handoff)
        .outerjoin(presence, presence.c.officer == _c.officer)
        .where(*where)
        .order_by(case((is_waiting(), 0), else_=1), *rank(handoffs))
        .limit(most)
    )
    async with room.store.single.connect() as connection:
        return [_item(room, row) for row in await connection.execute(statement)]


async def counts(room: DeskRoom, officer: Officer) -> Sequence[AgencyCount]:
    """Of each of the officer's agencies that something waits for, or somebody is on duty for."""
    statement = (
        select(
            _h.agency,
            func.count().filter(is_waiting()).label("queued"),
            func.count().filter(_c.handler == "officer").label("held"),
            func.min(func.coalesce(_h.waiting_since, _h.queued_at)).filter(is_waiting()).label("oldest"),
        )
        .join(conversations, _c.handoff == _h.id)
        .where(_c.handler != "bot", in_scope(officer))
        .group_by(_h.agency)
    )
    async with room.store.single.connect() as connection:
        found = {row.agency: row for row in await connection.execute(statement)}
    ready = [one.agencies for one in await on_duty(room) if one.available]
    staffed = {agency.id for agency in room.agencies.all()} if None in ready else set()
    staffed = staffed.union(*(agencies for agencies in ready if agencies is not None))
    return [
        _counted(room, agency, found.get(agency), ready)
        for agency in sorted(found.keys() | staffed, key=room.agencies.rank)
        if officer.may_see(agency)
    ]


def _counted(
    room: DeskRoom, agency: str, row: Row[*tuple[Any, ...]] | None, ready: Sequence[frozenset[str] | None]
) -> AgencyCount:
    queued, held, oldest = (row.queued, row.held, row.oldest) if row else (0, 0, None)
    on_duty = sum(agencies is None or covers(agencies, agency) for agencies in ready)
    return AgencyCount(agency, room.agencies[agency].name, queued, held, oldest, on_duty)


def _item(room: DeskRoom, row: Row[*tuple[Any, ...]]) -> Item:
    return Item(
        conversation=row.conversation,
        handoff=row.id,
        channel=row.channel,
        state=row.handler,
        agency=row.agency,
        agency_name=room.agencies[row.agency].name,
        service=row.service,
        reason=row.reason,
        priority=row.priority,
        raised=row.raised_at is not None,
        position=row.position if row.handler == "queued" else None,
        waiting_since=row.waiting_since,
        requested_at=row.requested_at,
        holder=row.officer,
        holder_name=row.name or row.officer,
        lease_until=row.officer_lease_until,
        last_message_at=row.last_message_at,
        preview=_preview(room, row),
        unanswered=row.unanswered,
    )


def _preview(room: DeskRoom, row: Row[*tuple[Any, ...]]) -> str:
    try:
        message = said(room, row.channel, row.raw) if row.raw is not None else None
    except Exception:
        return room.texts("meja_tak_terbaca")
    if message is None:
        return ""
    if message.choice is not None:
        text = message.choice.title
    elif message.file is not None:
        text = message.file.caption or message.file.name
    else:
        text = message.text or ""
    return mask_numbers(" ".join(text.split()))[:_PREVIEW]
