"""Numbers that are spelled out ("dua belas", "sembilan belas sembilan puluh"), as dictation gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Optional

import yaml

__all__ = ["Rewritten", "in_digits", "unit_numbers"]

_UNITS = Path(__file__).parents[1] / "data" / "kamus" / "bilangan.yml"
_PHRASE = re.compile(r"[a-z]+(?:[ \t]+[a-z]+){0,7}")
_WORD = re.compile(r"[a-z]+")

_Found = Optional[tuple[int, int]]
"""A value, and how many words it takes."""


@dataclass(frozen=True)
class Rewritten:
    """`text` with digits for words; `starts[i]` and `ends[i]` are where its character `i` comes from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=1)
def unit_numbers() -> dict[str, int]:
    """1 to 29, cardinal and ordinal, Indonesian and Javanese, of what is one word."""
    return {word: number for number, words in yaml.safe_load(_UNITS.read_text("utf-8")).items() for word in words}


def in_digits(flat: str) -> Rewritten:
    """`flat` is lower case without accents (`normaliser.flatten`)."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(flat):
        match = _WORD.match(flat, at) if at == 0 or not flat[at - 1].isalnum() else None
        found = _number_at(flat, at) if match else None
        if found is not None:
            value, end = found
            piece = str(value)
            starts += [at] * len(piece)
            ends += [end] * len(piece)
        else:
            end = match.end() if match else at + 1
            piece = flat[at:end]
            starts += range(at, end)
            ends += range(at + 1, end + 1)
        pieces.append(piece)
        at = end
    return Rewritten("".join(pieces), starts, ends)


def _number_at(flat: str, at: int) -> _Found:
    """Value and end of the number spelled out at `at`."""
    phrase = _PHRASE.match(flat, at)
    if phrase is None:
        return None
    words = list(_WORD.finditer(flat, at, phrase.end()))
    found = _thousands([word[0] for word in words])
    return None if found is None else (found[0], words[found[1] - 1].end())


def _thousands(words: Sequence[str]) -> _Found:
    return _scaled(words, "seribu", "ribu", 1000, _hundreds)


def _hundreds(words: Sequence[str]) -> _Found:
    return _scaled(words, "seratus", "ratus", 100, _tens)


def _tens(words: Sequence[str]) -> _Found:
    unit = _unit(words)
    if unit is None or unit >= 10:
        return None if unit is None else (unit, 1)
    if words[1:2] in (["belas"], ["welas"]):
        return 10 + unit, 2
    if words[1:2] == ["likur"]:
        return 20 + unit, 2
    if words[1:2] in (["puluh"], ["dasa"], ["doso"]):
        more = _unit(words[2:])
        return (unit * 10 + more, 3) if more and more < 10 else (unit * 10, 2)
    return unit, 1


def _scaled(
    words: Sequence[str], one: str, many: str, scale: int, smaller: Callable[[Sequence[str]], _Found]
) -> _Found:
    """`[smaller] many [smaller]`, or `one [smaller]`, or `smaller`."""
    first = (1, 1) if words[:1] == [one] else smaller(words)
    if first is None:
        return None
    value, taken = first
    if words[:1] != [one]:
        if words[taken : taken + 1] != [many]:
            return first
        taken += 1
    rest = smaller(words[taken:]) if words[taken:] else None
    return (value * scale, taken) if rest is None else (value * scale + rest[0], taken + rest[1])


def _unit(words: Sequence[str]) -> Optional[int]:
    return unit_numbers().get(words[0]) if words else None
