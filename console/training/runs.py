"""What is done with models: asked for by an admin or the schedule, one at a time, by one process that holds a lease on it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.elements import ColumnElement

from console.accounts import Account
from console.audit import Act, record_in
from console.tables import accounts, training_runs
from console.training.room import TrainingRoom
from console.workspace import Workspace

__all__ = [
    *("Kind", "Order", "Run", "State"),
    *("ask", "ask_by_schedule", "cancel", "claim", "current", "end", "give_up_the_dead", "keep", "recent"),
]

_LEASE = timedelta(seconds=30)
_KEPT_LINES = 120
_LONGEST_LINE = 400


class Kind(enum.StrEnum):
    TRAIN = "latih"
    """and measured by the gate at once"""
    MEASURE = "ukur"
    PROMOTE = "hidupkan"
    SEND_BACK = "kembali"


class State(enum.StrEnum):
    WAITING = "antre"
    RUNNING = "berjalan"
    DONE = "selesai"
    FAILED = "gagal"
    CANCELLED = "dibatalkan"
    CUT_OFF = "terputus"
    """the process that worked on it has died"""


_ACTS = {
    Kind.TRAIN: Act.TRAINED,
    Kind.MEASURE: Act.MEASURED,
    Kind.PROMOTE: Act.PROMOTED,
    Kind.SEND_BACK: Act.SENT_BACK,
}
_runs = training_runs.c


@dataclass(frozen=True)
class Order:
    kind: Kind
    model: str | None = None
    """file name; where it is sent back, of the one that was live then"""
    reason: str = ""
    override: bool = False


@dataclass(frozen=True)
class Run:
    id: int
    order: Order
    state: State
    who: str | None
    """None: the schedule"""
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    is_cancelled: bool
    """somebody has asked for its end"""
    said: Sequence[str]
    """the last lines of its output"""

    @property
    def may_be_cancelled(self) -> bool:
        """A change of the live model is short, and better done or undone than cut in the middle."""
        return self.state is State.WAITING or self.order.kind in (Kind.TRAIN, Kind.MEASURE)


async def ask(workspace: Workspace, account: Account, order: Order) -> bool:
    """False where another one is under way."""
    row = _row(workspace.training, order) | {"asked_by": account.id}
    async with workspace.engine.begin() as connection:
        asked = await connection.scalar(upsert(training_runs).values(row).on_conflict_do_nothing().returning(_runs.id))
        if asked is None:
            return False
        act = Act.OVERRODE if order.override else _ACTS[order.kind]
        subject = f"model:{order.model}" if order.model else f"training_run:{asked}"
        await record_in(connection, workspace, account.id, act, subject, reason=order.reason or None)
    workspace.training.asked.set()
    return True


async def ask_by_schedule(room: TrainingRoom, slot: str) -> bool:
    """False where it was asked for already, or another one is under way."""
    row = _row(room, Order(Kind.TRAIN)) | {"slot": slot}
    async with room.engine.begin() as connection:
        asked = await connection.scalar(upsert(training_runs).values(row).on_conflict_do_nothing().returning(_runs.id))
    return asked is not None


async def cancel(workspace: Workspace, account: Account) -> bool:
    """Whatever is under way, as soon as its process looks. False where nothing is that may be."""
    now = workspace.clock()
    cancelling = update(training_runs).values(cancelled_by=account.id).returning(_runs.id)
    waiting = cancelling.where(_runs.state == State.WAITING).values(state=State.CANCELLED, ended_at=now)
    running = cancelling.where(_runs.state == State.RUNNING, _runs.kind.in_([Kind.TRAIN, Kind.MEASURE]))
    async with workspace.engine.begin() as connection:
        found = await connection.scalar(waiting) or await connection.scalar(running)
        if found is None:
            return False
        await record_in(connection, workspace, account.id, Act.CANCELLED_RUN, f"training_run:{found}")
    return True


async def claim(room: TrainingRoom, owner: str) -> Run | None:
    """The one that waits, now `owner`'s; of several who ask one gets it."""
    now = room.clock()
    claiming = (
        update(training_runs)
        .where(_runs.state == State.WAITING)
        .values(state=State.RUNNING, owner=owner, started_at=now, lease_until=now + _LEASE)
        .returning(_runs.id)
    )
    async with room.engine.begin() as connection:
        claimed = await connection.scalar(claiming)
    return None if claimed is None else await _one(room, _runs.id == claimed)


async def keep(room: TrainingRoom, owner: str, run: int, said: Sequence[str]) -> bool:
    """Hold it on and tell how it goes. False where it has to end: cancelled, or not `owner`'s any more."""
    keeping = (
        update(training_runs)
        .where(_is_held(owner, run))
        .values(lease_until=room.clock() + _LEASE, said=_sealed(room, said))
        .returning(_runs.cancelled_by)
    )
    async with room.engine.begin() as connection:
        held = (await connection.execute(keeping)).first()
    return held is not None and held.cancelled_by is None


async def end(
    room: TrainingRoom, owner: str, run: int, state: State, said: Sequence[str], model: str | None = None
) -> None:
    ending: dict[str, Any] = {"state": state, "ended_at": room.clock(), "said": _sealed(room, said)}
    if model is not None:
        ending["model"] = model
    async with room.engine.begin() as connection:
        await connection.execute(update(training_runs).where(_is_held(owner, run)).values(ending))


async def give_up_the_dead(room: TrainingRoom) -> None:
    """What nobody holds any more is cut off, so that something else may begin."""
    now = room.clock()
    async with room.engine.begin() as connection:
        await connection.execute(
            update(training_runs)
            .where(_runs.state == State.RUNNING, _runs.lease_until < now)
            .values(state=State.CUT_OFF, ended_at=now)
        )


async def current(room: TrainingRoom) -> Run | None:
    return await _one(room, _runs.ended_at.is_(None))


async def recent(room: TrainingRoom, most: int = 20) -> Sequence[Run]:
    """The newest first."""
    async with room.engine.connect() as connection:
        rows = await connection.execute(_select().order_by(_runs.id.desc()).limit(most))
        return [_run(room, row) for row in rows]


async def _one(room: TrainingRoom, which: ColumnElement[bool]) -> Run | None:
    async with room.engine.connect() as connection:
        row = (await connection.execute(_select().where(which))).first()
    return None if row is None else _run(room, row)


def _select() -> Select[Any]:
    return select(training_runs, accounts.c.name.label("who")).outerjoin(accounts, accounts.c.id == _runs.asked_by)


def _run(room: TrainingRoom, row: Row[Any]) -> Run:
    return Run(
        row.id,
        Order(Kind(row.kind), row.model, row.reason, row.override),
        State(row.state),
        row.who,
        row.asked_at,
        row.started_at,
        row.ended_at,
        row.cancelled_by is not None,
        () if row.said is None else room.seal.open(row.said).decode().splitlines(),
    )


def _row(room: TrainingRoom, order: Order) -> dict[str, Any]:
    return {
        "kind": order.kind,
        "state": State.WAITING,
        "asked_at": room.clock(),
        "model": order.model,
        "reason": order.reason,
        "override": order.override,
    }


def _is_held(owner: str, run: int) -> ColumnElement[bool]:
    return (_runs.id == run) & (_runs.owner == owner) & (_runs.state == State.RUNNING)


def _sealed(room: TrainingRoom, said: Sequence[str]) -> bytes:
    return room.seal.seal("\n".join(line[:_LONGEST_LINE] for line in said[-_KEPT_LINES:]).encode())
