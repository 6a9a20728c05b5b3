"""What a contact answered in an earlier filing and needn't answer again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.calendar import LOCAL_TIME
from backend.catalogue import FieldType, Service
from backend.fields import FieldError, Value
from backend.filing_view import filing_rows
from backend.form import Content, Form
from backend.tables import drafts, filings
from backend.workspace import Workspace
from identity import mask_digits

__all__ = ["QUESTION", "KnownData", "find_known"]

QUESTION = "pakai_data"
"""the field that takes or declines it; never asked by `next`"""
_YOUNG = timedelta(days=180)
_LOOKED_AT = 5
_NUMBERS = (FieldType.NIK, FieldType.KK_NUMBER, FieldType.PHONE)


@dataclass(frozen=True)
class KnownData:
    number: str
    submitted_on: date
    answers: Mapping[str, Value]
    form: Form
    """the draft's, with nothing answered yet"""

    def show(self) -> dict[str, Any]:
        shown = {}
        for key, value in self.answers.items():
            field = self.form.field(key)
            hidden = field is not None and field.type in _NUMBERS
            shown[key] = mask_digits(str(value)) if hidden else str(value)
        return {"number": self.number, "submitted_on": self.submitted_on.isoformat(), "fields": shown}

    def take(self) -> Content:
        return replace(self.form.content, answers=dict(self.answers), known_settled=True)


async def find_known(
    connection: AsyncConnection, workspace: Workspace, draft: Row[Any], form: Form
) -> KnownData | None:
    """Of the contact's newest filing that says something this form asks; none once anything is answered or it was declined.

    What is filed for others, by others, or by somebody who wished not to be known, isn't used.
    """
    content = form.content
    if content.answers or content.known_settled or content.on_behalf_of is not None:
        return None
    query = (
        filing_rows()
        .where(
            filings.c.contact == draft.contact,
            filings.c.submitted_at > workspace.clock() - _YOUNG,
            drafts.c.on_behalf.is_(False),
            drafts.c.content.is_not(None),
            filings.c.hides_applicant.is_(False),
        )
        .order_by(filings.c.submitted_at.desc(), filings.c.number.desc())
        .limit(_LOOKED_AT)
    )
    for row in await connection.execute(query):
        answers = _fitting(form, workspace, row)
        if answers:
            return KnownData(row.number, row.submitted_at.astimezone(LOCAL_TIME).date(), answers, form)
    return None


def _fitting(form: Form, workspace: Workspace, filing: Row[Any]) -> dict[str, Value]:
    """What both services ask of the same person, read again, for the catalogue may have changed."""
    earlier = workspace.service(filing.service)
    if earlier is None:
        return {}
    given = workspace.open_content(filing.content).answers
    lasting = _lasting(earlier)
    filled = form
    for field in form.service.fields:
        if field.lasting and not field.only_if and lasting.get(field.id) is field.type and field.id in given:
            try:
                filled = replace(filled, content=filled.answer(field, given[field.id], workspace.today()))
            except FieldError:
                continue
    return dict(filled.content.answers)


def _lasting(service: Service) -> dict[str, FieldType]:
    return {field.id: field.type for field in service.fields if field.lasting}
