"""Client of the application backend (`backend-api.md`): typed answers, time limits, retries of what is safe to retry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import aiohttp

__all__ = [
    "Backend",
    "BackendDown",
    "Draft",
    "Filing",
    "Incomplete",
    "NotYours",
    "OpenFiling",
    "Question",
    "Refused",
    "Unknown",
]

_TIMEOUT = aiohttp.ClientTimeout(total=8, connect=2)
_PAUSES = (0.1, 0.5)


class BackendDown(Exception):
    """The backend can't be reached or is in trouble; what was asked may be asked again later."""


class Refused(Exception):
    """The backend doesn't take the value; the message is its sentence for the citizen."""


class Unknown(Exception):
    """No such draft or filing (any more)."""


class NotYours(Exception):
    """The filing belongs to somebody else and no second proof was given."""


class Incomplete(Exception):
    """A draft can't be submitted yet."""


class OpenFiling(Exception):
    """The same person has the same service still open; `number` names that filing."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True)
class Question:
    """What a draft asks next."""

    field: str
    type: str
    question: str
    help: str | None
    choices: Sequence[tuple[str, str]]
    """(id, title)"""
    optional: bool


@dataclass(frozen=True)
class Draft:
    id: str
    service: str
    answers: Mapping[str, Any]
    documents: Mapping[str, int]
    """document → pages"""
    next: Question | None
    missing: Sequence[str]


@dataclass(frozen=True)
class Filing:
    number: str
    service: str
    state: str
    submitted_at: datetime
    due_on: date | None
    office: str
    note: str | None
    """of the latest entry of the chronology"""
    fix: Sequence[str]
    """what is to be mended, each with its reason"""


class Backend:
    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session = session

    async def services(self) -> list[Mapping[str, Any]]:
        body = await self._call("GET", "/services")
        return list(body["services"])

    async def service(self, service: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = await self._call("GET", f"/services/{service}")
        return body

    async def open_draft(self, service: str, contact: str, channel: str) -> Draft:
        """The open draft of that service, or a new one."""
        return _draft(
            await self._call("POST", "/drafts", json={"service": service, "contact": contact, "channel": channel})
        )

    async def draft(self, draft: str, *, ask: str | None = None) -> Draft:
        """`ask` makes `next` the question of that field, answered already or not."""
        params = {"ask": ask} if ask else {}
        return _draft(await self._call("GET", f"/drafts/{draft}", params=params))

    async def drafts(self, contact: str) -> list[Draft]:
        body = await self._call("GET", "/drafts", params={"contact": contact})
        return [_draft(item) for item in (body if isinstance(body, list) else body["drafts"])]

    async def answer(self, draft: str, message_id: str, field: str, value: str | None) -> Draft:
        """Raises Refused with the reason when the value doesn't fit."""
        body = {"message_id": message_id, "field": field, "value": value}
        return _draft(await self._call("PATCH", f"/drafts/{draft}", json=body))

    async def add_document(
        self, draft: str, message_id: str, document: str, content: bytes, content_type: str
    ) -> Draft:
        """Raises Refused with what is wrong with the file."""
        headers = {"Praja-Message-Id": message_id, "Content-Type": content_type}
        return _draft(await self._call("PUT", f"/drafts/{draft}/documents/{document}", data=content, headers=headers))

    async def submit(self, draft: str) -> Filing:
        return _filing(await self._call("POST", f"/drafts/{draft}/submit"))

    async def filings(self, contact: str) -> list[Filing]:
        body = await self._call("GET", "/filings", params={"contact": contact})
        return [_filing(item) for item in body["filings"]]

    async def filing(self, number: str, contact: str) -> Filing:
        """Raises Unknown, or NotYours for another person's."""
        return _filing(await self._call("GET", f"/filings/{number}", params={"contact": contact}))

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        """Every call here is safe to repeat: it reads, or names its message or draft, so the backend knows it again."""
        headers = {**self._headers, **request.pop("headers", {})}
        for pause in (*_PAUSES, None):
            try:
                async with self._session.request(
                    method, self._url + path, headers=headers, timeout=_TIMEOUT, **request
                ) as response:
                    if response.status < 500:
                        return await _answer(response)
                    trouble = f"{method} {path}: {response.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                trouble = f"{method} {path}: {type(error).__name__}"
            if pause is None:
                raise BackendDown(trouble)
            await asyncio.sleep(pause)
        raise AssertionError("the last pause is None")


async def _answer(response: aiohttp.ClientResponse) -> Any:
    if response.status == 204:
        return None
    body = await response.json(content_type=None)
    if response.ok:
        return body
    detail = str((body or {}).get("detail", ""))
    match response.status:
        case 404 | 410:
            raise Unknown(detail)
        case 403 | 429:
            raise NotYours(detail)
        case 409 if body.get("number"):
            raise OpenFiling(str(body["number"]))
        case 409:
            raise Incomplete(detail)
        case 413 | 422:
            raise Refused(detail)
    raise BackendDown(f"{response.status} {detail}")


def _draft(body: Mapping[str, Any]) -> Draft:
    return Draft(
        id=str(body["id"]),
        service=body["service"],
        answers=body["answers"],
        documents={key: int(value["pages"]) for key, value in body["documents"].items()},
        next=_question(body["next"]) if body.get("next") else None,
        missing=tuple(body["missing"]),
    )


def _question(body: Mapping[str, Any]) -> Question:
    return Question(
        field=body["field"],
        type=body["type"],
        question=body["question"],
        help=body.get("help"),
        choices=tuple((str(choice["id"]), str(choice["title"])) for choice in body.get("choices") or ()),
        optional=bool(body.get("optional")),
    )


def _filing(body: Mapping[str, Any]) -> Filing:
    chronology = body.get("chronology") or []
    return Filing(
        number=body["number"],
        service=body["service"],
        state=body["state"],
        submitted_at=datetime.fromisoformat(body["submitted_at"]),
        due_on=date.fromisoformat(body["due_on"]) if body.get("due_on") else None,
        office=body.get("office") or "",
        note=chronology[-1].get("note") if chronology else None,
        fix=tuple(f"{_named(item, body)}: {item['reason']}" for item in body.get("fix") or ()),
    )


def _named(item: Mapping[str, Any], filing: Mapping[str, Any]) -> str:
    """What is to be mended, as citizens know it; a backend may leave the names out."""
    identifier = item.get("document") or item.get("field") or ""
    return str((filing.get("fix_names") or {}).get(identifier, identifier.replace("_", " ")))
