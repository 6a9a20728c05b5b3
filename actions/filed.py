"""Filings as the backend shows them, and what it keeps of a person: typed values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from actions.entry import plain_name
from actions.question import Question, read_question

__all__ = [
    "Entry",
    "Filing",
    "Flaw",
    "Kept",
    "KeptFiling",
    "Result",
    "Verified",
    "read_filing",
    "read_kept",
    "read_verified",
]


@dataclass(frozen=True)
class Entry:
    """A line of the chronology."""

    at: datetime
    state: str
    note: str | None


@dataclass(frozen=True)
class Flaw:
    """What an officer asks to mend."""

    item: str
    is_document: bool
    name: str
    """as citizens know it"""
    reason: str
    question: Question | None
    """as a draft would ask it; a backend may leave it out"""
    maximum_pages: int
    """0 for a field, and where the backend leaves it out"""


@dataclass(frozen=True)
class Result:
    content_type: str | None
    """None where the backend doesn't tell"""
    code: str | None
    """by which anyone can check it"""


@dataclass(frozen=True)
class Filing:
    number: str
    service: str
    mode: str
    """`permohonan`, `pengaduan` or `staf`"""
    state: str
    submitted_at: datetime
    due_on: date | None
    office: str
    chronology: Sequence[Entry]
    """oldest first"""
    fix: Sequence[Flaw]
    result: Result | None
    confirmed: bool
    """of a complaint: the citizen said that it is settled"""
    applied: Collection[str] = ()
    """as of a draft"""

    @property
    def note(self) -> str | None:
        """of the latest entry of the chronology"""
        return self.chronology[-1].note if self.chronology else None

    @property
    def awaits_confirmation(self) -> bool:
        return self.mode == "pengaduan" and self.state == "SELESAI" and not self.confirmed


@dataclass(frozen=True)
class Verified:
    """A finished document that we issued."""

    number: str
    service: str
    office: str
    issued_on: date
    applicant: str
    """shortened"""


@dataclass(frozen=True)
class KeptFiling:
    number: str
    service: str
    state: str
    kept_until: date | None
    why: str | None
    """sentence: why it may not be erased yet"""


@dataclass(frozen=True)
class Kept:
    """What is stored of one contact."""

    drafts: int
    files: int
    filings: Sequence[KeptFiling]
    consent_at: datetime | None


def read_filing(body: Mapping[str, Any], our_state: Callable[[str], str]) -> Filing:
    """`our_state` translates a district's own names."""
    names, questions = body.get("fix_names") or {}, body.get("fix_questions") or {}
    return Filing(
        number=body["number"],
        service=body["service"],
        mode=body.get("mode") or "permohonan",
        state=our_state(body["state"]),
        submitted_at=datetime.fromisoformat(body["submitted_at"]),
        due_on=_day(body.get("due_on")),
        office=body.get("office") or "",
        chronology=tuple(
            Entry(datetime.fromisoformat(entry["at"]), our_state(entry["state"]), entry.get("note") or None)
            for entry in body.get("chronology") or ()
        ),
        fix=tuple(_flaw(item, names, questions) for item in body.get("fix") or ()),
        result=_result(body.get("result")),
        # Who doesn't tell doesn't ask.
        confirmed=bool(body.get("confirmed", True)),
        applied=tuple(body.get("applied") or ()),
    )


def read_verified(body: Mapping[str, Any]) -> Verified:
    return Verified(
        body["number"], body["service"], body["office"], date.fromisoformat(body["issued_on"][:10]), body["applicant"]
    )


def read_kept(body: Mapping[str, Any]) -> Kept:
    consent = body.get("consent")
    return Kept(
        drafts=int(body["drafts"]),
        files=int(body["files"]),
        filings=tuple(
            KeptFiling(each["number"], each["service"], each["state"], _day(each.get("kept_until")), each.get("why"))
            for each in body["filings"]
        ),
        consent_at=datetime.fromisoformat(consent["at"]) if consent else None,
    )


def _flaw(item: Mapping[str, Any], names: Mapping[str, str], questions: Mapping[str, Mapping[str, Any]]) -> Flaw:
    """A backend may leave the names out."""
    identifier = str(item.get("document") or item.get("field") or "")
    name = str(names.get(identifier, plain_name(identifier)))
    asked = questions.get(identifier)
    return Flaw(
        identifier,
        bool(item.get("document")),
        name,
        str(item["reason"]),
        read_question(asked) if asked else None,
        int((asked or {}).get("maximum_pages") or 0),
    )


def _result(body: Any) -> Result | None:
    """Whatever a backend says of it: that it is there."""
    told = body if isinstance(body, Mapping) else {}
    return Result(told.get("content_type"), told.get("code")) if body else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
