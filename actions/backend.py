"""Client of the application backend (`backend-api.md`): typed answers, time limits, retries of what is safe to retry.

Ours can do more than that contract. What a district's own backend leaves out of a draft or filing is taken from its
catalogue; a call that it hasn't got is answered as each method says.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import filetype  # type: ignore[import-untyped]

from actions.entry import complete_draft, complete_filing
from actions.filed import Filing, Kept, Verified, read_filing, read_kept, read_verified
from actions.question import Question, read_choices, read_question
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
_FRESH = 300.0
_MESSAGE = "Praja-Message-Id"
_TELLING = 262
"""bytes that tell what kind of file it is"""


class BackendDown(Exception):
    """The backend can't be reached or is in trouble; what was asked may be asked again later."""


class Refused(Exception):
    """The backend doesn't take the value; the message is its sentence for the citizen."""


class Unknown(Exception):
    """No such draft or filing (any more), or no such call."""


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
    applied: Collection[str] = ()
    """ids under which the message asked about was taken before: its own, and those made of it"""

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
        self._entries: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._finds_drafts = False
        """POST is known to give the open draft: a backend that names a draft's `items` does"""

    async def services(self) -> list[Mapping[str, Any]]:
        body = await self._call("GET", "/services")
        return list(body["services"])

    async def service(self, service: str) -> Mapping[str, Any]:
        body: Mapping[str, Any] = await self._call("GET", f"/services/{service}")
        return body

    async def entry(self, service: str) -> Mapping[str, Any]:
        """What the catalogue says of it, five minutes old at most; nothing where there is no such service."""
        known = self._entries.get(service)
        if known is None or time.monotonic() - known[0] > _FRESH:
            entry: Mapping[str, Any] = {}
            with suppress(Unknown):
                entry = await self.service(service)
            known = self._entries[service] = (time.monotonic(), entry)
        return known[1]

    async def open_draft(self, service: str, contact: str, channel: str, *, helper: bool = False) -> Draft:
        """The open draft of that service, or a new one. Raises Refused when a helper may not file it."""
        if not self._finds_drafts:
            for draft in await self.drafts(contact):
                if (draft.service, draft.for_another) == (service, helper):
                    return draft
        body = {"service": service, "contact": contact, "channel": channel}
        return await self._draft(
            await self._call("POST", "/drafts", json=body | ({"on_behalf_of": "wakil"} if helper else {}))
        )

    async def delete_draft(self, draft: str) -> None:
        await self._call("DELETE", f"/drafts/{draft}")

    async def adopt_draft(self, draft: str, contact: str, channel: str, message_id: str) -> Draft | None:
        """Moves a draft to another conversation of the same person; None when that has one of this service already, and
        where the backend moves none.
        """
        body = {"contact": contact, "channel": channel, "message_id": message_id}
        try:
            return await self._draft(await self._call("POST", f"/drafts/{draft}/contact", json=body))
        except (NotNow, Unknown):
            return None

    async def consent(self, contact: str) -> Consent | None:
        """None where the backend keeps none, too: everybody is then asked each time."""
        try:
            body = await self._call("GET", f"/people/{contact}")
        except Unknown:
            return None
        return Consent(str(body["consent"]["version"])) if body.get("consent") else None

    async def give_consent(self, contact: str, channel: str, message_id: str, version: str) -> None:
        """Has no effect where the backend keeps none."""
        body = {"contact": contact, "version": version, "channel": channel, "message_id": message_id}
        with suppress(Unknown):
            await self._call("POST", "/consents", json=body)

    async def draft(self, draft: str, *, ask: str | None = None, message_id: str | None = None) -> Draft:
        """`ask` makes `next` the question of that field, answered already or not, where the backend heeds it. Whether the
        message named was taken before is told in `applied`, where the backend tells it.
        """
        headers, params = {_MESSAGE: message_id} if message_id else {}, {"ask": ask} if ask else {}
        return await self._draft(await self._call("GET", f"/drafts/{draft}", params=params, headers=headers))

    async def drafts(self, contact: str) -> list[Draft]:
        body = await self._call("GET", "/drafts", params={"contact": contact})
        return [await self._draft(item) for item in (body if isinstance(body, list) else body["drafts"])]

    async def answer(self, draft: str, message_id: str, field: str, value: str | None) -> Draft:
        """Raises Refused with the reason when the value doesn't fit."""
        body = {"message_id": message_id, "field": field, "value": value}
        return await self._draft(await self._call("PATCH", f"/drafts/{draft}", json=body))

    async def clear_document(self, draft: str, message_id: str, document: str) -> None:
        """What is sent next takes the place of its pages. Has no effect where the backend replaces them anyway."""
        with suppress(Refused):
            await self.answer(draft, message_id, document, None)

    async def add_document(
        self, draft: str, message_id: str, document: str, content: bytes, content_type: str
    ) -> Draft:
        """Raises Refused with what is wrong with the file."""
        headers = {_MESSAGE: message_id, "Content-Type": content_type}
        return await self._draft(
            await self._call("PUT", f"/drafts/{draft}/documents/{document}", data=content, headers=headers)
        )

    async def submit(self, draft: str, *, again: bool = False) -> Filing:
        """`again`: the person wants it though the same is open. Raises Incomplete, OpenFiling."""
        # A backend from before `Praja-Refuse-Duplicate` refuses of itself until it hears the other, which a later one ignores.
        headers = {"Praja-Confirm-Duplicate" if again else "Praja-Refuse-Duplicate": "yes"}
        return await self._filing(await self._call("POST", f"/drafts/{draft}/submit", headers=headers))

    async def filings(self, contact: str) -> list[Filing]:
        body = await self._call("GET", "/filings", params={"contact": contact})
        return [await self._filing(item) for item in body["filings"]]

    async def filing(
        self, number: str, contact: str, *, proof: str | None = None, message_id: str | None = None
    ) -> Filing:
        """`message_id` as of a draft. Raises Unknown; NotYours for another person's without `proof`, the last four digits
        of their NIK or phone.
        """
        headers = ({"Praja-Proof": proof} if proof else {}) | ({_MESSAGE: message_id} if message_id else {})
        return await self._filing(
            await self._call("GET", f"/filings/{number}", params={"contact": contact}, headers=headers)
        )

    async def correct(
        self, number: str, contact: str, message_id: str, item: str, value: str | Sequence[bytes]
    ) -> Filing:
        """`value` is a field's answer or a document's pages. Raises Refused; NotNow when it isn't asked for (any more)."""
        body: dict[str, Any] = {"message_id": message_id}
        if isinstance(value, str):
            body |= {"field": item, "value": value}
        else:
            body |= {"document": item, "value": [base64.b64encode(page).decode() for page in value]}
        return await self._filing(
            await self._call("POST", f"/filings/{number}/corrections", params={"contact": contact}, json=body)
        )

    async def cancel(self, number: str, contact: str, reason: str) -> Filing:
        """Raises NotNow when it is too late."""
        return await self._filing(
            await self._call("POST", f"/filings/{number}/cancel", params={"contact": contact}, json={"reason": reason})
        )

    async def confirm(self, number: str, contact: str, message_id: str, *, resolved: bool, note: str) -> Filing:
        """Whether a complaint is settled. Raises NotNow for anything that doesn't wait for that; Unknown where the backend
        takes no such word.
        """
        body = {"message_id": message_id, "resolved": resolved, "note": note}
        return await self._filing(
            await self._call("POST", f"/filings/{number}/confirmations", params={"contact": contact}, json=body)
        )

    def result_address(self, number: str, contact: str) -> str:
        """Where the bot fetches the finished document of that contact's filing."""
        return f"{self._url}/filings/{number}/result?{urlencode({'contact': contact})}"

    async def result_type(self, number: str, contact: str) -> str:
        """The content type of the finished document, by what is in it. Raises Unknown when it isn't there."""
        path = f"/filings/{number}/result"
        return str(await self._call("GET", path, read=_content_type, params={"contact": contact}))

    async def verification(self, code: str, contact: str) -> Verified | None:
        """None where the backend checks no codes. Raises Unknown for one that we never gave out, TooManyTries."""
        try:
            return read_verified(await self._call("GET", f"/verifications/{code}", params={"contact": contact}))
        except Unknown:
            try:
                await self.person(contact)
            except Unknown:
                # Whoever can't tell what is kept of a person has no more than the contract.
                return None
            raise

    async def person(self, contact: str) -> Kept:
        """Raises Unknown where the backend gives no account of it."""
        return read_kept(await self._call("GET", f"/people/{contact}"))

    async def erase_person(self, contact: str, message_id: str) -> None:
        """Everything that needn't be kept; what is kept is told by `person` afterwards. Raises Unknown as that does."""
        await self._call("DELETE", f"/people/{contact}", json={"message_id": message_id})

    async def withdraw_consent(self, contact: str, message_id: str) -> None:
        """Raises Unknown where the backend keeps none."""
        await self._call("DELETE", f"/consents/{contact}", json={"message_id": message_id})

    async def _draft(self, body: Mapping[str, Any]) -> Draft:
        if "items" in body:
            self._finds_drafts = True
            return _read_draft(body)
        return _read_draft(complete_draft(body, await self.entry(str(body["service"]))))

    async def _filing(self, body: Mapping[str, Any]) -> Filing:
        whole = body if "mode" in body else complete_filing(body, await self.entry(str(body["service"])))
        return read_filing(whole, self._states.ours)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        read: Callable[[aiohttp.ClientResponse], Awaitable[Any]] | None = None,
        **request: Any,
    ) -> Any:
        """Every call here is safe to repeat: it reads, or names its message or draft, so the backend knows it again."""
        headers = {**self._headers, **turn_header(), **request.pop("headers", {})}
        for pause in (*_PAUSES, None):
            try:
                async with self._session.request(
                    method, self._url + path, headers=headers, timeout=_TIMEOUT, **request
                ) as response:
                    if response.status < 500 or response.status == 501:
                        return await (read or _answer)(response)
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
    try:
        body = await response.json(content_type=None)
    except ValueError:
        # Whatever stands before the backend: it has its own words for a path that isn't there.
        if response.ok:
            raise BackendDown("an answer that is no JSON") from None
        body = None
    if response.ok:
        return body
    problem = body if isinstance(body, Mapping) else {}
    detail = str(problem.get("detail", ""))
    match response.status:
        case 404 | 405 | 410 | 501:
            raise Unknown(detail)
        case 403:
            raise NotYours(detail)
        case 429:
            raise TooManyTries(detail)
        case 409 if problem.get("number"):
            raise OpenFiling(str(problem["number"]))
        case 409 if "missing" in problem:
            raise Incomplete(detail)
        case 409:
            raise NotNow(detail, problem.get("state"))
        case 413 | 422:
            raise Refused(detail)
    raise BackendDown(f"{response.status} {detail}")


async def _content_type(response: aiohttp.ClientResponse) -> Any:
    if not response.ok:
        return await _answer(response)
    return filetype.guess_mime(await response.content.read(_TELLING)) or response.content_type


def _read_draft(body: Mapping[str, Any]) -> Draft:
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
        applied=tuple(body.get("applied") or ()),
    )


def _sent(body: Mapping[str, Any]) -> SentDocument:
    return SentDocument(int(body["pages"]), body.get("hint") if body["status"] == "doubtful" else None)


def _item(body: Mapping[str, Any]) -> DraftItem:
    choices = dict(read_choices(body.get("choices")))
    # A document of which nobody says more is one page.
    pages = int(body.get("maximum_pages") or body["type"] == "document")
    return DraftItem(body["id"], body["name"], body["type"], choices, pages)


def _known(body: Mapping[str, Any]) -> Known:
    return Known(str(body["number"]), {key: str(value) for key, value in body["fields"].items()})
