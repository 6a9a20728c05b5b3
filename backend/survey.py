"""What a citizen thinks of how a filing went: voluntary, and kept apart from who it was.

For a week the marks may be changed; until then the fingerprint of the filing's number leads to them, afterwards nothing.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.answer import Problem
from backend.asker import Asker, admit
from backend.border import Survey
from backend.filings import lock_filing
from backend.fingerprints import renew_fingerprint
from backend.states import State
from backend.tables import filings, surveys
from backend.workspace import Workspace

__all__ = ["keep_survey"]

_CHANGEABLE = timedelta(days=7)
_MARKED = (State.SELESAI, State.DITOLAK)


async def keep_survey(workspace: Workspace, asker: Asker, number: str, survey: Survey) -> None:
    """Raises Problem 403, 404, 409."""
    number = await admit(workspace, asker, number, owner_only=True)
    now = workspace.clock()
    async with workspace.engine.begin() as connection:
        row = await lock_filing(connection, number)
        if row.contact is None:
            # Erased while it was asked for.
            raise Problem(409, "erased", "Data permohonan ini sudah dihapus, jadi tidak bisa dinilai lagi.")
        if row.state not in _MARKED:
            raise Problem(409, "not-finished", "Penilaian diberikan sesudah permohonannya selesai.", state=row.state)
        if row.survey_until is not None and row.survey_until <= now:
            raise Problem(409, "too-late", "Penilaian hanya bisa diubah dalam tujuh hari.", state=row.state)
        until = row.survey_until or now + _CHANGEABLE
        service = workspace.service(row.service)
        words = {
            "scores": dict(survey.scores),
            "suggestion": workspace.seal.seal(survey.suggestion.encode()) if survey.suggestion else None,
        }
        indexes = workspace.seal.indexes(number)
        await renew_fingerprint(connection, surveys.c.filing_index, indexes)
        adding = upsert(surveys).values(
            id=uuid4(),
            filing_index=indexes[0],
            changeable_until=until,
            service=row.service,
            agency=service.agency if service else row.office,
            month=workspace.today().replace(day=1),
            **words,
        )
        await connection.execute(adding.on_conflict_do_update(index_elements=["filing_index"], set_=words))
        await connection.execute(update(filings).where(filings.c.number == number).values(survey_until=until))
