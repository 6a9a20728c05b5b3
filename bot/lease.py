"""Who holds a lease: a process, named so that the next one on this machine can tell whether it still lives."""

from __future__ import annotations

import itertools
import os
import socket
import uuid
from datetime import datetime, timedelta

import psutil
from sqlalchemy import ColumnElement, and_, literal_column, or_, select, update

from bot.store import Store
from bot.tables import conversations

__all__ = ["free_leases_of_the_dead", "is_as_seen", "is_over", "new_owner", "seen"]

_SKEW = timedelta(minutes=1)
"""by which the clocks of two machines may differ"""
_numbers = itertools.count()


# A statement that locks a conversation gets its newest row, but sees everything else as of its own beginning: messages that
# somebody has dealt with in between as well. So whoever claims and reads in one leaves alone what has changed since.
seen = conversations.alias("seen")
is_as_seen: ColumnElement[bool] = and_(
    seen.c.id == conversations.c.id, literal_column("conversations.xmin") == literal_column("seen.xmin")
)


def _machine() -> str:
    """Process ids mean something only within one namespace: two containers may bear the same name."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{namespace}"


_MACHINE = _machine()
_PROCESS = f"{_MACHINE}|{os.getpid()}|{uuid.uuid4().hex[:8]}"


def new_owner() -> str:
    """A name for one claim: `MACHINE|PID|PROCESS|NUMBER`.

    Two claims of one process must not be taken for each other: after a pause the first may find that it has run out and was
    made anew.
    """
    return f"{_PROCESS}|{next(_numbers)}"


def is_over(until: ColumnElement[datetime], now: ColumnElement[datetime], longest: timedelta) -> ColumnElement[bool]:
    """Whether a time has come that is never set further off than `longest`: one that is was set before the clock went back."""
    return or_(until.is_(None), until <= now, until > now + (longest + _SKEW))


async def free_leases_of_the_dead(store: Store) -> None:
    """Without this, what a killed process was just doing would wait until its lease runs out."""
    table = conversations.c
    mine = f"{_MACHINE}|"
    async with store.engine.begin() as connection:
        held = await connection.execute(
            select(table.leased_by, table.send_leased_by)
            .where(
                or_(
                    table.leased_by.startswith(mine, autoescape=True),
                    table.send_leased_by.startswith(mine, autoescape=True),
                )
            )
            .distinct()
        )
        dead = {owner for pair in held for owner in pair if owner and owner.startswith(mine) and _is_dead(owner)}
        if dead:
            await connection.execute(
                update(conversations).where(table.leased_by.in_(dead)).values(leased_by=None, lease_until=None)
            )
            await connection.execute(
                update(conversations)
                .where(table.send_leased_by.in_(dead))
                .values(send_leased_by=None, send_lease_until=None)
            )


def _is_dead(owner: str) -> bool:
    if owner.startswith(f"{_PROCESS}|"):
        return False
    pid = int(owner.split("|")[1])
    return pid == os.getpid() or not psutil.pid_exists(pid)
