"""A citizen mends what an officer asked for, and nothing else; once all is mended the filing waits again."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem
from backend.asker import Asker, admit
from backend.border import Correction
from backend.changes import apply_once
from backend.chronology import Fix
from backend.complaints import hides_applicant
from backend.documents import FileRefused
from backend.drafts import count_pages, form_of
from backend.fields import FieldError
from backend.filing_view import view_filing
from backend.filings import lock_filing, move
from backend.form import Form, Pages
from backend.office import office_name
from backend.states import State
from backend.tables import drafts, files, filings
from backend.workspace import StoredFile, Workspace

__all__ = ["Corrections"]


class Corrections:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def correct(self, asker: Asker, number: str, correction: Correction) -> Answer:
        number = await admit(self._workspace, asker, number)
        pages = await self._keep_pages(correction.value) if correction.document else []
        spare = [page.id for page in pages if isinstance(page, StoredFile)]
        replaced: list[UUID] = []

        async def apply(draft: Row[Any]) -> dict[str, Any]:
            filing = await lock_filing(connection, number)
            asked: Fix = self._workspace.seal.open_json(filing.fix)
            if not any(_is_about(flaw, correction) for flaw in asked):
                raise Problem(409, "not-asked", "Petugas tidak meminta perbaikan itu sekarang.", fix=asked)
            form = form_of(self._workspace, draft, (await count_pages(connection, [draft.id]))[draft.id])
            if correction.document:
                replaced.extend(await self._replace_pages(connection, form, draft.id, correction.document, pages))
                spare.clear()
                form = replace(form, pages={**form.pages, correction.document: Pages(len(pages))})
            else:
                form = self._answer(form, correction)
                await self._save(connection, number, draft.id, form)
            left = [flaw for flaw in asked if not _is_about(flaw, correction)]
            left += _now_missing(form, left)
            await self._go_on(connection, number, left)
            return await view_filing(connection, self._workspace, number)

        try:
            async with self._workspace.announcing() as connection:
                draft_id = await connection.scalar(select(filings.c.draft_id).where(filings.c.number == number))
                assert draft_id is not None, "admitted, and filings are never deleted"
                answer = await apply_once(connection, self._workspace.seal, draft_id, correction.message_id, apply)
        finally:
            await self._workspace.discard(spare)
        await self._workspace.discard(replaced)
        return answer

    async def _keep_pages(self, value: JsonValue) -> list[StoredFile | FileRefused]:
        """Opened before anything is locked; what is refused is told inside the change, so that it is kept as its answer."""
        kept: list[StoredFile | FileRefused] = []
        for page in value if isinstance(value, list) else [value]:
            try:
                content = base64.b64decode(page if isinstance(page, str) else "", validate=True)
                kept.append(await self._workspace.keep_file(content))
            except FileRefused as refused:
                kept.append(refused)
            except binascii.Error:
                kept.append(FileRefused("Berkasnya tidak terbaca; kirim sebagai base64."))
        return kept

    async def _replace_pages(
        self,
        connection: AsyncConnection,
        form: Form,
        draft_id: UUID,
        key: str,
        received: list[StoredFile | FileRefused],
    ) -> list[UUID]:
        """Gives the files that were there before."""
        document = form.document(key)
        most = document.maximum_pages if document else 0
        if not 1 <= len(received) <= most:
            raise Problem(422, "invalid-document", f"Kirim 1 sampai {most} halaman.", field=key)
        pages = [page for page in received if isinstance(page, StoredFile)]
        for refused in received:
            if isinstance(refused, FileRefused):
                raise Problem(422, "invalid-document", str(refused), field=key)
        old = delete(files).where(files.c.draft_id == draft_id, files.c.document == key).returning(files.c.id)
        unused = list(await connection.scalars(old))
        now = self._workspace.clock()
        rows = [
            {"draft_id": draft_id, "document": key, "page": number, "at": now, **page.columns(), "doubt": None}
            for number, page in enumerate(pages, start=1)
        ]
        await connection.execute(insert(files), rows)
        return unused

    def _answer(self, form: Form, correction: Correction) -> Form:
        field = form.field(correction.field or "")
        try:
            if field is None:
                raise FieldError("Layanan ini sudah tidak menanyakan isian itu.")
            return replace(form, content=form.answer(field, correction.value, self._workspace.today()))
        except FieldError as error:
            raise Problem(422, "invalid-answer", str(error), field=correction.field) from None

    async def _save(self, connection: AsyncConnection, number: str, draft_id: UUID, form: Form) -> None:
        workspace, answers = self._workspace, form.content.answers
        nik = answers.get("nik")
        await connection.execute(
            update(drafts).where(drafts.c.id == draft_id).values(content=workspace.seal_content(form.content))
        )
        await connection.execute(
            update(filings)
            .where(filings.c.number == number)
            .values(
                nik_index=workspace.seal.index(str(nik)) if nik is not None else None,
                hides_applicant=hides_applicant(form.service, answers),
                office=office_name(form.service, answers, workspace.catalogue, workspace.regions),
            )
        )

    async def _go_on(self, connection: AsyncConnection, number: str, left: Fix) -> None:
        if left:
            sealed = self._workspace.seal.seal_json(left)
            await connection.execute(update(filings).where(filings.c.number == number).values(fix=sealed))
        else:
            await move(connection, self._workspace, number, State.MENUNGGU, note="Perbaikan sudah dikirim.")


def _is_about(flaw: dict[str, str], correction: Correction) -> bool:
    if correction.document:
        return flaw.get("document") == correction.document
    return flaw.get("field") == correction.field


def _now_missing(form: Form, left: Fix) -> list[dict[str, str]]:
    """Another kecamatan empties its desa, another choice asks for more, which then has to be answered too."""
    known = {flaw.get("field") or flaw.get("document") for flaw in left}
    return [
        {"field" if form.field(item) else "document": item, "reason": "menyesuaikan jawaban yang baru diperbaiki"}
        for item in form.missing()
        if item not in known
    ]
