"""What a message can be called: intents (`data/label.yml`), services and families (the catalogue), with meaning and borders."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.services import load_services
from learning.label_changes import Subject

__all__ = ["Intent", "Labels", "LabelsUnfit", "Meaning", "read_labels"]


class LabelsUnfit(Exception):
    """A file can't be used; the message says what to mend."""


class Intent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    nama: str
    arti: str
    """what the citizen wants, to follow "warga …" """
    batas: str
    """what it is mistaken for"""
    contoh: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """Of a service."""

    meaning: str
    border: str


class _Named(BaseModel):
    id: str
    nama: str
    sebutan: tuple[str, ...] = ()
    keluarga: tuple[str, ...] = ()


_Entry = TypeVar("_Entry")
_INTENTS = TypeAdapter(tuple[Intent, ...])
_FAMILIES = TypeAdapter(tuple[_Named, ...])
_MOST_NAMES = 6


@dataclass(frozen=True)
class Labels:
    intents: Mapping[str, Intent]
    """by id"""
    services: Mapping[str, str]
    """id → name; families too, where no service has that id"""
    meanings: Mapping[str, Meaning]
    """by the service's id"""
    awaited: frozenset[tuple[Subject, str]] = frozenset()
    """accepted by people, and not known to the program yet: nothing of them is learned"""

    def service_of(self, text: str) -> str | None:
        """The id of what was chosen or typed: `NAME (ID)`, an id, or a whole name. None for nothing known."""
        wanted = text.strip()
        if wanted.endswith(")") and " (" in wanted:
            wanted = wanted[:-1].rpartition(" (")[2]
        if wanted in self.services:
            return wanted
        return next((known for known, name in self.services.items() if name.casefold() == wanted.casefold()), None)

    def written(self, service: str | None) -> str:
        """As `service_of` reads it."""
        return f"{self.services.get(service, service)} ({service})" if service else ""

    def named(self, intent: str | None) -> str:
        known = self.intents.get(intent or "")
        if known is not None:
            return known.nama
        return "Tidak dipahami" if intent in (None, "nlu_fallback") else str(intent)

    def name(self, subject: Subject, label: str) -> str:
        return self.named(label) if subject is Subject.INTENT else self.services.get(label, label)

    def has(self, subject: Subject, label: str | None) -> bool:
        return label in (self.intents if subject is Subject.INTENT else self.services)


@functools.cache
def read_labels(data: Path) -> Labels:
    """As the program knows them; read once. Raises LabelsUnfit."""
    intents: Sequence[Intent] = _read(data / "label.yml", _INTENTS)
    families: Sequence[_Named] = _read(data / "keluarga.yml", _FAMILIES)
    services = {known: service.name for known, service in load_services(data).items() if service.mode != "pengaduan"}
    named = {family.id: family.nama for family in families} | services
    return Labels(
        {intent.id: intent for intent in intents},
        dict(sorted(named.items(), key=lambda pair: pair[1].casefold())),
        _meanings(data, families, services),
    )


def _meanings(data: Path, families: Sequence[_Named], services: Mapping[str, str]) -> Mapping[str, Meaning]:
    """By what else a service is called, and by which others of its family it borders on."""
    entries = [
        _Named.model_validate(entry)
        for entry in (_load(path) for path in sorted((data / "layanan").glob("*.yml")))
        if isinstance(entry, dict) and entry.get("id") in services
    ]
    of_family: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        for family in entry.keluarga:
            of_family[family].append(entry.id)
    found = {
        family.id: Meaning(
            _called(family), f"Hanya bila belum jelas yang mana: {_listed(of_family[family.id], services)}."
        )
        for family in families
    }
    for entry in entries:
        others = [other for family in entry.keluarga for other in of_family[family] if other != entry.id]
        border = f"Bukan {_listed(list(dict.fromkeys(others)), services)}." if others else ""
        found[entry.id] = Meaning(_called(entry), border)
    return found


def _called(entry: _Named) -> str:
    return f"Disebut juga {', '.join(entry.sebutan[:_MOST_NAMES])}." if entry.sebutan else ""


def _listed(ids: Sequence[str], services: Mapping[str, str]) -> str:
    return ", ".join(services.get(each, each) for each in ids)


def _load(path: Path) -> object:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)


def _read(path: Path, shape: TypeAdapter[tuple[_Entry, ...]]) -> tuple[_Entry, ...]:
    try:
        return shape.validate_python(_load(path))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise LabelsUnfit(f"{path} harus berisi daftar seperti yang ada di contohnya: {error}") from None
