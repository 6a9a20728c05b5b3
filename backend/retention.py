"""What is no longer needed doesn't stay: answers and files of deleted and expired drafts.

Files that no row names, left by a crash, are not searched for: started on the wrong database, that would delete them all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.states import DraftState
from backend.tables import changes, drafts, files
from backend.workspace import Workspace

__all__ = ["empty_drafts", "keep_tidy", "tidy"]

_logger = logging.getLogger(__name__)

_INTERVAL = 3600
"""seconds"""


async def keep_tidy(workspace: Workspace) -> None:
    """Until cancelled."""
    while True:
        try:
            await tidy(workspace)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("tidying is put off: %s", type(error).__name__)
        await asyncio.sleep(_INTERVAL)


async def tidy(workspace: Workspace) -> None:
    expired = (
        select(drafts.c.id)
        .where(
            drafts.c.state.in_((DraftState.OPEN, DraftState.EXPIRED)),
            drafts.c.expires_at <= workspace.clock(),
            drafts.c.content.is_not(None),
        )
        .with_for_update(skip_locked=True)
    )
    async with workspace.engine.begin() as connection:
        draft_ids = list(await connection.scalars(expired))
        unused = await empty_drafts(connection, draft_ids, DraftState.EXPIRED)
    await workspace.discard(unused)


async def empty_drafts(connection: AsyncConnection, draft_ids: Sequence[UUID], state: DraftState) -> list[UUID]:
    """Leaves a trace without content. Gives the files that may be discarded once this is committed."""
    await connection.execute(delete(changes).where(changes.c.draft_id.in_(draft_ids)))
    dropping = delete(files).where(files.c.draft_id.in_(draft_ids)).returning(files.c.id)
    unused = list(await connection.scalars(dropping))
    await connection.execute(update(drafts).where(drafts.c.id.in_(draft_ids)).values(state=state, content=None))
    return unused
