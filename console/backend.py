"""The application backend as officers use it (`backend-api.md`, the officers' token): typed answers and honest failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.desk.places import Place

__all__ = [
    "Abandoned",
    "Answered",
    "BackendDown",
    "BackendRefused",
    "Document",
    "Dossier",
    "Draft",
    "Filing",
    "ListedService",
    "OfficerBackend",
    "Satisfaction",
    "ServiceEntry",
    "Step",
]

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=2)


class BackendDown(Exception):
    """The backend can't be reached now."""


class BackendRefused(Exception):
    """The backend doesn't do that; the message is its sentence for the reader."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Step:
    at: datetime
    state: str
    office: str
    note: str | None


@dataclass(frozen=True)
class Filing:
    number: str
    service: str
    mode: str
    state: str
    submitted_at: datetime
    due_on: date | None
    office: str
    applicant: str
    nik: str
    """masked"""
    chronology: Sequence[Step]
    fix: Sequence[Mapping[str, str]]
    fix_names: Mapping[str, str]
    result: Mapping[str, Any] | None
    confirmed: bool | None
    """of complaints: whether the citizen said that it is solved"""
    representative: tuple[str, str] | None
    """name of who files for the applicant, and what they are to them"""
    place: Place
    """where the applicant lives, as far as it was answered"""


@dataclass(frozen=True)
class Answered:
    field: str
    name: str
    value: str
    masked: bool


@dataclass(frozen=True)
class Document:
    id: str
    name: str
    pages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Dossier:
    contact: str | None
    """None where the person asked not to be named"""
    answers: Sequence[Answered]
    documents: Sequence[Document]


@dataclass(frozen=True)
class Draft:
    """A filing that isn't sent yet, as far as an officer needs to know it."""

    service: str
    answers: Mapping[str, str]
    """field → answer, numbers of persons masked"""
    names: Mapping[str, str]
    """field or document → name"""
    documents: Sequence[str]
    missing: Sequence[str]


@dataclass(frozen=True)
class Satisfaction:
    """The index of a service or agency (Permenpan RB 14/2017)."""

    subject: str
    respondents: int
    index: float | None
    grade: str | None


@dataclass(frozen=True)
class Abandoned:
    """Where filings of a service were left."""

    service: str
    begun: int
    submitted: int
    expired: int
    left_at: Sequence[tuple[str, int]]
    """name of the question or document, how many stopped there; most first"""


@dataclass(frozen=True)
class ListedService:
    id: str
    name: str
    mode: str


@dataclass(frozen=True)
class ServiceEntry:
    id: str
    name: str
    offices: Sequence[str]
    fields: Mapping[str, str]
    """id → name"""
    documents: Mapping[str, str]


