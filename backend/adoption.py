"""A draft goes on in another conversation of the same person; that they are the same is proved before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.exc import IntegrityError

from backend.answer import Answer, Problem
from backend.border import Move
from backend.changes import apply_once
from backend.drafts import refuse_unless_open, view_draft
from backend.states import DraftState
from backend.tables import drafts
from backend.workspace import Workspace

__all__ = ["adopt_draft"]


async def adopt_draft(workspace: Workspace, draft_id: UUID, move: Move) -> Answer:
    """Raises Problem 409 when the contact has a draft of that service open already."""

    async def change(row: Row[Any]) -> dict[str, Any]:
        refuse_unless_open(workspace, row)
        expired = update(drafts).where(
            drafts.c.contact == move.contact,
            drafts.c.service == row.service,
            drafts.c.on_behalf == row.on_behalf,
            drafts.c.state == DraftState.OPEN,
            drafts.c.id != draft_id,
            drafts.c.expires_at <= workspace.clock(),
        )
        await connection.execute(expired.values(state=DraftState.EXPIRED))
        moving = (
            update(drafts)
            .where(drafts.c.id == draft_id)
            .values(contact=move.contact, channel=move.channel)
            .returning(*drafts.c)
        )
        return await view_draft(connection, workspace, (await connection.execute(moving)).one())

    try:
        async with workspace.engine.begin() as connection:
            return await apply_once(connection, workspace.seal, draft_id, move.message_id, change)
    except IntegrityError:
        # Of a contact's drafts of a service one is open.
        detail = "Di percakapan itu sudah ada draf layanan yang sama; lanjutkan atau hapus dulu."
        raise Problem(409, "own-draft", detail) from None
