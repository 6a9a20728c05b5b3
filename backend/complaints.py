"""Complaints: who made one may stay unknown to the office, and it counts as settled only when the citizen says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem
from backend.asker import Asker, admit
from backend.border import Confirmation
from backend.catalogue import Mode, Service
from backend.changes import apply_once
from backend.chronology import record
from backend.fields import Answers
from backend.filing_view import view_filing
from backend.filings import lock_filing, move
from backend.states import State
from backend.tables import chronology, filings
from backend.workspace import Workspace

__all__ = ["confirm", "confirm_silent", "hides_applicant"]

_PATIENCE = timedelta(days=10)
"""as in SP4N-LAPOR!: silence for so long means that it is settled"""


def hides_applicant(service: Service, answers: Answers) -> bool:
    return service.mode is Mode.COMPLAINT and answers.get("identitas") != "terbuka"


async def confirm(workspace: Workspace, asker: Asker, number: str, confirmation: Confirmation) -> Answer:
    """The citizen says whether a complaint that the office calls finished is settled; if not, it is worked on again."""
    number = await admit(workspace, asker, number)

    async def apply(draft: Row[Any]) -> dict[str, Any]:
        filing = await lock_filing(connection, number)
        service = workspace.service(filing.service)
        if service is None or service.mode is not Mode.COMPLAINT:
            raise Problem(409, "not-a-complaint", "Hanya pengaduan yang ditanyakan sudah beres atau belum.")
        if filing.state != State.SELESAI or filing.confirmed_at is not None:
            detail = "Pengaduan ini tidak sedang menunggu jawaban sudah beres atau belum."
            raise Problem(409, "not-waiting", detail, state=filing.state)
        if confirmation.resolved:
            await _settle(connection, workspace, number, _told("Pelapor menyatakan sudah beres", confirmation.note))
        else:
            note = _told("Pelapor menyatakan belum beres", confirmation.note)
            await move(connection, workspace, number, State.DIPROSES, note=note)
        return await view_filing(connection, workspace, number)

    async with workspace.announcing() as connection:
        draft_id = await connection.scalar(select(filings.c.draft_id).where(filings.c.number == number))
        assert draft_id is not None, "admitted, and filings are never deleted"
        return await apply_once(connection, workspace.seal, draft_id, confirmation.message_id, apply)


async def confirm_silent(workspace: Workspace) -> None:
    """Complaints that nobody confirmed in time count as settled."""
    complaints = [form.id for form in workspace.catalogue.forms.values() if form.mode is Mode.COMPLAINT]
    finished_at = select(func.max(chronology.c.at)).where(chronology.c.number == filings.c.number).scalar_subquery()
    silent = (
        select(filings.c.number)
        .where(
            filings.c.service.in_(complaints),
            filings.c.state == State.SELESAI,
            filings.c.confirmed_at.is_(None),
            finished_at <= workspace.clock() - _PATIENCE,
        )
        .with_for_update(skip_locked=True)
    )
    note = f"Dianggap beres karena {_PATIENCE.days} hari tidak ada jawaban dari pelapor."
    async with workspace.engine.begin() as connection:
        for number in list(await connection.scalars(silent)):
            await _settle(connection, workspace, number, note)


async def _settle(connection: AsyncConnection, workspace: Workspace, number: str, note: str) -> None:
    """Nobody has to be told: the citizen has just said it, or has been silent."""
    now = workspace.clock()
    await connection.execute(update(filings).where(filings.c.number == number).values(confirmed_at=now))
    await record(connection, workspace.seal, number, State.SELESAI, now, note=note, announced=False)


def _told(words: str, note: str | None) -> str:
    return f"{words}: {note}" if note else f"{words}."