class OfficerBackend:
    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._services: dict[str, ServiceEntry] = {}
        self._listed: Sequence[ListedService] = ()

    async def services(self) -> Sequence[ListedService]:
        """As the catalogue lists them; read once, as each of them."""
        if not self._listed:
            body = await self._json("GET", "/services")
            self._listed = [ListedService(entry["id"], entry["name"], entry["mode"]) for entry in body["services"]]
        return self._listed

    async def names(self) -> dict[str, str]:
        return {entry.id: entry.name for entry in await self.services()}

    async def service(self, service: str) -> ServiceEntry:
        """Read once: a new catalogue comes with a restart."""
        if service not in self._services:
            body = await self._json("GET", f"/services/{quote(service, safe='')}")
            self._services[service] = ServiceEntry(
                id=body["id"],
                name=body["name"],
                offices=tuple(body["offices"]),
                fields={field["id"]: field["name"] for field in body.get("fields", ())},
                documents={document["id"]: document["name"] for document in body.get("documents", ())},
            )
        return self._services[service]

    async def filings(
        self, *, state: str | None = None, service: str | None = None, contact: str | None = None,
        after: str | None = None,
    ) -> tuple[Sequence[Filing], str | None]:  # fmt: skip
        """A page, newest first, and where the next begins."""
        given = {"state": state, "service": service, "contact": contact, "after": after}
        body = await self._json("GET", "/filings", params={key: value for key, value in given.items() if value})
        return [_filing(item) for item in body["filings"]], body["next"]

    async def drafts(self, contact: str) -> Sequence[Draft]:
        body = await self._json("GET", "/drafts", params={"contact": contact})
        return [_draft(item) for item in body["drafts"]]

    async def satisfaction(self) -> Sequence[Satisfaction]:
        """Of all, then of each agency."""
        body = await self._json("GET", "/satisfaction")
        entries = [("Semua", body["total"]), *((entry["agency"], entry) for entry in body["agencies"])]
        return [Satisfaction(name, e["respondents"], e["index"], e["grade"]) for name, e in entries]

    async def abandoned(self) -> Sequence[Abandoned]:
        body = await self._json("GET", "/abandonment")
        return [
            Abandoned(
                entry["name"],
                entry["begun"],
                entry["submitted"],
                entry["expired"],
                [(left["name"], left["count"]) for left in entry["left_at"]],
            )
            for entry in body["services"]
        ]

    async def filing(self, number: str) -> Filing:
        return _filing(await self._json("GET", f"/filings/{quote(number, safe='')}"))

    async def dossier(self, number: str, *, reveal: str | None = None) -> Dossier:
        """`reveal` names the one field that isn't masked."""
        params = {"reveal": reveal} if reveal else {}
        body = await self._json("GET", f"/filings/{quote(number, safe='')}/dossier", params=params)
        return Dossier(
            contact=body["contact"],
            answers=[Answered(a["field"], a["name"], a["value"], a["masked"]) for a in body["answers"]],
            documents=[Document(d["document"], d["name"], d["pages"]) for d in body["documents"]],
        )

    async def move(
        self, number: str, to: str, note: str, officer: str, fix: Sequence[Mapping[str, str]] = ()
    ) -> Filing:
        body = {"to": to, "note": note, "officer": officer, **({"fix": list(fix)} if fix else {})}
        return _filing(await self._json("POST", f"/filings/{quote(number, safe='')}/transitions", json=body))

    async def put_result(self, number: str, content: bytes) -> Filing:
        return _filing(await self._json("PUT", f"/filings/{quote(number, safe='')}/result", data=content))

    async def file(self, path: str) -> tuple[str, bytes]:
        """Content type and content of `/filings/…/documents/…` or `/filings/…/result`."""
        async with self._asking("GET", path) as response:
            await _need_ok(response)
            return response.content_type, await response.read()

    async def _json(self, method: str, path: str, **request: Any) -> Any:
        async with self._asking(method, path, **request) as response:
            await _need_ok(response)
            return await response.json()

    def _asking(self, method: str, path: str, **request: Any) -> _Asking:
        return _Asking(
            self._session.request(method, self._url + path, headers=self._headers, timeout=_TIMEOUT, **request)
        )


class _Asking:
    """The request, whose failures to arrive become BackendDown."""

    def __init__(self, request: Any) -> None:
        self._request = request

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            response: aiohttp.ClientResponse = await self._request.__aenter__()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BackendDown(type(error).__name__) from None
        return response

    async def __aexit__(self, *error: Any) -> None:
        await self._request.__aexit__(*error)


async def _need_ok(response: aiohttp.ClientResponse) -> None:
    if response.ok:
        return
    if response.status >= 500:
        raise BackendDown(str(response.status))
    try:
        detail = str((await response.json(content_type=None))["detail"])
    except (ValueError, KeyError, TypeError):
        detail = "Sistem pencatatan menolak permintaan itu."
    raise BackendRefused(response.status, detail)


def _draft(body: Mapping[str, Any]) -> Draft:
    return Draft(
        service=body["service"],
        answers=body["answers"],
        names={item["id"]: item["name"] for item in body.get("items") or ()},
        documents=tuple(body["documents"]),
        missing=tuple(body["missing"]),
    )


def _filing(body: Mapping[str, Any]) -> Filing:
    applicant, helper, place = body.get("applicant") or {}, body.get("representative"), body.get("place") or {}
    return Filing(
        number=body["number"],
        service=body["service"],
        mode=body.get("mode") or "permohonan",
        state=body["state"],
        submitted_at=datetime.fromisoformat(body["submitted_at"]),
        due_on=date.fromisoformat(body["due_on"]) if body.get("due_on") else None,
        office=body.get("office") or "",
        applicant=applicant.get("name") or "–",
        nik=applicant.get("nik") or "–",
        chronology=[
            Step(datetime.fromisoformat(step["at"]), step["state"], step.get("office") or "", step.get("note"))
            for step in body.get("chronology") or ()
        ],
        fix=body.get("fix") or (),
        fix_names=body.get("fix_names") or {},
        result=body.get("result"),
        confirmed=body.get("confirmed"),
        representative=(helper["name"], helper["relation"]) if helper else None,
        place=Place(place.get("kecamatan"), place.get("desa")),
    )
