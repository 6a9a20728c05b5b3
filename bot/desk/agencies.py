"""The agencies whose officers answer: which one a service belongs to, and when it is open. `data/meja.yml`, `kantor.yml`.

An office that every kecamatan or desa has (`tempat` in `kantor.yml`) is an agency for all of them, `kecamatan`, and one for
each: `kecamatan:sedati`, `desa:waru/tropodo`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.desk.hours import Hours, read_week
from bot.desk.places import Place, Region, Regions, read_regions

__all__ = ["GENERAL", "Agencies", "Agency", "DeskUnfit", "covers", "kind_of"]

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


def kind_of(agency: str) -> str:
    """`kecamatan` of `kecamatan:sedati`; itself of one that is there once."""
    return agency.partition(":")[0]


def covers(agencies: Collection[str], agency: str) -> bool:
    """Whether it is among them; who has `kecamatan` has that of every kecamatan."""
    return agency in agencies or kind_of(agency) in agencies


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
            self._regions: Regions | None = None
            self._local: dict[str, Agency] = {}
            self._placed: dict[str, str] = {}
            for office in _read(data / "kantor.yml"):
                week = read_week(office["jam"]) if office.get("jam") else general.week
                its_breaks = read_week(office["istirahat"]) if office.get("istirahat") else breaks
                hours = Hours(week, its_breaks, general.closed_on)
                agency = Agency(office["id"], office["nama"], hours)
                self._agencies[agency.id] = agency
                if office.get("tempat"):
                    self._regions = self._regions or read_regions(data)
                    self._local |= {one.id: one for one in _everywhere(agency, office["tempat"], self._regions)}
                    self._placed[agency.id] = office["tempat"]
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise DeskUnfit(f"meja.yml: '{where}' belum benar: {error.errors()[0]['msg']}") from None
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise DeskUnfit(f"meja.yml, kantor.yml atau wilayah.csv: {error}") from None
        self._data = data
        self._priorities: Mapping[str, int] = desk.prioritas
        self.returning = frozenset(desk.kembali)
        """what a waiting citizen writes to be the bot's again"""
        self._of_family = _first_services(data)

    def all(self) -> Sequence[Agency]:
        """In the order of the file, without those of a single kecamatan or desa."""
        return tuple(self._agencies.values())

    def local(self) -> Sequence[Agency]:
        """Those of a single kecamatan or desa."""
        return tuple(self._local.values())

    def __contains__(self, agency: str) -> bool:
        return agency in self._agencies or agency in self._local

    def __getitem__(self, agency: str) -> Agency:
        """One that was taken out of the files since is shown by its id, and keeps the general hours."""
        found = self._agencies.get(agency) or self._local.get(agency)
        return found or Agency(agency, agency, self._agencies[GENERAL].hours)

    def named(self, name: str) -> str | None:
        """The id of the agency that is called so, as it was chosen from a list of names."""
        everywhere = (*self._agencies.values(), *self._local.values())
        return next((agency.id for agency in everywhere if agency.name == name), None)

    def rank(self, agency: str) -> tuple[int, str]:
        """By which they are listed: the order of the file, and in it by place."""
        order = [*self._agencies]
        kind = kind_of(agency)
        return order.index(kind) if kind in order else len(order), agency

    def is_placed(self, agency: str) -> bool:
        """Whether every kecamatan or desa has one of its own."""
        return agency in self._placed

    def at(self, agency: str, place: Place) -> str:
        """The id of that of the place; the general one's where the place isn't known well enough."""
        if self._regions is None or agency not in self._placed:
            return agency
        is_desa = self._placed[agency] == "desa"
        region = self._regions.desa_of(place) if is_desa else self._regions.kecamatan_of(place)
        return f"{agency}:{region.key}" if region else agency

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


def _everywhere(agency: Agency, kind: str, regions: Regions) -> Iterator[Agency]:
    for region in regions.desa if kind == "desa" else regions.kecamatan:
        yield replace(agency, id=f"{agency.id}:{region.key}", name=_local_name(agency.name, region))


def _local_name(office: str, region: Region) -> str:
    """As the backend writes it on filings: `Kantor Kecamatan Candi`, `Kantor Kelurahan Bulusidokare`."""
    name = f"{office.replace('Desa/Kelurahan', region.kind.capitalize())} {region.name}"
    return name if region.is_unique else f"{name} ({region.kecamatan})"


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
