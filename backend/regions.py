"""The kecamatan of the district and the desa and kelurahan in them, from `data/wilayah.csv`."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Regions", "closest", "find_place", "load_regions"]

_KIND = re.compile(r"^(kecamatan|kelurahan|desa|kec|kel|ds)\b[.\s]*", re.IGNORECASE)
_IGNORED = re.compile(r"[\s\-]+")


@dataclass(frozen=True)
class Regions:
    places: Mapping[str, Mapping[str, str]]
    """kecamatan → desa or kelurahan → `desa` or `kelurahan`; official names, in the order of the file"""

    def kecamatan_of(self, desa: str) -> list[str]:
        """Every kecamatan that has a place called so; a dozen names exist twice."""
        return [kecamatan for kecamatan, inside in self.places.items() if find_place(desa, inside)]


def load_regions(data: Path) -> Regions:
    places: dict[str, dict[str, str]] = {}
    with (data / "wilayah.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            places.setdefault(row["kecamatan"], {})[row["nama"]] = row["jenis"]
    return Regions(places)


def find_place(text: str, names: Iterable[str]) -> str | None:
    """The official name that `text` means, whatever its case, spaces and hyphens, with or without "Desa" before it."""
    wanted = {_fold(text), _fold(_KIND.sub("", text.strip()))}
    return next((name for name in names if _fold(name) in wanted), None)


def closest(text: str, names: Iterable[str]) -> str | None:
    """The name that `text` may have been meant for, to suggest it."""
    folded = {_fold(name): name for name in names}
    found = difflib.get_close_matches(_fold(_KIND.sub("", text.strip()))[:60], folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else None


def _fold(name: str) -> str:
    return _IGNORED.sub("", name).casefold()
