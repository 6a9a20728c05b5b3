"""Proof that a person agreed to the privacy notice, and when they took that back (UU 27/2022)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, answer_json
from backend.border import Consent
from backend.calendar import LOCAL_TIME
from backend.fingerprints import renew_fingerprint
from backend.tables import consents
from backend.workspace import Workspace

__all__ = ["find_consent", "give_consent", "view_consent", "withdraw_consent"]


async def give_consent(workspace: Workspace, given: Consent) -> Answer:
    """201, or 200 when this message gave it before."""
    indexes = workspace.seal.indexes(given.contact)
    person = indexes[0]
    row = upsert(consents).values(
        person=person,
        message_id=given.message_id,
        version=given.version,
        channel=given.channel,
        at=workspace.clock(),
    )
    async with workspace.engine.begin() as connection:
        await renew_fingerprint(connection, consents.c.person, indexes)
        new = (await connection.execute(row.on_conflict_do_nothing().returning(*consents.c))).one_or_none()
        known = select(consents).where(consents.c.person == person, consents.c.message_id == given.message_id)
        kept = new or (await connection.execute(known)).one()
    return answer_json(view_consent(kept), 201 if new else 200)


async def withdraw_consent(connection: AsyncConnection, workspace: Workspace, contact: str) -> None:
    """The proof stays, with the time of its withdrawal."""
    await connection.execute(
        update(consents)
        .where(consents.c.person.in_(workspace.seal.indexes(contact)), consents.c.withdrawn_at.is_(None))
        .values(withdrawn_at=workspace.clock())
    )


async def find_consent(connection: AsyncConnection, workspace: Workspace, contact: str) -> Row[Any] | None:
    """The newest that wasn't withdrawn."""
    query = (
        select(consents)
        .where(consents.c.person.in_(workspace.seal.indexes(contact)), consents.c.withdrawn_at.is_(None))
        .order_by(consents.c.at.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


def view_consent(row: Row[Any]) -> dict[str, Any]:
    return {"at": row.at.astimezone(LOCAL_TIME).isoformat(), "version": row.version}
