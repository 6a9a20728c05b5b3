"""Filling a draft in: one answer or one page at a time, each message once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem
from backend.border import FieldChange
from backend.catalogue import Document
from backend.changes import apply_once, find_draft, kept_answer
from backend.documents import FileRefused
from backend.drafts import DRAFT_LIFE, count_pages, form_of, refuse_unless_open, view_draft
from backend.fields import FieldError
from backend.form import Content, Form, Pages
from backend.known_data import QUESTION, find_known
from backend.tables import drafts, files
from backend.workspace import StoredFile, Workspace

__all__ = ["Filling"]

_AS_IT_IS = "pakai"
"""the citizen insists on a document that may be hard to read"""


class Filling:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def answer(self, draft_id: UUID, change: FieldChange) -> Answer:
        unused: list[UUID] = []

        async def apply(row: Row[Any]) -> dict[str, Any]:
            form = await self._open_form(connection, row)
            if document := form.document(change.field):
                if change.value == _AS_IT_IS:
                    content = await _accept_doubtful(connection, form, draft_id, document)
                else:
                    content = _without_document(form, document, change)
                    unused.extend(await _drop_pages(connection, draft_id, [document.id]))
            elif change.field == QUESTION:
                content = await self._settle_known(connection, row, form, change.value)
            elif field := form.field(change.field):
                try:
                    content = form.answer(field, change.value, self._workspace.today())
                except FieldError as error:
                    raise Problem(422, "invalid-answer", str(error), field=change.field) from None
                needless = replace(form, content=content).needless_documents()
                unused.extend(await _drop_pages(connection, draft_id, needless))
            else:
                raise Problem(422, "invalid-answer", "Layanan ini tidak menanyakan isian itu.", field=change.field)
            return await self._save(connection, row, content)

        async with self._workspace.engine.begin() as connection:
            answer = await apply_once(connection, self._workspace.seal, draft_id, change.message_id, apply)
        await self._workspace.discard(unused)
        return answer

    async def answered_before(self, draft_id: UUID, message_id: str) -> Answer | None:
        """To ask before a file is received: what this message was answered. Raises Problem when the draft isn't open."""
        async with self._workspace.engine.connect() as connection:
            known = await kept_answer(connection, self._workspace.seal, draft_id, message_id)
            if known is None:
                refuse_unless_open(self._workspace, await find_draft(connection, draft_id))
            return known

    async def add_page(self, draft_id: UUID, key: str, message_id: str, content: bytes) -> Answer:
        try:
            received: StoredFile | FileRefused = await self._workspace.keep_file(content)
        except FileRefused as refused:
            received = refused
        spare = [received.id] if isinstance(received, StoredFile) else []
        replaced: list[UUID] = []

        async def apply(row: Row[Any]) -> dict[str, Any]:
            form = await self._open_form(connection, row)
            document = form.document(key)
            if document is None:
                raise Problem(422, "invalid-document", "Layanan ini tidak meminta dokumen itu.", field=key)
            if isinstance(received, FileRefused):
                raise Problem(422, "invalid-document", str(received), field=key)
            if not form.asks(document):
                unneeded = f"{document.name} tidak diperlukan untuk jawaban Anda yang sekarang."
                raise Problem(422, "invalid-document", unneeded, field=key)
            there = form.pages.get(key, Pages(0))
            if there.doubt is not None:
                replaced.extend(await _drop_doubtful(connection, draft_id, key))
            page = there.count - len(replaced) + 1
            if page > document.maximum_pages:
                full = f"{document.name} sudah {document.maximum_pages} halaman, tidak bisa ditambah lagi."
                raise Problem(422, "invalid-document", full, field=key)
            await connection.execute(
                insert(files).values(
                    draft_id=draft_id, document=key, page=page, at=self._workspace.clock(), **received.columns()
                )
            )
            spare.clear()
            return await self._save(connection, row, form.content.unskip(key))

        try:
            async with self._workspace.engine.begin() as connection:
                answer = await apply_once(connection, self._workspace.seal, draft_id, message_id, apply)
        finally:
            await self._workspace.discard(spare)
        await self._workspace.discard(replaced)
        return answer

    async def _settle_known(self, connection: AsyncConnection, row: Row[Any], form: Form, value: JsonValue) -> Content:
        if value == "tidak":
            return replace(form.content, known_settled=True)
        known = await find_known(connection, self._workspace, row, form) if value == "ya" else None
        if known is None:
            detail = "Tidak ada data sebelumnya yang bisa dipakai." if value == "ya" else "Jawab ya atau tidak."
            raise Problem(422, "invalid-answer", detail, field=QUESTION)
        return known.take()

    async def _open_form(self, connection: AsyncConnection, row: Row[Any]) -> Form:
        refuse_unless_open(self._workspace, row)
        return form_of(self._workspace, row, (await count_pages(connection, [row.id]))[row.id])

    async def _save(self, connection: AsyncConnection, row: Row[Any], content: Content) -> dict[str, Any]:
        saving = (
            update(drafts)
            .where(drafts.c.id == row.id)
            .values(content=self._workspace.seal_content(content), expires_at=self._workspace.clock() + DRAFT_LIFE)
            .returning(*drafts.c)
        )
        return await view_draft(connection, self._workspace, (await connection.execute(saving)).one())


def _without_document(form: Form, document: Document, change: FieldChange) -> Content:
    """Null for a document skips it if it may be missing, and else lets its pages be sent anew."""
    if change.value is not None:
        raise Problem(422, "invalid-answer", f"Kirim foto atau PDF {document.name}.", field=change.field)
    if document.optional:
        return form.content.skip(document.id)
    if document.id in form.pages:
        return form.content
    raise Problem(422, "invalid-answer", f"{document.name} wajib dikirim, tidak bisa dilewati.", field=change.field)


async def _accept_doubtful(connection: AsyncConnection, form: Form, draft_id: UUID, document: Document) -> Content:
    if document.id not in form.pages:
        raise Problem(422, "invalid-answer", f"Kirim dulu foto atau PDF {document.name}.", field=document.id)
    pages = update(files).where(files.c.draft_id == draft_id, files.c.document == document.id)
    await connection.execute(pages.values(doubt=None))
    return form.content


async def _drop_pages(connection: AsyncConnection, draft_id: UUID, documents: Sequence[str]) -> list[UUID]:
    dropping = delete(files).where(files.c.draft_id == draft_id, files.c.document.in_(documents))
    return list(await connection.scalars(dropping.returning(files.c.id)))


async def _drop_doubtful(connection: AsyncConnection, draft_id: UUID, document: str) -> list[UUID]:
    """The page that was doubtful is the last: while it is, no other is added."""
    dropping = delete(files).where(
        files.c.draft_id == draft_id, files.c.document == document, files.c.doubt.is_not(None)
    )
    return list(await connection.scalars(dropping.returning(files.c.id)))
