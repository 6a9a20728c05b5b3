"""Where to go and when: `data/kantor.yml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

__all__ = ["Office", "Offices"]


@dataclass(frozen=True)
class Office:
    id: str
    name: str
    address: str | None
    phone: str | None
    hours: Mapping[str, str]
    """day → `07.30-16.00`, in the order of the week; a day that is missing is closed"""
    breaks: Mapping[str, str]
    """day → `12.00-13.00`"""
    aliases: Sequence[str]
    unverified: bool
    place: str | None
    """`kecamatan` or `desa`: there is one for each"""

    def hours_on(self, day: str) -> str | None:
        """`07.30-16.00 (istirahat 12.00-13.00)`; None when it is closed on that day of the week."""
        hours, pause = self.hours.get(day), self.breaks.get(day)
        return f"{hours} (istirahat {pause})" if hours and pause else hours

    def opening(self) -> str | None:
        """`Senin-Kamis 07.30-16.00 (istirahat 12.00-13.00), Jumat 07.30-11.30; Sabtu dan Minggu tutup`"""
        if not self.hours:
            return None
        runs: list[tuple[list[str], str]] = []
        for day in self.hours:
            hours = self.hours_on(day) or ""
            if runs and runs[-1][1] == hours:
                runs[-1][0].append(day)
            else:
                runs.append(([day], hours))
        parts = [f"{_span(days)} {hours}" for days, hours in runs]
        closed = [day.capitalize() for day in ("sabtu", "minggu") if day not in self.hours]
        return ", ".join(parts) + (f"; {' dan '.join(closed)} tutup" if closed else "")


class Offices:
    def __init__(self, data: Path) -> None:
        entries = yaml.safe_load((data / "kantor.yml").read_text(encoding="utf-8"))
        self._offices = {entry["id"]: _office(entry) for entry in entries}

    def __getitem__(self, name: str) -> Office:
        return self._offices[name]

    def known(self, names: Sequence[str]) -> Sequence[Office]:
        """Those of `names` that are in our file: a district's own catalogue may name others."""
        return [self._offices[name] for name in names if name in self._offices]

    def serving(self, offices: Sequence[str], name: str) -> Office | None:
        """Of `offices`, the one a filing's office is called after: "Kecamatan Candi" is a Kantor Kecamatan."""
        for office in self.known(offices):
            if office.name == name or (office.place is not None and office.place in name.lower()):
                return office
        return None

    def named_in(self, text: str) -> Office | None:
        """The office that a message names by one of its aliases."""
        words = f" {re.sub(r'[^a-z0-9]+', ' ', text.lower())} "
        for office in self._offices.values():
            if any(f" {alias} " in words for alias in office.aliases):
                return office
        return None


def _office(entry: Mapping[str, object]) -> Office:
    place = entry.get("tempat")
    aliases = entry.get("sebutan")
    return Office(
        id=str(entry["id"]),
        name=str(entry["nama"]),
        address=str(entry["alamat"]) if "alamat" in entry else None,
        phone=str(entry["telepon"]) if "telepon" in entry else None,
        hours=_spans(entry.get("jam")),
        breaks=_spans(entry.get("istirahat")),
        aliases=tuple(str(alias) for alias in aliases) if isinstance(aliases, list) else (),
        unverified=bool(entry.get("perlu_verifikasi")),
        place=str(place) if place else None,
    )


def _spans(days: object) -> Mapping[str, str]:
    return {str(day): str(span) for day, span in days.items()} if isinstance(days, dict) else {}


def _span(days: Sequence[str]) -> str:
    return days[0].capitalize() if len(days) == 1 else f"{days[0].capitalize()}-{days[-1].capitalize()}"
