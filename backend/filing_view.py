"""A filing as it is shown: the applicant shortened and masked, with its chronology."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.calendar import LOCAL_TIME
from backend.catalogue import Mode
from backend.chronology import read_chronology
from backend.fields import Answers
from backend.form import Content, Form
from backend.representation import representative, service_asked
from backend.tables import drafts, files, filings, verifications
from backend.workspace import Workspace
from identity import mask_digits

__all__ = ["HIDDEN", "filing_rows", "names_of", "shorten", "view_filing", "view_filings"]

_UNNAMED = "anonim"
HIDDEN: Mapping[str, str | None] = {"name": "dirahasiakan", "nik": None}
_ERASED: Mapping[str, str | None] = {"name": "sudah dihapus", "nik": None}


def filing_rows() -> Select[Any]:
    """Filings with what was answered in their drafts."""
    return select(filings, drafts.c.content).join(drafts, filings.c.draft_id == drafts.c.id)


async def view_filing(
    connection: AsyncConnection, workspace: Workspace, number: str, *, for_office: bool = False
) -> dict[str, Any]:
    """As it is now in this transaction. The office doesn't learn who made a complaint that hides it."""
    row = (await connection.execute(filing_rows().where(filings.c.number == number))).one()
    return (await view_filings(connection, workspace, [row], for_office=for_office))[0]


def names_of(workspace: Workspace, service_id: str, fix: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What is to be mended, by id, under the name citizens read; empty for a service that is no more."""
    service = workspace.service(service_id)
    if service is None:
        return {}
    asked = service_asked(workspace.catalogue, service, "wakil")
    names = {item.id: item.name for item in (*asked.fields, *asked.documents)}
    items = [flaw.get("field") or flaw.get("document") or "" for flaw in fix]
    return {item: names[item] for item in items if item in names}


async def view_filings(
    connection: AsyncConnection, workspace: Workspace, rows: Sequence[Row[Any]], *, for_office: bool = False
) -> list[dict[str, Any]]:
    entries = await read_chronology(connection, workspace.seal, [row.number for row in rows])
    result_files = select(files).where(files.c.draft_id.in_([row.draft_id for row in rows]), files.c.document.is_(None))
    results = {file.draft_id: file for file in await connection.execute(result_files)}
    coded = select(verifications.c.number, verifications.c.code).where(
        verifications.c.number.in_([row.number for row in rows])
    )
    codes = {row.number: row.code for row in await connection.execute(coded)}
    views = []
    for row in rows:
        content = workspace.open_content(row.content)
        answers = content.answers
        result = results.get(row.draft_id)
        views.append(
            {
                "number": row.number,
                "service": row.service,
                "mode": (mode := _mode(workspace, row.service)),
                **({"confirmed": row.confirmed_at is not None} if mode is Mode.COMPLAINT else {}),
                "state": row.state,
                "submitted_at": row.submitted_at.astimezone(LOCAL_TIME).isoformat(),
                "due_on": row.due_on and row.due_on.isoformat(),
                "office": row.office,
                "applicant": _shown_applicant(row, answers, for_office=for_office),
                "representative": _representative(workspace, answers),
                "place": {} if for_office and row.hides_applicant else _place(answers),
                "chronology": entries[row.number],
                "fix": (fix := workspace.seal.open_json(row.fix)),
                "fix_names": names_of(workspace, row.service, fix),
                **(
                    {"fix_questions": _questions(workspace, row.service, content, fix)}
                    if fix and not for_office
                    else {}
                ),
                "result": result
                and {
                    "content_type": result.content_type,
                    "size": result.size,
                    "at": result.at.astimezone(LOCAL_TIME).isoformat(),
                    "code": codes.get(row.number),
                },
            }
        )
    return views


def _questions(
    workspace: Workspace, service_id: str, content: Content, fix: Iterable[Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """What is to be mended, by id, as a draft would ask it; empty for a service that is no more."""
    service = workspace.service(service_id)
    if service is None:
        return {}
    form = Form(service_asked(workspace.catalogue, service, content.on_behalf_of), content, {}, workspace.regions)
    items = [flaw.get("field") or flaw.get("document") or "" for flaw in fix]
    return {item: question for item in items if (question := form.question(item)) is not None}


def _mode(workspace: Workspace, service_id: str) -> Mode:
    service = workspace.service(service_id)
    return service.mode if service is not None else Mode.FILING


def _shown_applicant(row: Row[Any], answers: Answers, *, for_office: bool) -> Mapping[str, str | None]:
    if row.contact is None:
        return _ERASED
    return HIDDEN if for_office and row.hides_applicant else _applicant(answers)


def _applicant(answers: Answers) -> dict[str, str | None]:
    name, nik = answers.get("nama"), answers.get("nik")
    return {
        "name": shorten(str(name)) if name is not None else _UNNAMED,
        "nik": mask_digits(str(nik)) if nik is not None else None,
    }


def _place(answers: Answers) -> dict[str, str]:
    """By which an office that every kecamatan or desa has knows its own filings."""
    return {level: str(answers[level]) for level in ("kecamatan", "desa") if answers.get(level) is not None}


def _representative(workspace: Workspace, answers: Answers) -> dict[str, str] | None:
    found = representative(workspace.catalogue, answers)
    return found and {"name": shorten(found["name"]), "relation": found["relation"]}


def shorten(name: str) -> str:
    """`Siti Nur Aminah` → `Siti A.`"""
    first, *others = name.split()
    return f"{first} {others[-1][0]}." if others else first
