"""A filing as the officer who works on it needs it: every answer and every page of its documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from backend.answer import Answer, Problem, answer_json
from backend.asker import Asker, admit
from backend.calendar import LOCAL_TIME
from backend.catalogue import FieldDefinition
from backend.filing_view import HIDDEN, filing_rows
from backend.form import Content
from backend.representation import service_asked
from backend.tables import files, filings
from backend.workspace import Workspace
from identity import mask_numbers

__all__ = ["find_page", "show_dossier"]

_IDENTIFYING = ("nama", "hp", "nik", "nomor_kk", "alamat")
"""what says who made a complaint"""


async def show_dossier(workspace: Workspace, asker: Asker, number: str, reveal: str | None) -> Answer:
    """Numbers of persons are masked but the one field `reveal`; who may unmask, and the record of it, is the caller's."""
    number = await admit(workspace, asker, number)
    async with workspace.engine.connect() as connection:
        row = (await connection.execute(filing_rows().where(filings.c.number == number))).one()
        pages = (
            await connection.execute(
                select(files)
                .where(files.c.draft_id == row.draft_id, files.c.document.is_not(None))
                .order_by(files.c.document, files.c.page)
            )
        ).all()
    service = workspace.service(row.service)
    content = workspace.open_content(row.content) if row.content is not None else Content()
    service = service and service_asked(workspace.catalogue, service, content.on_behalf_of)
    answers = content.answers
    fields = {field.id: field for field in service.fields} if service else {}
    documents = {document.id: document.name for document in service.documents} if service else {}
    shown: dict[str, dict[str, Any]] = {}
    for page in pages:
        document = shown.setdefault(
            page.document, {"document": page.document, "name": documents.get(page.document, page.document), "pages": []}
        )
        document["pages"].append(
            {
                "page": page.page,
                "content_type": page.content_type,
                "size": page.size,
                "at": page.at.astimezone(LOCAL_TIME).isoformat(),
            }
        )
    return answer_json(
        {
            "number": number,
            "contact": None if row.hides_applicant else row.contact,
            "answers": [
                _hidden(key, fields.get(key))
                if row.hides_applicant and key in _IDENTIFYING
                else _shown(key, value, fields.get(key), key == reveal)
                for key, value in answers.items()
            ],
            "documents": list(shown.values()),
        }
    )


async def find_page(workspace: Workspace, asker: Asker, number: str, document: str, page: str) -> tuple[UUID, str]:
    """File and content type. Raises Problem."""
    number = await admit(workspace, asker, number)
    query = (
        select(files.c.id, files.c.content_type)
        .join(filings, filings.c.draft_id == files.c.draft_id)
        .where(
            filings.c.number == number,
            files.c.document == document,
            files.c.page == (int(page) if page.isascii() and page.isdigit() and len(page) < 4 else 0),
        )
    )
    async with workspace.engine.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Problem(404, "not-found", "Halaman dokumen itu tidak ada.")
    return row.id, row.content_type


def _hidden(key: str, field: FieldDefinition | None) -> dict[str, Any]:
    return {"field": key, "name": field.name if field else key, "value": HIDDEN["name"], "masked": False}


def _shown(key: str, value: object, field: FieldDefinition | None, reveal: bool) -> dict[str, Any]:
    """Texts may hold a NIK too ("nama dan NIK ayah"), so whatever looks like one is masked in them."""
    choice = next((choice.title for choice in field.choices if choice.id == value), None) if field else None
    text = choice or str(value)
    masked = mask_numbers(text)
    return {
        "field": key,
        "name": field.name if field else key,
        "value": text if reveal else masked,
        "masked": not reveal and masked != text,
    }
