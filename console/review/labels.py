"""What a message can be called: intents with their meaning and borders (`data/label.yml`), services and families by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.services import load_services

__all__ = ["Intent", "Labels", "LabelsUnfit", "read_labels"]


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
    contoh: tuple[str, ...]


class _Family(BaseModel):
    id: str
    nama: str


_Entry = TypeVar("_Entry")
_INTENTS = TypeAdapter(tuple[Intent, ...])
_FAMILIES = TypeAdapter(tuple[_Family, ...])


@dataclass(frozen=True)
class Labels:
    intents: Mapping[str, Intent]
    """by id"""
    services: Mapping[str, str]
    """id → name; families too, where no service has that id"""

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


def read_labels(data: Path) -> Labels:
    """Raises LabelsUnfit."""
    intents: Sequence[Intent] = _read(data / "label.yml", _INTENTS)
    families: Sequence[_Family] = _read(data / "keluarga.yml", _FAMILIES)
    services = {known: service.name for known, service in load_services(data).items() if service.mode != "pengaduan"}
    named = {family.id: family.nama for family in families} | services
    return Labels(
        {intent.id: intent for intent in intents}, dict(sorted(named.items(), key=lambda pair: pair[1].casefold()))
    )


def _read(path: Path, shape: TypeAdapter[tuple[_Entry, ...]]) -> tuple[_Entry, ...]:
    try:
        return shape.validate_python(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise LabelsUnfit(f"{path} harus berisi daftar seperti yang ada di contohnya: {error}") from None
