"""What is no longer needed doesn't stay: drafts, what was sent with filings that have ended, and whose filings they were.

Files that a crash left without a row are found by `stored_files`, never by looking through the folder: a database that
didn't write them has no say over them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.abandonment import note_where_left
from backend.catalogue import Mode
from backend.complaints import confirm_silent
from backend.erasure import empty_drafts, erase_filings
from backend.states import OPEN, DraftState, State
from backend.tables import chronology, consents, drafts, erasures, files, filings, proofs, stored_files, surveys
from backend.tries import WINDOW
from backend.workspace import Workspace

__all__ = ["has_ended", "keep_tidy", "last_steps", "tidy"]

_logger = logging.getLogger(__name__)

_INTERVAL = 3600
"""seconds"""
_LONGEST_UPLOAD = timedelta(hours=1)


async def keep_tidy(workspace: Workspace) -> None:
    """Until cancelled."""
    while True:
        try:
            await tidy(workspace)
            await confirm_silent(workspace)
        except Exception as error:
            # Nothing may end this loop: one row that can't be read would end all tidying.
            _logger.warning("tidying is put off: %s", type(error).__name__)
        await asyncio.sleep(_INTERVAL)


async def tidy(workspace: Workspace) -> None:
    await _expire_drafts(workspace)
    await _drop_documents(workspace)
    await _erase_filings(workspace)
    await _forget_proofs(workspace)
    await _sweep(workspace)


def has_ended(workspace: Workspace, filing: Row[Any]) -> bool:
    """A complaint ends when the citizen says that it is settled, or says nothing."""
    if filing.state == State.SELESAI and filing.confirmed_at is None:
        service = workspace.service(filing.service)
        return service is None or service.mode is not Mode.COMPLAINT
    return filing.state not in OPEN


async def last_steps(connection: AsyncConnection, numbers: Collection[str]) -> Mapping[str, datetime]:
    """number → when something last happened to the filing"""
    query = (
        select(chronology.c.number, func.max(chronology.c.at).label("last"))
        .where(chronology.c.number.in_(numbers))
        .group_by(chronology.c.number)
    )
    return {row.number: row.last for row in await connection.execute(query)}


async def _expire_drafts(workspace: Workspace) -> None:
    expired = (
        select(drafts)
        .where(
            drafts.c.state.in_((DraftState.OPEN, DraftState.EXPIRED)),
            drafts.c.expires_at <= workspace.clock(),
            drafts.c.content.is_not(None),
        )
        .with_for_update(skip_locked=True)
    )
    async with workspace.engine.begin() as connection:
        rows = (await connection.execute(expired)).all()
        await note_where_left(connection, workspace, rows)
        unused = await empty_drafts(connection, [row.id for row in rows], DraftState.EXPIRED)
    await workspace.discard(unused)


async def _drop_documents(workspace: Workspace) -> None:
    sent = files.c.document.is_not(None)
    async with workspace.engine.begin() as connection:
        ended = await _ended(
            connection,
            workspace,
            workspace.clock() - workspace.retention.documents,
            exists().where(files.c.draft_id == filings.c.draft_id, sent),
        )
        dropping = delete(files).where(files.c.draft_id.in_(ended), sent).returning(files.c.id)
        unused = list(await connection.scalars(dropping))
    await workspace.discard(unused)


async def _erase_filings(workspace: Workspace) -> None:
    async with workspace.engine.begin() as connection:
        before = workspace.clock() - workspace.retention.answers
        ended = await _ended(connection, workspace, before, filings.c.contact.is_not(None))
        unused = await erase_filings(connection, workspace, ended)
    await workspace.discard(unused)


async def _ended(
    connection: AsyncConnection, workspace: Workspace, before: datetime, wanted: ColumnElement[bool]
) -> list[UUID]:
    """The drafts of filings that ended by `before`. Draft, then filing: locked in the order that changes lock them in."""
    last = select(func.max(chronology.c.at)).where(chronology.c.number == filings.c.number).scalar_subquery()
    found = select(filings.c.draft_id).where(filings.c.state.not_in(OPEN), last <= before, wanted)
    locking = select(drafts.c.id).where(drafts.c.id.in_(found)).with_for_update(skip_locked=True)
    locked = list(await connection.scalars(locking))
    rows = await connection.execute(
        select(filings).where(filings.c.draft_id.in_(locked)).with_for_update(skip_locked=True)
    )
    return [row.draft_id for row in rows if has_ended(workspace, row)]


async def _forget_proofs(workspace: Workspace) -> None:
    """Tries that no longer count, marks' way back to their filing, and proofs of what a person once wanted."""
    now = workspace.clock()
    before = now - workspace.retention.answers
    async with workspace.engine.begin() as connection:
        await connection.execute(delete(proofs).where(proofs.c.since <= now - WINDOW))
        await connection.execute(
            update(surveys).where(surveys.c.changeable_until <= now).values(filing_index=None, changeable_until=None)
        )
        await connection.execute(delete(consents).where(consents.c.withdrawn_at <= before))
        await connection.execute(delete(erasures).where(erasures.c.at <= before))


async def _sweep(workspace: Workspace) -> None:
    """Files without a row: left by a crash, or discarded just now."""
    loose = select(stored_files.c.id).where(
        stored_files.c.at <= workspace.clock() - _LONGEST_UPLOAD,
        ~exists().where(files.c.id == stored_files.c.id),
    )
    async with workspace.engine.connect() as connection:
        identifiers = list(await connection.scalars(loose))
    await workspace.discard(identifiers)
    async with workspace.engine.begin() as connection:
        await connection.execute(delete(stored_files).where(stored_files.c.id.in_(identifiers)))
