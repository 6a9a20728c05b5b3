"""Filings: shown, moved on by officers, cancelled by citizens, and the document that comes of them."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem, answer_json
from backend.asker import Asker, admit
from backend.border import Transition
from backend.chronology import Fix, record
from backend.documents import FileRefused
from backend.filing_view import filing_rows, view_filing, view_filings
from backend.states import CANCELLABLE, STEPS, State
from backend.tables import files, filings
from backend.workspace import StoredFile, Workspace

__all__ = ["Filings", "Filter", "lock_filing", "move"]

_PAGE = 20


@dataclass(frozen=True)
class Filter:
    contact: str | None
    state: str | None
    service: str | None
    office: str | None
    after: str | None
    """`next` of the page before"""


class Filings:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def list_newest(self, wanted: Filter) -> Answer:
        query = filing_rows().order_by(filings.c.submitted_at.desc(), filings.c.number.desc()).limit(_PAGE + 1)
        for column in (filings.c.contact, filings.c.state, filings.c.service, filings.c.office):
            value = getattr(wanted, column.name)
            if value is not None:
                query = query.where(column == value)
        if wanted.after is not None:
            query = query.where(tuple_(filings.c.submitted_at, filings.c.number) < _read_cursor(wanted.after))
        async with self._workspace.engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            views = await view_filings(connection, self._workspace, rows[:_PAGE])
        return answer_json({"filings": views, "next": _cursor(rows[_PAGE - 1]) if len(rows) > _PAGE else None})

    async def get(self, asker: Asker, number: str) -> Answer:
        number = await admit(self._workspace, asker, number)
        async with self._workspace.engine.connect() as connection:
            return answer_json(await view_filing(connection, self._workspace, number))

    async def move_on(self, asker: Asker, number: str, step: Transition) -> Answer:
        number = await admit(self._workspace, asker, number)
        async with self._workspace.announcing() as connection:
            row = await lock_filing(connection, number)
            if step.to not in STEPS[State(row.state)]:
                raise Problem(409, "not-allowed", f"Dari {row.state} tidak bisa ke {step.to}.", state=row.state)
            self._refuse_unknown_items(row, step)
            fix = [flaw.model_dump(exclude_none=True) for flaw in step.fix]
            await move(
                connection, self._workspace, number, step.to, note=step.note or None, fix=fix, officer=step.officer
            )
            return answer_json(await view_filing(connection, self._workspace, number))

    async def cancel(self, asker: Asker, number: str, reason: str) -> Answer:
        """Cancelling again answers as the first time did."""
        number = await admit(self._workspace, asker, number)
        async with self._workspace.announcing() as connection:
            row = await lock_filing(connection, number)
            if row.state in CANCELLABLE:
                await move(connection, self._workspace, number, State.DIBATALKAN, note=reason or None)
            elif row.state != State.DIBATALKAN:
                raise Problem(409, "too-late", f"Sudah {row.state}, jadi tidak bisa dibatalkan lagi.", state=row.state)
            return answer_json(await view_filing(connection, self._workspace, number))

    async def put_result(self, asker: Asker, number: str, content: bytes) -> Answer:
        """Of an approved filing; again replaces it. After SELESAI the citizen is told of it."""
        number = await admit(self._workspace, asker, number)
        try:
            stored = await self._workspace.keep_file(content)
        except FileRefused as refused:
            raise Problem(422, "invalid-document", str(refused)) from None
        spare = [stored.id]
        try:
            answer, replaced = await self._replace_result(number, stored, spare)
        finally:
            await self._workspace.discard(spare)
        await self._workspace.discard(replaced)
        return answer

    async def _replace_result(self, number: str, stored: StoredFile, spare: list[UUID]) -> tuple[Answer, list[UUID]]:
        """Empties `spare` once the file has its row; gives the files that had that row before."""
        async with self._workspace.announcing() as connection:
            row = await lock_filing(connection, number)
            if row.state not in (State.DISETUJUI, State.SELESAI):
                raise Problem(409, "not-allowed", f"Permohonan masih {row.state}; setujui dulu.", state=row.state)
            old = delete(files).where(files.c.draft_id == row.draft_id, files.c.document.is_(None))
            replaced = list(await connection.scalars(old.returning(files.c.id)))
            now = self._workspace.clock()
            await connection.execute(insert(files).values(draft_id=row.draft_id, page=1, at=now, **stored.columns()))
            spare.clear()
            if row.state == State.SELESAI:
                note = "Dokumen hasil sudah tersedia."
                await record(connection, self._workspace.seal, number, State.SELESAI, now, note=note)
            answer = answer_json(await view_filing(connection, self._workspace, number))
        return answer, replaced

    async def find_result(self, asker: Asker, number: str) -> tuple[UUID, str]:
        """File and content type; to the contact that filed it and to officers only."""
        number = await admit(self._workspace, asker, number, owner_only=True)
        query = select(files.c.id, files.c.content_type).join(filings, filings.c.draft_id == files.c.draft_id)
        async with self._workspace.engine.connect() as connection:
            row = (
                await connection.execute(query.where(filings.c.number == number, files.c.document.is_(None)))
            ).one_or_none()
        if row is None:
            raise Problem(404, "no-result", "Dokumen hasilnya belum ada.")
        return row.id, row.content_type

    def _refuse_unknown_items(self, row: Row[Any], step: Transition) -> None:
        service = self._workspace.service(row.service)
        known = {("field", field.id) for field in service.fields} if service else set()
        known |= {("document", document.id) for document in service.documents} if service else set()
        for flaw in step.fix:
            item = ("field", flaw.field) if flaw.field else ("document", flaw.document)
            if item not in known:
                raise Problem(422, "invalid-request", f"Layanan ini tidak meminta {item[0]} `{item[1]}`.", field="fix")


async def lock_filing(connection: AsyncConnection, number: str) -> Row[Any]:
    return (await connection.execute(select(filings).where(filings.c.number == number).with_for_update())).one()


async def move(
    connection: AsyncConnection,
    workspace: Workspace,
    number: str,
    state: State,
    *,
    note: str | None = None,
    fix: Fix = (),
    officer: str | None = None,
) -> None:
    """A filing whose row is locked enters `state`."""
    await connection.execute(
        update(filings).where(filings.c.number == number).values(state=state, fix=workspace.seal.seal_json(fix))
    )
    await record(connection, workspace.seal, number, state, workspace.clock(), note=note, fix=fix, officer=officer)


def _cursor(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.submitted_at.isoformat(), row.number]).encode()).decode()


def _read_cursor(text: str) -> tuple[datetime, str]:
    try:
        at, number = json.loads(base64.urlsafe_b64decode(text))
        return datetime.fromisoformat(at), str(number)
    except (ValueError, TypeError, binascii.Error):
        raise Problem(422, "invalid-request", "`after` bukan `next` dari halaman sebelumnya.", field="after") from None
