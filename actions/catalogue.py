"""The catalogue as the dialogue reads it: fetched from the backend, kept a while, still there when the backend is not."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from actions.backend import Backend, BackendDown, Unknown
from actions.entry import listed_in, plain_name

__all__ = ["Catalogue", "Fact", "Item", "Service", "Summary"]

_FRESH = 300.0
_UNKNOWN = "Belum ada dalam data kami"
_BRING = re.compile(r"\bbawa\b.*\basli", re.IGNORECASE)


@dataclass(frozen=True)
class Fact:
    text: str
    unverified: bool

    @property
    def needs_warning(self) -> bool:
        """ "Belum ada dalam data kami" claims nothing that would have to be made sure of."""
        return self.unverified and not self.text.startswith(_UNKNOWN)


@dataclass(frozen=True)
class Item:
    """A field or a document of a service."""

    id: str
    name: str
    optional: bool = False
    condition: str | None = None
    depends: bool = False
    """asked only after certain answers"""


@dataclass(frozen=True)
class Summary:
    id: str
    name: str
    families: Sequence[str]
    mode: str
    agency: str


@dataclass(frozen=True)
class Service(Summary):
    offices: Sequence[str]
    online: Sequence[str]
    requirements: Sequence[Fact]
    documents: Sequence[Item] | None
    """None where the catalogue doesn't tell"""
    fields: Sequence[Item]
    fee: Fact
    time_limit: Fact
    legal_basis: Sequence[Fact]
    steps: Sequence[Fact]
    notes: Sequence[Fact]
    representation: str | None
    """who may do it for somebody else: `always` (with a power of attorney), `unless_family`, `not_allowed`; None where the
    catalogue doesn't tell
    """
    due_if_today: date | None
    """by when a filing submitted today would be done; None when that isn't known"""

    @property
    def is_filed(self) -> bool:
        """Whether the chat has a form for it."""
        return self.mode == "permohonan" or (self.mode != "rujukan" and bool(self.fields))

    @property
    def may_be_represented(self) -> bool:
        """Whether one may file it for another person."""
        return self.mode == "permohonan" and self.representation not in (None, "not_allowed")

    @property
    def originals(self) -> Fact | None:
        """Where the original papers are wanted, when they are."""
        return next((fact for fact in (*self.notes, *self.steps) if _BRING.search(fact.text)), None)


class Catalogue:
    def __init__(self, backend: Backend, data: Path) -> None:
        self._backend = backend
        self._families = {
            f["id"]: f["nama"] for f in yaml.safe_load((data / "keluarga.yml").read_text(encoding="utf-8"))
        }
        self._summaries: tuple[float, Mapping[str, Summary]] | None = None
        self._services: dict[str, tuple[float, Service]] = {}

    def family_name(self, name: str) -> str | None:
        return self._families.get(name)

    async def name(self, service_or_family: str) -> str | None:
        """What citizens call it; None for what is neither."""
        known = (await self.summaries()).get(service_or_family)
        return known.name if known is not None else self.family_name(service_or_family)

    async def summaries(self) -> Mapping[str, Summary]:
        if self._summaries is None or time.monotonic() - self._summaries[0] > _FRESH:
            try:
                listed = {s["id"]: _summary(s) for s in await self._backend.services()}
                self._summaries = (time.monotonic(), listed)
            except BackendDown:
                if self._summaries is None:
                    raise
        return self._summaries[1]

    async def family(self, family: str) -> list[Summary]:
        return [service for service in (await self.summaries()).values() if family in service.families]

    async def service(self, name: str) -> Service | None:
        """None for a name that is no service."""
        known = self._services.get(name)
        if known is None or time.monotonic() - known[0] > _FRESH:
            try:
                entry = await self._backend.service(name)
                known = (time.monotonic(), _service(entry, (await self.summaries()).get(name)))
                self._services[name] = known
            except Unknown:
                return None
            except BackendDown:
                if known is None:
                    raise
                # "Today" of an old answer may be yesterday.
                return replace(known[1], due_if_today=None)
        return known[1]


def _summary(body: Mapping[str, Any]) -> Summary:
    return Summary(body["id"], body["name"], tuple(body["families"]), body["mode"], body["agency"])


def _service(entry: Mapping[str, Any], summary: Summary | None) -> Service:
    """What the contract says of every service is listed; of "the whole catalogue entry" a backend may tell more or less."""
    body = {**(asdict(summary) if summary is not None else {}), **entry}
    return Service(
        id=body["id"],
        name=body["name"],
        families=tuple(body["families"]),
        mode=body["mode"],
        agency=body["agency"],
        offices=tuple(body.get("offices") or ()),
        online=tuple(body.get("online") or ()),
        requirements=_facts(body.get("requirements")),
        documents=_items(body, "documents") if isinstance(body.get("documents"), list) else None,
        fields=_items(body, "fields"),
        fee=_fact(body.get("fee")),
        time_limit=_fact(body.get("time_limit")),
        legal_basis=_facts(body.get("legal_basis")),
        steps=_facts(body.get("steps")),
        notes=_facts(body.get("notes")),
        representation=body.get("power_of_attorney"),
        due_if_today=date.fromisoformat(body["due_on_if_today"]) if body.get("due_on_if_today") else None,
    )


def _items(body: Mapping[str, Any], kind: str) -> tuple[Item, ...]:
    return tuple(
        Item(
            each["id"],
            each.get("name") or plain_name(each["id"]),
            bool(each.get("optional")),
            each.get("condition"),
            bool(each.get("only_if")),
        )
        for each in listed_in(body, kind)
    )


def _facts(told: Any) -> tuple[Fact, ...]:
    return tuple(_fact(each) for each in (told if isinstance(told, list) else [told] if told else ()))


def _fact(told: Any) -> Fact:
    """Mere words say nothing of their source."""
    fact = told if isinstance(told, Mapping) else {"text": told, "unverified": True}
    return Fact(str(fact.get("text") or _UNKNOWN), bool(fact.get("unverified")))
