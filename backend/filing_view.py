"""A filing as it is shown: the applicant shortened and masked, with its chronology."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.calendar import LOCAL_TIME
from backend.chronology import read_chronology
from backend.tables import drafts, files, filings
from backend.workspace import Workspace
from identity import mask_digits

__all__ = ["filing_rows", "names_of", "view_filing", "view_filings"]


def filing_rows() -> Select[Any]:
    """Filings with what was answered in their drafts."""
    return select(filings, drafts.c.content).join(drafts, filings.c.draft_id == drafts.c.id)


async def view_filing(connection: AsyncConnection, workspace: Workspace, number: str) -> dict[str, Any]:
    """As it is now in this transaction."""
    row = (await connection.execute(filing_rows().where(filings.c.number == number))).one()
    return (await view_filings(connection, workspace, [row]))[0]


def names_of(workspace: Workspace, service_id: str, fix: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What is to be mended, by id, under the name citizens read; empty for a service that is no more."""
    service = workspace.service(service_id)
    if service is None:
        return {}
    names = {field.id: field.name for field in service.fields} | {
        document.id: document.name for document in service.documents
    }
    items = [flaw.get("field") or flaw.get("document") or "" for flaw in fix]
    return {item: names[item] for item in items if item in names}


async def view_filings(
    connection: AsyncConnection, workspace: Workspace, rows: Sequence[Row[Any]]
) -> list[dict[str, Any]]:
    entries = await read_chronology(connection, workspace.seal, [row.number for row in rows])
    result_files = select(files).where(files.c.draft_id.in_([row.draft_id for row in rows]), files.c.document.is_(None))
    results = {file.draft_id: file for file in await connection.execute(result_files)}
    views = []
    for row in rows:
        answers = workspace.open_content(row.content).answers
        result = results.get(row.draft_id)
        views.append(
            {
                "number": row.number,
                "service": row.service,
                "state": row.state,
                "submitted_at": row.submitted_at.astimezone(LOCAL_TIME).isoformat(),
                "due_on": row.due_on and row.due_on.isoformat(),
                "office": row.office,
                "applicant": {"name": _shorten(str(answers["nama"])), "nik": mask_digits(str(answers["nik"]))},
                "chronology": entries[row.number],
                "fix": (fix := workspace.seal.open_json(row.fix)),
                "fix_names": names_of(workspace, row.service, fix),
                "result": result
                and {
                    "content_type": result.content_type,
                    "size": result.size,
                    "at": result.at.astimezone(LOCAL_TIME).isoformat(),
                },
            }
        )
    return views


def _shorten(name: str) -> str:
    """`Siti Nur Aminah` → `Siti A.`"""
    first, *others = name.split()
    return f"{first} {others[-1][0]}." if others else first
