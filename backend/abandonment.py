"""Where citizens stop: at which question a filing was left until it expired, per service."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.answer import Answer, Problem, answer_json
from backend.drafts import DRAFT_LIFE, count_pages, form_of
from backend.states import DraftState
from backend.tables import drafts
from backend.workspace import Workspace

__all__ = ["note_where_left", "show_abandonment"]

_SHOWN = timedelta(days=90)
_COMPLETE = "tinjauan"
"""nothing was asked any more: the review wasn't sent"""


async def note_where_left(connection: AsyncConnection, workspace: Workspace, rows: Sequence[Row[Any]]) -> None:
    """Before the drafts are emptied: which item each was asked last. It says nothing of the person."""
    pages = await count_pages(connection, [row.id for row in rows])
    for row in rows:
        try:
            question = form_of(workspace, row, pages[row.id]).next()
        except Problem:
            # The service was withdrawn meanwhile.
            continue
        left_at = _COMPLETE if question is None else question["field"]
        await connection.execute(update(drafts).where(drafts.c.id == row.id).values(left_at=left_at))


async def show_abandonment(workspace: Workspace) -> Answer:
    """Of the drafts whose week ended within the last 90 days."""
    since = workspace.clock() - _SHOWN
    query = (
        select(drafts.c.service, drafts.c.state, drafts.c.left_at, func.count().label("drafts"))
        .where(drafts.c.expires_at > since, drafts.c.expires_at <= workspace.clock() + DRAFT_LIFE)
        .group_by(drafts.c.service, drafts.c.state, drafts.c.left_at)
    )
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    left: dict[str, Counter[str]] = defaultdict(Counter)
    async with workspace.engine.connect() as connection:
        for row in await connection.execute(query):
            counts[row.service][row.state] += row.drafts
            if row.left_at is not None:
                left[row.service][row.left_at] += row.drafts
    return answer_json(
        {
            "services": [
                {
                    "service": service,
                    "name": known.name if (known := workspace.service(service)) else service,
                    "begun": counted.total(),
                    "submitted": counted[DraftState.SUBMITTED],
                    "expired": counted[DraftState.EXPIRED],
                    "left_at": [
                        {"item": item, "name": _name(workspace, service, item), "count": count}
                        for item, count in left[service].most_common()
                    ],
                }
                for service, counted in sorted(counts.items(), key=lambda pair: -pair[1][DraftState.EXPIRED])
            ]
        }
    )


def _name(workspace: Workspace, service_id: str, item: str) -> str:
    if item == _COMPLETE:
        return "tinjauan sebelum dikirim"
    service = workspace.service(service_id)
    names = {field.id: field.name for field in service.fields} if service else {}
    names |= {document.id: document.name for document in service.documents} if service else {}
    return names.get(item, item)
