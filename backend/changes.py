"""A message changes a draft or filing once; its answer is kept and given again when the message comes again.

The draft's row is locked while a change is made, so two copies of one message arriving together are one change too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem, answer_json
from backend.tables import changes, drafts
from identity import Seal

__all__ = ["applied", "apply_once", "find_draft", "kept_answer"]


async def apply_once(
    connection: AsyncConnection,
    seal: Seal,
    draft_id: UUID,
    message_id: str,
    change: Callable[[Row[Any]], Awaitable[Any]],
) -> Answer:
    """Run `change` on the locked draft's row unless the message was answered before; keep what it returns.

    A refusal of the value (422) is an answer like any other; every other Problem ends the transaction. `change` must
    refuse before it writes.
    """
    row = await find_draft(connection, draft_id, lock=True)
    known = await kept_answer(connection, seal, draft_id, message_id)
    if known is not None:
        return known
    try:
        answer = answer_json(await change(row))
    except Problem as problem:
        if problem.status != 422:
            raise
        answer = problem.answer()
    await connection.execute(
        insert(changes).values(
            draft_id=draft_id, message_id=message_id, status=answer.status, body=seal.seal(answer.body)
        )
    )
    return answer


async def kept_answer(connection: AsyncConnection, seal: Seal, draft_id: UUID, message_id: str) -> Answer | None:
    query = select(changes.c.status, changes.c.body).where(
        changes.c.draft_id == draft_id, changes.c.message_id == message_id
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Answer(row.status, seal.open(row.body))


async def applied(connection: AsyncConnection, draft_id: UUID, message_id: str) -> list[str]:
    """The ids under which that message was taken, not refused: its own and those made of it (`ID:…`)."""
    its = or_(
        changes.c.message_id == message_id,
        changes.c.message_id.startswith(f"{message_id}:", autoescape=True),
    )
    query = select(changes.c.message_id).where(changes.c.draft_id == draft_id, its, changes.c.status < 400)
    return list(await connection.scalars(query.order_by(changes.c.message_id)))


async def find_draft(connection: AsyncConnection, draft_id: UUID, *, lock: bool = False) -> Row[Any]:
    """Raises Problem 404."""
    query = select(drafts).where(drafts.c.id == draft_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise Problem(404, "not-found", "Tidak ada draf dengan pengenal itu.")
    return row
