"""The agencies whose officers answer: which one a service belongs to, and when it is open. `data/meja.yml`, `kantor.yml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.desk.hours import Hours, read_week

__all__ = ["GENERAL", "Agencies", "Agency", "DeskUnfit"]

GENERAL = "umum"
"""the agency of whatever is about no service"""
_SERVICE = re.compile(r"[a-z0-9_]{1,80}")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DeskUnfit(Exception):
    """A file can't be used; the message says which and what to mend, in the editor's language."""


@dataclass(frozen=True)
class Agency:
    id: str
    name: str
    hours: Hours


class _General(BaseModel):
    model_config = ConfigDict(extra="forbid")
    nama: str
    jam: dict[str, str]


class _Desk(BaseModel):
    model_config = ConfigDict(extra="forbid")
    umum: _General
    istirahat: dict[str, str]
    libur_setempat: list[date]
    prioritas: dict[str, int]
    kembali: list[str]


class Agencies:
    def __init__(self, data: Path) -> None:
        """Raises DeskUnfit."""
        try:
            desk = _Desk.model_validate(_read(data / "meja.yml"))
            breaks = read_week(desk.istirahat)
            general = Hours(read_week(desk.umum.jam), breaks, frozenset(desk.libur_setempat))
            self._agencies = {GENERAL: Agency(GENERAL, desk.umum.nama, general)}
            for office in _read(data / "kantor.yml"):
                week = read_week(office["jam"]) if office.get("jam") else general.week
                its_breaks = read_week(office["istirahat"]) if office.get("istirahat") else breaks
                hours = Hours(week, its_breaks, general.closed_on)
                self._agencies[office["id"]] = Agency(office["id"], office["nama"], hours)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise DeskUnfit(f"meja.yml: '{where}' belum benar: {error.errors()[0]['msg']}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise DeskUnfit(f"meja.yml atau kantor.yml: {error}") from None
        self._data = data
        self._priorities: Mapping[str, int] = desk.prioritas
        self.returning = frozenset(desk.kembali)
        """what a waiting citizen writes to be the bot's again"""
        self._of_family = _first_services(data)

    def all(self) -> Sequence[Agency]:
        return tuple(self._agencies.values())

    def __contains__(self, agency: str) -> bool:
        return agency in self._agencies

    def __getitem__(self, agency: str) -> Agency:
        """One that was taken out of the files since is shown by its id, and keeps the general hours."""
        return self._agencies.get(agency) or Agency(agency, agency, self._agencies[GENERAL].hours)

    def of_service(self, service: str | None) -> str:
        """The id of the agency that a service's, or a family's, questions go to."""
        if service is None or not _SERVICE.fullmatch(service):
            return GENERAL
        file = self._data / "layanan" / f"{service}.yml"
        if not file.exists():
            member = self._of_family.get(service)
            return self.of_service(member) if member else GENERAL
        offices = _read(file).get("kantor") or []
        return next((office for office in offices if office in self._agencies), GENERAL)

    def priority(self, reason: str) -> int:
        return self._priorities.get(reason, 0)


def _first_services(data: Path) -> Mapping[str, str]:
    """Family → one of its services. Its line is found without reading the whole catalogue, which takes a second."""
    found: dict[str, str] = {}
    for file in sorted((data / "layanan").glob("*.yml")):
        line = re.search(r"^keluarga:\s*\[([^\]]*)\]", file.read_text(encoding="utf-8"), re.MULTILINE)
        for family in re.findall(r"[a-z0-9_]+", line[1]) if line else ():
            found.setdefault(family, file.stem)
    return found


def _read(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 the safe one, or its C twin
    except (OSError, yaml.YAMLError) as error:
        raise DeskUnfit(f"{file} tidak bisa dibaca: {error}") from None
