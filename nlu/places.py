"""Kecamatan and desa of Sidoarjo in a message, with the blanks and slips people write them with.

The official list joins what people part ("Blurukidul", "bluru kidul"). A name that several places bear, or that is an
everyday word ("suruh", "taman"), counts only with its level before it or together with its kecamatan.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Optional

import yaml
from rapidfuzz import fuzz, process

from nlu.normaliser import flatten, load_lexicon

__all__ = ["FoundPlace", "Gazetteer", "level_of", "load_gazetteer"]

_DATA = Path(__file__).parents[1] / "data"
_WORD = re.compile(r"[a-z]+")
_LEVELS = {
    "kecamatan": "kecamatan",
    "kec": "kecamatan",
    "kecamatane": "kecamatan",
    "camat": "kecamatan",
    "desa": "desa",
    "ds": "desa",
    "deso": "desa",
    "ndeso": "desa",
    "kelurahan": "desa",
    "kel": "desa",
    "lurah": "desa",
    "kades": "desa",
    "dusun": "desa",
    "dsn": "desa",
}
_HAMLETS = ("dusun", "dsn")
"""Parts of a desa that may bear its name; one that is nearly called like a desa is another place."""
_DISTRICT = "sidoarjo"
_LONGEST = 3
"""Words of a name as people part it ("sedati agung", "simo angin angin")."""

_SLIP_WITH_LEVEL = 80
_SLIP_ALONE = 90
_SHORTEST_SLIP = 7


@dataclass(frozen=True)
class FoundPlace:
    start: int
    end: int
    level: str
    """`kecamatan` or `desa`"""
    name: str


@dataclass(frozen=True)
class _Place:
    level: str
    name: str
    kecamatan: str


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    level: Optional[str]
    places: Sequence[_Place]
    sure: bool


class Gazetteer:
    """`rows` are those of `data/wilayah.csv`; `words` are names that are everyday words too."""

    def __init__(self, rows: Iterable[Mapping[str, str]], words: Iterable[str] = ()) -> None:
        places = set()
        for row in rows:
            places.add(_Place("kecamatan", row["kecamatan"], row["kecamatan"]))
            places.add(_Place("desa", row["nama"], row["kecamatan"]))
        self._places: dict[str, list[_Place]] = defaultdict(list)
        for place in sorted(places, key=lambda each: (each.level, each.name, each.kecamatan)):
            self._places[_squash(place.name)].append(place)
        self._names: dict[Optional[str], list[str]] = {
            level: [name for name, known in self._places.items() if any(place.level == level for place in known)]
            for level in ("kecamatan", "desa")
        }
        self._names[None] = list(self._places)
        self._everyday = frozenset(map(_squash, words)) | {_DISTRICT}

    def find(self, text: str) -> Sequence[FoundPlace]:
        """In order, without overlaps."""
        mentions = self._mentions(flatten(text))
        named = {place.kecamatan for mention in mentions if mention.sure for place in _of_level(mention)}
        possible = {place.name for mention in mentions for place in mention.places if place.level == "kecamatan"}
        alone = len(mentions) == 1
        first = [self._decide(mention, named, possible, alone=alone) for mention in mentions]
        # "Tropodo Waru": which Tropodo it is says that Waru is its kecamatan.
        named |= {place.kecamatan for place in first if place is not None}
        found = []
        for mention, decided in zip(mentions, first, strict=True):
            place = decided or self._decide(mention, named, possible, alone=alone)
            if place is not None:
                found.append(FoundPlace(mention.start, mention.end, place.level, place.name))
        return found

    def _mentions(self, flat: str) -> Sequence[_Mention]:
        words = list(_WORD.finditer(flat))
        mentions = []
        at = 0
        while at < len(words):
            before = words[at - 1][0] if at else ""
            mention = self._mention_at(words[at : at + _LONGEST], level_of(before), slips=before not in _HAMLETS)
            if mention is None:
                at += 1
            else:
                mentions.append(mention)
                at = next((i for i, word in enumerate(words) if word.start() >= mention.end), len(words))
        return mentions

    def _mention_at(self, words: Sequence[re.Match[str]], level: Optional[str], *, slips: bool) -> Optional[_Mention]:
        for count in range(len(words), 0, -1):
            squashed = "".join(word[0] for word in words[:count])
            name = squashed if squashed in self._places else self._slip(squashed, level) if slips else None
            if name is None or (count > 1 and level_of(words[0][0])):
                continue
            places = self._places[name]
            if level and not any(place.level == level for place in places):
                level = None
            sure = bool(level) or (len(places) == 1 and name not in self._everyday)
            return _Mention(words[0].start(), words[count - 1].end(), level, places, sure)
        return None

    def _slip(self, squashed: str, level: Optional[str]) -> Optional[str]:
        if len(squashed) < (4 if level else _SHORTEST_SLIP):
            return None
        cutoff = _SLIP_WITH_LEVEL if level else _SLIP_ALONE
        best = process.extractOne(squashed, self._names[level], scorer=fuzz.ratio, score_cutoff=cutoff)
        return best[0] if best and best[0][0] == squashed[0] else None

    def _decide(self, mention: _Mention, named: set[str], possible: set[str], *, alone: bool) -> Optional[_Place]:
        candidates = _of_level(mention)
        if mention.sure:
            return candidates[0] if len({place.name for place in candidates}) == 1 else None
        if alone:
            return None
        # Together with its kecamatan: either it is the kecamatan of a desa that was named, or a desa in one.
        of_named = [place for place in candidates if place.level == "kecamatan" and place.name in named]
        in_possible = [
            place
            for place in candidates
            if place.level == "desa" and place.kecamatan in possible and place.kecamatan != place.name
        ]
        fitting = of_named or in_possible
        return fitting[0] if len(fitting) == 1 else None


def level_of(word: str) -> Optional[str]:
    """`kecamatan` or `desa` for a word that stands before the name of one, abbreviated or not."""
    return _LEVELS.get(word) or _LEVELS.get(load_lexicon().word(word))


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    with (_DATA / "wilayah.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Gazetteer(rows, yaml.safe_load((_DATA / "kamus" / "tempat.yml").read_text("utf-8"))["kata_umum"])


def _of_level(mention: _Mention) -> Sequence[_Place]:
    return [place for place in mention.places if mention.level in (None, place.level)]


def _squash(name: str) -> str:
    return "".join(_WORD.findall(flatten(name)))
