"""Filings: shown, moved on by officers, cancelled by citizens, and the document that comes of them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem, answer_json
from backend.asker import Asker, Role, admit
from backend.border import Transition
from backend.catalogue import Mode
from backend.changes import applied
from backend.chronology import Fix, record
from backend.documents import FileRefused
from backend.filing_number import parse_filing_number
from backend.filing_view import filing_rows, view_filing, view_filings
from backend.representation import service_asked
from backend.states import CANCELLABLE, State, steps_from
from backend.tables import drafts, files, filings, verifications
from backend.verification import issue_code
from backend.workspace import StoredFile, Workspace
from identity import SealBroken

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

    async def list_newest(self, wanted: Filter, role: Role) -> Answer:
        """An officer who looks for a contact's filings doesn't find the complaints that hide who made them."""
        query = filing_rows().order_by(filings.c.submitted_at.desc(), filings.c.number.desc()).limit(_PAGE + 1)
        for column in (filings.c.contact, filings.c.state, filings.c.service, filings.c.office):
            value = getattr(wanted, column.name)
            if value is not None:
                query = query.where(column == value)
        for_office = role is Role.OFFICER
        if for_office and wanted.contact is not None:
            query = query.where(filings.c.hides_applicant.is_(False))
        if wanted.after is not None:
            query = query.where(tuple_(filings.c.submitted_at, filings.c.number) < _read_cursor(wanted.after))
        async with self._workspace.engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            views = await view_filings(connection, self._workspace, rows[:_PAGE], for_office=for_office)
        return answer_json({"filings": views, "next": _cursor(rows[_PAGE - 1]) if len(rows) > _PAGE else None})

    async def get(self, asker: Asker, number: str, message_id: str | None = None) -> Answer:
        """Of the message it is told whether it was taken before."""
        number = await admit(self._workspace, asker, number)
        for_office = asker.role is Role.OFFICER
        async with self._workspace.engine.connect() as connection:
            view = await view_filing(connection, self._workspace, number, for_office=for_office)
            if message_id is not None:
                draft_id = await connection.scalar(select(filings.c.draft_id).where(filings.c.number == number))
                assert draft_id is not None, "admitted, and filings are never deleted"
                view["applied"] = await applied(connection, draft_id, message_id)
            return answer_json(view)

    async def move_on(self, asker: Asker, number: str, step: Transition) -> Answer:
        number = await admit(self._workspace, asker, number)
        async with self._workspace.announcing() as connection:
            row = await lock_filing(connection, number)
            service = self._workspace.service(row.service)
            mode = service.mode if service is not None else None
            if step.to not in steps_from(State(row.state), mode):
                raise Problem(409, "not-allowed", f"Dari {row.state} tidak bisa ke {step.to}.", state=row.state)
            _refuse_unexplained(step, mode)
            content = await connection.scalar(select(drafts.c.content).where(drafts.c.id == row.draft_id))
            on_behalf_of = self._workspace.open_content(content).on_behalf_of if content is not None else None
            self._refuse_unknown_items(row, step, on_behalf_of)
            fix = [flaw.model_dump(exclude_none=True) for flaw in step.fix]
            await move(
                connection, self._workspace, number, step.to, note=step.note or None, fix=fix, officer=step.officer
            )
            return answer_json(await view_filing(connection, self._workspace, number, for_office=True))

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
        """Of an approved filing; another one replaces it, the same once more changes nothing.

        After SELESAI the citizen is told of it.
        """
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
        draft_id = select(filings.c.draft_id).where(filings.c.number == number).scalar_subquery()
        async with self._workspace.announcing() as connection:
            # Draft, then filing: in the order that changes lock them in. The file's row needs its draft's.
            await connection.execute(select(drafts.c.id).where(drafts.c.id == draft_id).with_for_update())
            row = await lock_filing(connection, number)
            if row.state not in (State.DISETUJUI, State.SELESAI):
                raise Problem(409, "not-allowed", f"Permohonan masih {row.state}; setujui dulu.", state=row.state)
            if row.contact is None:
                raise Problem(409, "erased", "Data permohonan ini sudah dihapus; hasilnya tidak bisa diganti.")
            if await self._is_there(connection, row, stored):
                return answer_json(await view_filing(connection, self._workspace, number, for_office=True)), []
            old = delete(files).where(files.c.draft_id == row.draft_id, files.c.document.is_(None))
            replaced = list(await connection.scalars(old.returning(files.c.id)))
            now = self._workspace.clock()
            await connection.execute(insert(files).values(draft_id=row.draft_id, page=1, at=now, **stored.columns()))
            await issue_code(connection, number, self._workspace.today())
            spare.clear()
            if row.state == State.SELESAI:
                note = "Dokumen hasil sudah tersedia."
                await record(connection, self._workspace.seal, number, State.SELESAI, now, note=note)
            answer = answer_json(await view_filing(connection, self._workspace, number, for_office=True))
        return answer, replaced

    async def _is_there(self, connection: AsyncConnection, filing: Row[Any], stored: StoredFile) -> bool:
        """Whether the filing's result is that very document."""
        same = select(files.c.id).where(
            files.c.draft_id == filing.draft_id,
            files.c.document.is_(None),
            files.c.content_type == stored.content_type,
            files.c.size == stored.size,
            # A result from before there were codes gets one by being sent once more.
            exists().where(verifications.c.number == filing.number),
        )
        kept = await connection.scalar(same)
        if kept is None:
            return False
        read = self._workspace.store.read
        try:
            return await asyncio.to_thread(read, kept) == await asyncio.to_thread(read, stored.id)
        except (FileNotFoundError, SealBroken):
            # What was kept is lost, which may be why it is sent again.
            return False

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

    def _refuse_unknown_items(self, row: Row[Any], step: Transition, on_behalf_of: str | None) -> None:
        service = self._workspace.service(row.service)
        known: set[tuple[str, str | None]] = set()
        if service is not None:
            asked = service_asked(self._workspace.catalogue, service, on_behalf_of)
            known |= {("field", field.id) for field in asked.fields}
            known |= {("document", document.id) for document in asked.documents}
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


def _refuse_unexplained(step: Transition, mode: Mode | None) -> None:
    if (step.to is State.PERLU_PERBAIKAN) != bool(step.fix):
        detail = "`fix` menyebut apa yang harus diperbaiki: wajib untuk PERLU_PERBAIKAN, dan hanya untuk itu."
        raise Problem(422, "invalid-request", detail, field="fix")
    if step.note:
        return
    if step.to is State.DITOLAK:
        raise Problem(422, "invalid-request", "Tulis alasan penolakan di `note`; warga berhak tahu.", field="note")
    if step.to is State.SELESAI and mode in (Mode.STAFF, Mode.COMPLAINT):
        raise Problem(422, "invalid-request", "Tulis jawaban untuk warga di `note`.", field="note")


def _cursor(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.submitted_at.isoformat(), row.number]).encode()).decode()


def _read_cursor(text: str) -> tuple[datetime, str]:
    try:
        at, number = json.loads(base64.urlsafe_b64decode(text))
        return datetime.fromisoformat(at), parse_filing_number(number)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise Problem(422, "invalid-request", "`after` bukan `next` dari halaman sebelumnya.", field="after") from None
