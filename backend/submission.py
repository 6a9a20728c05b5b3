"""A draft becomes a filing, once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem, answer_json
from backend.calendar import LOCAL_TIME, add_working_days
from backend.changes import find_draft
from backend.chronology import record
from backend.complaints import hides_applicant
from backend.drafts import count_pages, form_of, refuse_unless_open
from backend.filing_number import draw_filing_number
from backend.filing_view import view_filing
from backend.form import Form
from backend.office import office_name
from backend.states import OPEN, DraftState, State
from backend.tables import drafts, filings
from backend.workspace import Workspace

__all__ = ["submit"]


async def submit(workspace: Workspace, draft_id: UUID, *, refuse_duplicate: bool) -> Answer:
    """201 and the filing; 200 and the same filing when it was submitted before.

    `refuse_duplicate`: no second filing of the same service for the same NIK while the first is open.
    """
    async with workspace.announcing() as connection:
        row = await find_draft(connection, draft_id, lock=True)
        if row.state == DraftState.SUBMITTED:
            number = await connection.scalar(select(filings.c.number).where(filings.c.draft_id == draft_id))
            return answer_json(await view_filing(connection, workspace, str(number)))
        refuse_unless_open(workspace, row)
        form = form_of(workspace, row, (await count_pages(connection, [draft_id]))[draft_id])
        if missing := form.missing():
            raise Problem(409, "incomplete", "Permohonan ini belum lengkap.", missing=missing)
        nik = form.content.answers.get("nik")
        nik_indexes = workspace.seal.indexes(str(nik)) if nik is not None else ()
        if refuse_duplicate:
            await _refuse_duplicate(connection, row.contact, row.service, nik_indexes)
        number = await _insert(connection, workspace, form, draft_id, row.contact, next(iter(nik_indexes), None))
        await connection.execute(update(drafts).where(drafts.c.id == draft_id).values(state=DraftState.SUBMITTED))
        await record(connection, workspace.seal, number, State.MENUNGGU, workspace.clock())
        return answer_json(await view_filing(connection, workspace, number), 201)


async def _refuse_duplicate(
    connection: AsyncConnection, contact: str, service: str, nik_indexes: Sequence[str]
) -> None:
    """Only among the contact's own filings, so that nobody learns of another's."""
    number = await connection.scalar(
        select(filings.c.number).where(
            filings.c.contact == contact,
            filings.c.service == service,
            filings.c.nik_index.in_(nik_indexes),
            filings.c.state.in_(OPEN),
        )
    )
    if number is not None:
        detail = f"Permohonan yang sama atas NIK ini masih diproses dengan nomor {number}."
        raise Problem(409, "duplicate", detail, number=number)


async def _insert(
    connection: AsyncConnection, workspace: Workspace, form: Form, draft_id: UUID, contact: str, nik_index: str | None
) -> str:
    today = workspace.today()
    days = form.service.time_limit.working_days
    values = {
        "draft_id": draft_id,
        "service": form.service.id,
        "contact": contact,
        "nik_index": nik_index,
        "state": State.MENUNGGU,
        "office": office_name(form.service, form.content.answers, workspace.catalogue, workspace.regions),
        "fix": workspace.seal.seal_json([]),
        "submitted_at": workspace.clock().astimezone(LOCAL_TIME),
        "due_on": None if days is None else add_working_days(today, days),
        "hides_applicant": hides_applicant(form.service, form.content.answers),
    }
    number = None
    while number is None:
        # A month has 30 million numbers; one that is taken is drawn again.
        row = upsert(filings).values(number=draw_filing_number(today), **values)
        number = await connection.scalar(
            row.on_conflict_do_nothing(index_elements=["number"]).returning(filings.c.number)
        )
    return str(number)
