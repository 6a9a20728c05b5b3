"""Drafts: opened, shown, deleted. They outlive restarts, days and a change of channel, but not a week without change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem, answer_json
from backend.border import NewDraft
from backend.calendar import LOCAL_TIME
from backend.catalogue import Service
from backend.changes import applied, find_draft
from backend.erasure import empty_drafts
from backend.form import Content, Form, Pages
from backend.image_quality import Doubt
from backend.known_data import find_known
from backend.representation import refuse_representation, service_asked
from backend.states import DraftState
from backend.tables import drafts, files
from backend.workspace import Workspace
from identity import mask_numbers

__all__ = ["DRAFT_LIFE", "Drafts", "count_pages", "form_of", "refuse_unless_open", "usable_service", "view_draft"]

DRAFT_LIFE = timedelta(days=7)
"""without a change"""


class Drafts:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def open(self, new: NewDraft) -> Answer:
        """A new one, or that of the service which the contact has open already, now on this channel.

        One for oneself and one for another person may be open side by side.
        """
        service = self._workspace.service(new.service)
        if service is None:
            raise Problem(404, "not-found", "Layanan itu tidak ada di katalog.")
        if not service.is_filed_here:
            raise Problem(422, "not-filed-here", f"{service.name} tidak diajukan lewat sini.", field="service")
        if new.on_behalf_of is not None:
            refuse_representation(service)
        now = self._workspace.clock()
        new_row = upsert(drafts).values(
            id=uuid4(),
            service=new.service,
            contact=new.contact,
            channel=new.channel,
            state=DraftState.OPEN,
            on_behalf=new.on_behalf_of is not None,
            content=self._workspace.seal_content(Content(on_behalf_of=new.on_behalf_of)),
            expires_at=now + DRAFT_LIFE,
        )
        expired = update(drafts).where(
            drafts.c.contact == new.contact,
            drafts.c.service == new.service,
            drafts.c.state == DraftState.OPEN,
            drafts.c.expires_at <= now,
        )
        open_or_new = new_row.on_conflict_do_update(
            index_elements=["contact", "service", "on_behalf"],
            index_where=text("state = 'open'"),
            set_={"channel": new.channel},
        ).returning(*drafts.c)
        async with self._workspace.engine.begin() as connection:
            await connection.execute(expired.values(state=DraftState.EXPIRED))
            row = (await connection.execute(open_or_new)).one()
            return answer_json(await view_draft(connection, self._workspace, row), 201)

    async def get(self, draft_id: UUID, ask: str | None = None, message_id: str | None = None) -> Answer:
        """`ask` makes `next` the question of that field or document, answered already or not; of the message it is told
        whether it was taken before.
        """
        async with self._workspace.engine.connect() as connection:
            row = await find_draft(connection, draft_id)
            if row.state != DraftState.SUBMITTED:
                refuse_unless_open(self._workspace, row)
            view = await view_draft(connection, self._workspace, row, ask)
            if message_id is not None:
                # After the view, so that what the view has of it already is never told as not taken.
                view["applied"] = await applied(connection, draft_id, message_id)
            return answer_json(view)

    async def list_open(self, contact: str, *, masked: bool = False) -> Answer:
        """Last changed first. `masked`: numbers of persons are shown as officers see them."""
        query = (
            select(drafts)
            .where(
                drafts.c.contact == contact,
                drafts.c.state == DraftState.OPEN,
                drafts.c.expires_at > self._workspace.clock(),
                drafts.c.service.in_([*self._workspace.catalogue.services, *self._workspace.catalogue.forms]),
            )
            .order_by(drafts.c.expires_at.desc())
        )
        async with self._workspace.engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            views = [await view_draft(connection, self._workspace, row) for row in rows]
        if masked:
            for view in views:
                view["answers"] = {key: mask_numbers(str(value)) for key, value in view["answers"].items()}
        return answer_json({"drafts": views})

    async def delete(self, draft_id: UUID) -> None:
        """Empties the draft; a trace without content remains, so that deleting again succeeds."""
        async with self._workspace.engine.begin() as connection:
            row = await find_draft(connection, draft_id, lock=True)
            if row.state == DraftState.SUBMITTED:
                raise Problem(409, "submitted", "Permohonan ini sudah dikirim; batalkan permohonannya, bukan drafnya.")
            unused = await empty_drafts(connection, [draft_id], DraftState.DELETED)
        await self._workspace.discard(unused)


def refuse_unless_open(workspace: Workspace, row: Row[Any]) -> None:
    match row.state:
        case DraftState.SUBMITTED:
            raise Problem(409, "submitted", "Permohonan ini sudah dikirim, jadi tidak bisa diubah lagi.")
        case DraftState.DELETED:
            raise Problem(410, "deleted", "Draf ini sudah dihapus; mulai lagi dari awal.")
    if row.state == DraftState.EXPIRED or row.expires_at <= workspace.clock():
        raise Problem(410, "expired", "Draf ini kedaluwarsa karena tujuh hari tidak dilanjutkan; mulai lagi dari awal.")


def usable_service(workspace: Workspace, identifier: str) -> Service:
    service = workspace.service(identifier)
    if service is None:
        raise Problem(410, "service-withdrawn", "Layanan ini sudah tidak dibuka; tanyakan layanan penggantinya.")
    return service


def form_of(workspace: Workspace, row: Row[Any], pages: Mapping[str, Pages]) -> Form:
    content = workspace.open_content(row.content)
    service = service_asked(workspace.catalogue, usable_service(workspace, row.service), content.on_behalf_of)
    return Form(service, content, pages, workspace.regions)


async def view_draft(
    connection: AsyncConnection, workspace: Workspace, row: Row[Any], ask: str | None = None
) -> dict[str, Any]:
    """As it is now in this transaction."""
    form = form_of(workspace, row, (await count_pages(connection, [row.id]))[row.id])
    known = await find_known(connection, workspace, row, form) if row.state == DraftState.OPEN else None
    return {
        "id": str(row.id),
        "service": row.service,
        "state": row.state,
        "on_behalf_of": form.content.on_behalf_of,
        "answers": form.content.answers,
        "skipped": form.content.skipped,
        "documents": {key: _view_pages(pages) for key, pages in form.pages.items()},
        "items": form.show_items(),
        "known": known and known.show(),
        "next": form.next(ask),
        "missing": form.missing(),
        "expires_at": row.expires_at.astimezone(LOCAL_TIME).isoformat(),
    }


def _view_pages(pages: Pages) -> dict[str, Any]:
    if pages.doubt is None:
        return {"pages": pages.count, "status": "accepted"}
    return {"pages": pages.count, "status": "doubtful", "hint": pages.doubt.hint}


async def count_pages(connection: AsyncConnection, draft_ids: Sequence[UUID]) -> dict[UUID, dict[str, Pages]]:
    """draft → document → pages, in the order of arrival; an empty mapping for a draft without files."""
    query = (
        select(files.c.draft_id, files.c.document, func.count(), func.min(files.c.doubt))
        .where(files.c.draft_id.in_(draft_ids), files.c.document.is_not(None))
        .group_by(files.c.draft_id, files.c.document)
        .order_by(func.min(files.c.at))
    )
    counted: dict[UUID, dict[str, Pages]] = defaultdict(dict)
    for draft_id, document, count, doubt in await connection.execute(query):
        counted[draft_id][document] = Pages(count, Doubt(doubt) if doubt is not None else None)
    return counted
