"""Client of the application backend (`backend-api.md`): typed answers, time limits, retries of what is safe to retry."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from actions.filed import Filing, Kept, Verified, read_filing, read_kept, read_verified
from actions.question import Question, read_question
from actions.states import States
from journal import turn_header

__all__ = [
    "Backend",
    "BackendDown",
    "Consent",
    "Draft",
    "DraftItem",
    "Filing",
    "Incomplete",
    "Known",
    "NotNow",
    "NotYours",
    "OpenFiling",
    "Question",
    "Refused",
    "SentDocument",
    "TooManyTries",
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


class TooManyTries(NotYours):
    """Five wrong proofs within an hour; the next hour gives five more."""


class NotNow(Exception):
    """The filing isn't where that can be done, or the draft was sent; `state` is where it is, if the backend says so."""

    def __init__(self, detail: str, state: str | None) -> None:
        super().__init__(detail)
        self.state = state


class Incomplete(Exception):
    """A draft can't be submitted yet."""


class OpenFiling(Exception):
    """The same person has the same service still open; `number` names that filing."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True)
class DraftItem:
    """A field or a document that a draft asks."""

    id: str
    name: str
    type: str
    choices: Mapping[str, str]
    maximum_pages: int
    """0 for a field"""

    @property
    def sensitive(self) -> bool:
        return self.type in ("nik", "kk_number", "phone")

    @property
    def is_document(self) -> bool:
        return self.type == "document"


@dataclass(frozen=True)
class SentDocument:
    pages: int
    hint: str | None
    """of a photo that is hard to read and neither accepted nor sent anew yet"""


@dataclass(frozen=True)
class Known:
    """What an earlier filing of the same person answers already."""

    number: str
    fields: Mapping[str, str]
    """field → the answer, masked where sensitive"""


@dataclass(frozen=True)
class Draft:
    id: str
    service: str
    answers: Mapping[str, Any]
    documents: Mapping[str, SentDocument]
    """in the order of their arrival"""
    next: Question | None
    items: Sequence[DraftItem]
    """everything this draft asks, in its order"""
    known: Known | None
    for_another: bool
    """filled in by somebody who represents the applicant"""
    submitted: bool
    """a filing by now: nothing of it can be changed, and submitting it again gives that filing"""

    def item(self, identifier: str) -> DraftItem | None:
        return next((item for item in self.items if item.id == identifier), None)

    @property
    def doubtful(self) -> str | None:
        """The hint about the document asked for, when a photo of it is there already but hard to read."""
        sent = self.documents.get(self.next.field) if self.next else None
        return sent.hint if sent else None


@dataclass(frozen=True)
class Consent:
    version: str


class Backend:
    def __init__(self, url: str, token: str, session: aiohttp.ClientSession, states: States) -> None:
        self._url = url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session = session
        self._states = states

    async def services(self) -> list[Mapping[str, Any]]:
        body = await self._call("GET", "/services")
        return list(body["services"])

    async def service(self, service: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = await self._call("GET", f"/services/{service}")
        return body

    async def open_draft(self, service: str, contact: str, channel: str, *, helper: bool = False) -> Draft:
        """The open draft of that service, or a new one. Raises Refused when a helper may not file it."""
        body = {"service": service, "contact": contact, "channel": channel}
        return _draft(await self._call("POST", "/drafts", json=body | ({"on_behalf_of": "wakil"} if helper else {})))

    async def delete_draft(self, draft: str) -> None:
        await self._call("DELETE", f"/drafts/{draft}")

    async def adopt_draft(self, draft: str, contact: str, channel: str, message_id: str) -> Draft | None:
        """Moves a draft to another conversation of the same person; None when that has one of this service already."""
        body = {"contact": contact, "channel": channel, "message_id": message_id}
        try:
            return _draft(await self._call("POST", f"/drafts/{draft}/contact", json=body))
        except NotNow:
            return None

    async def consent(self, contact: str) -> Consent | None:
        try:
            body = await self._call("GET", f"/people/{contact}")
        except Unknown:
            return None
        return Consent(str(body["consent"]["version"])) if body.get("consent") else None

    async def give_consent(self, contact: str, channel: str, message_id: str, version: str) -> None:
        body = {"contact": contact, "version": version, "channel": channel, "message_id": message_id}
        await self._call("POST", "/consents", json=body)

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

    async def submit(self, draft: str, *, again: bool = False) -> Filing:
        """`again`: the person wants it though the same is open. Raises Incomplete, OpenFiling."""
        headers = {"Praja-Confirm-Duplicate": "yes"} if again else {}
        return self._filing(await self._call("POST", f"/drafts/{draft}/submit", headers=headers))

    async def filings(self, contact: str) -> list[Filing]:
        body = await self._call("GET", "/filings", params={"contact": contact})
        return [self._filing(item) for item in body["filings"]]

    async def filing(self, number: str, contact: str, *, proof: str | None = None) -> Filing:
        """Raises Unknown; NotYours for another person's without `proof`, the last four digits of their NIK or phone."""
        headers = {"Praja-Proof": proof} if proof else {}
        return self._filing(await self._call("GET", f"/filings/{number}", params={"contact": contact}, headers=headers))

    async def correct(
        self, number: str, contact: str, message_id: str, item: str, value: str | Sequence[bytes]
    ) -> Filing:
        """`value` is a field's answer or a document's pages. Raises Refused; NotNow when it isn't asked for (any more)."""
        body: dict[str, Any] = {"message_id": message_id}
        if isinstance(value, str):
            body |= {"field": item, "value": value}
        else:
            body |= {"document": item, "value": [base64.b64encode(page).decode() for page in value]}
        return self._filing(
            await self._call("POST", f"/filings/{number}/corrections", params={"contact": contact}, json=body)
        )

    async def cancel(self, number: str, contact: str, reason: str) -> Filing:
        """Raises NotNow when it is too late."""
        return self._filing(
            await self._call("POST", f"/filings/{number}/cancel", params={"contact": contact}, json={"reason": reason})
        )

    async def confirm(self, number: str, contact: str, message_id: str, *, resolved: bool, note: str) -> Filing:
        """Whether a complaint is settled. Raises NotNow for anything that doesn't wait for that."""
        body = {"message_id": message_id, "resolved": resolved, "note": note}
        return self._filing(
            await self._call("POST", f"/filings/{number}/confirmations", params={"contact": contact}, json=body)
        )

    def result_address(self, number: str, contact: str) -> str:
        """Where the bot fetches the finished document of that contact's filing."""
        return f"{self._url}/filings/{number}/result?{urlencode({'contact': contact})}"

    async def verification(self, code: str, contact: str) -> Verified:
        """Raises Unknown for a code that we never gave out, TooManyTries."""
        return read_verified(await self._call("GET", f"/verifications/{code}", params={"contact": contact}))

    async def person(self, contact: str) -> Kept:
        return read_kept(await self._call("GET", f"/people/{contact}"))

    async def erase_person(self, contact: str, message_id: str) -> None:
        """Everything that needn't be kept; what is kept is told by `person` afterwards."""
        await self._call("DELETE", f"/people/{contact}", json={"message_id": message_id})

    async def withdraw_consent(self, contact: str, message_id: str) -> None:
        await self._call("DELETE", f"/consents/{contact}", json={"message_id": message_id})

    def _filing(self, body: Mapping[str, Any]) -> Filing:
        return read_filing(body, self._states.ours)

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        """Every call here is safe to repeat: it reads, or names its message or draft, so the backend knows it again."""
        headers = {**self._headers, **turn_header(), **request.pop("headers", {})}
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
        case 403:
            raise NotYours(detail)
        case 429:
            raise TooManyTries(detail)
        case 409 if body.get("number"):
            raise OpenFiling(str(body["number"]))
        case 409 if "missing" in body:
            raise Incomplete(detail)
        case 409:
            raise NotNow(detail, body.get("state"))
        case 413 | 422:
            raise Refused(detail)
    raise BackendDown(f"{response.status} {detail}")


def _draft(body: Mapping[str, Any]) -> Draft:
    return Draft(
        id=str(body["id"]),
        service=body["service"],
        answers=body["answers"],
        documents={key: _sent(value) for key, value in body["documents"].items()},
        next=read_question(body["next"]) if body.get("next") else None,
        items=tuple(_item(item) for item in body["items"]),
        known=_known(body["known"]) if body.get("known") else None,
        for_another=body.get("on_behalf_of") is not None,
        submitted=body.get("state") == "submitted",
    )


def _sent(body: Mapping[str, Any]) -> SentDocument:
    return SentDocument(int(body["pages"]), body.get("hint") if body["status"] == "doubtful" else None)


def _item(body: Mapping[str, Any]) -> DraftItem:
    choices = {str(choice["id"]): str(choice["title"]) for choice in body.get("choices") or ()}
    return DraftItem(body["id"], body["name"], body["type"], choices, int(body.get("maximum_pages") or 0))


def _known(body: Mapping[str, Any]) -> Known:
    return Known(str(body["number"]), {key: str(value) for key, value in body["fields"].items()})
