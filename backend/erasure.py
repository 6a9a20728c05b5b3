"""What a person told is taken out of drafts and filings; what remains names nobody."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.states import DraftState
from backend.tables import changes, chronology, drafts, files, filings, proofs, surveys
from backend.workspace import Workspace

__all__ = ["empty_drafts", "erase_filings"]


async def empty_drafts(connection: AsyncConnection, draft_ids: Collection[UUID], state: DraftState) -> list[UUID]:
    """Leaves a trace without content. Gives the files that may be discarded once this is committed."""
    unused = await _empty(connection, draft_ids)
    await connection.execute(update(drafts).where(drafts.c.id.in_(draft_ids)).values(state=state))
    return unused


async def erase_filings(connection: AsyncConnection, workspace: Workspace, draft_ids: Collection[UUID]) -> list[UUID]:
    """Leaves number, service, states and their days, of filings whose rows are locked. Gives the files as above."""
    unused = await _empty(connection, draft_ids)
    erasing = (
        update(filings)
        .where(filings.c.draft_id.in_(draft_ids))
        .values(contact=None, nik_index=None, fix=workspace.seal.seal_json([]))
        .returning(filings.c.number)
    )
    numbers = list(await connection.scalars(erasing))
    nothing = workspace.seal.seal_json({"note": None, "fix": []})
    await connection.execute(update(chronology).where(chronology.c.number.in_(numbers)).values(words=nothing))
    await connection.execute(delete(proofs).where(proofs.c.number.in_(numbers)))
    await connection.execute(
        update(surveys)
        .where(surveys.c.filing_index.in_([index for number in numbers for index in workspace.seal.indexes(number)]))
        .values(filing_index=None, changeable_until=None)
    )
    return unused


async def _empty(connection: AsyncConnection, draft_ids: Collection[UUID]) -> list[UUID]:
    await connection.execute(delete(changes).where(changes.c.draft_id.in_(draft_ids)))
    dropping = delete(files).where(files.c.draft_id.in_(draft_ids)).returning(files.c.id)
    unused = list(await connection.scalars(dropping))
    await connection.execute(update(drafts).where(drafts.c.id.in_(draft_ids)).values(content=None, contact=None))
    return unused
