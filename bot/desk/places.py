"""The kecamatan of the district and the desa and kelurahan in them, each of which may have an office. `data/wilayah.csv`."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Place", "Region", "Regions", "read_regions"]


@dataclass(frozen=True)
class Place:
    """As far as it was told, by official names in any spelling of case, blanks and hyphens."""

    kecamatan: str | None
    desa: str | None


@dataclass(frozen=True)
class Region:
    """A kecamatan, or a desa or kelurahan in one."""

    kecamatan: str
    desa: str | None
    kind: str
    """`kecamatan`, `desa` or `kelurahan`"""
    is_unique: bool
    """no other is called so; a dozen desa share their name with one in another kecamatan"""

    @property
    def key(self) -> str:
        """`waru`, `waru/tropodo`"""
        return "/".join(map(_fold, filter(None, (self.kecamatan, self.desa))))

    @property
    def name(self) -> str:
        return self.desa or self.kecamatan


class Regions:
    def __init__(self, regions: Sequence[Region]) -> None:
        self.kecamatan = [region for region in regions if region.desa is None]
        self.desa = [region for region in regions if region.desa is not None]
        self._by_key: Mapping[str, Region] = {region.key: region for region in regions}

    def kecamatan_of(self, place: Place) -> Region | None:
        """None where it isn't told, or two have a desa of that name."""
        if place.kecamatan is not None:
            return self._by_key.get(_fold(place.kecamatan))
        desa = self.desa_of(place)
        return self._by_key.get(_fold(desa.kecamatan)) if desa else None

    def desa_of(self, place: Place) -> Region | None:
        """None where it isn't told, may be either of two, or isn't in the kecamatan that was told."""
        if place.desa is None:
            return None
        if place.kecamatan is not None:
            return self._by_key.get(f"{_fold(place.kecamatan)}/{_fold(place.desa)}")
        wanted = _fold(place.desa)
        return next((one for one in self.desa if one.is_unique and _fold(one.name) == wanted), None)


def read_regions(data: Path) -> Regions:
    """Raises OSError, and KeyError for a column that is missing."""
    with (data / "wilayah.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["kecamatan"], row["nama"], row["jenis"]) for row in csv.DictReader(file)]
    folded = [_fold(name) for _, name, _ in rows]
    return Regions(
        [
            *(Region(name, None, "kecamatan", is_unique=True) for name in dict.fromkeys(row[0] for row in rows)),
            *(Region(*row, is_unique=folded.count(_fold(row[1])) == 1) for row in rows),
        ]
    )


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())
