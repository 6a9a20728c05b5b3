"""What a citizen is told of the queue: their place, and honestly when somebody will answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.hours import LOCAL_TIME
from bot.desk.port import Staff
from bot.desk.room import DeskRoom
from bot.desk.waiting import place, usual_wait
from bot.reply import BACK, Choice, Reply
from bot.tables import handoffs

__all__ = ["on_queueing", "on_transfer", "on_waiting", "says_all"]

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)
_LONG = timedelta(minutes=90)


_OPENINGS = {"diminta": "meja_diminta", "buntu": "meja_buntu", "marah": "meja_marah"}
"""of the reasons of which the desk's words say all there is to say"""


def says_all(reason: str) -> bool:
    """Whether the words on queueing stand in for those of the turn that led to it."""
    return reason in _OPENINGS


async def on_queueing(connection: AsyncConnection, room: DeskRoom, handoff: int, reason: str) -> Reply:
    return await _reply(connection, room, handoff, room.texts(_OPENINGS[reason]) if says_all(reason) else "")


async def on_transfer(connection: AsyncConnection, room: DeskRoom, handoff: int) -> Reply:
    return await _reply(connection, room, handoff, room.texts("meja_dialihkan"))


async def on_waiting(connection: AsyncConnection, room: DeskRoom, handoff: int) -> Reply:
    return await _reply(connection, room, handoff, room.texts("meja_masih_menunggu"))


async def _reply(connection: AsyncConnection, room: DeskRoom, handoff: int, opening: str) -> Reply:
    now = room.store.clock()
    row = (
        await connection.execute(
            update(handoffs)
            .where(handoffs.c.id == handoff)
            .values(told_at=now)
            .returning(handoffs.c.agency, handoffs.c.priority)
        )
    ).one()
    state = await _state(connection, room, handoff, row, now)
    text = "\n\n".join([f"{opening} {state}".strip(), room.texts("meja_selama_menunggu")])
    return Reply(text, (Choice(BACK, room.texts("meja_tombol_kembali")),), for_waiting=True)


async def _state(
    connection: AsyncConnection, room: DeskRoom, handoff: int, row: Row[*tuple[Any, ...]], now: datetime
) -> str:
    agency = room.agencies[row.agency]
    staff = await room.desk.staff(connection, room, agency.id)
    is_open = agency.hours.is_open(now)
    if staff is Staff.PRESENT or (staff is Staff.UNKNOWN and is_open):
        position = await place(connection, handoff)
        wait = await usual_wait(connection, now, agency)
        told = room.texts("meja_urutan", kantor=agency.name, urutan=position)
        return f"{told} {_wait(room, wait)}"
    if is_open:
        return room.texts("meja_belum_ada_petugas", kantor=agency.name)
    opening = agency.hours.next_opening(now)
    if opening is None:
        return room.texts("meja_belum_ada_petugas", kantor=agency.name)
    return room.texts("meja_di_luar_jam", kantor=agency.name, kapan=_when(room, opening, now))


def _wait(room: DeskRoom, wait: timedelta | None) -> str:
    if wait is None:
        return room.texts("meja_lama_tidak_tahu")
    if wait <= timedelta(minutes=1):
        return room.texts("meja_lama_sebentar")
    if wait <= _LONG:
        return room.texts("meja_lama_menit", menit=round(wait.total_seconds() / 60))
    return room.texts("meja_lama_jam", jam=round(wait.total_seconds() / 3600))


def _when(room: DeskRoom, opening: datetime, now: datetime) -> str:
    local, today = opening.astimezone(LOCAL_TIME), now.astimezone(LOCAL_TIME).date()
    clock = f"{local:%H.%M}"
    if local.date() == today:
        return room.texts("meja_hari_ini", jam=clock)
    if local.date() == today + timedelta(days=1):
        return room.texts("meja_besok", hari=_DAYS[local.weekday()], jam=clock)
    date = f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
    return room.texts("meja_nanti", hari=_DAYS[local.weekday()], tanggal=date, jam=clock)
