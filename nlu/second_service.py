"""A second service asked for in the same breath: "mau bikin akta sama KIA sekalian". `data/kamus/permintaan.yml` has the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from nlu.normaliser import flatten

__all__ = ["parts_joined"]

_WORDS = Path(__file__).parents[1] / "data" / "kamus" / "permintaan.yml"
_LONGEST = 15
"""words; a longer message tells a story, in which other papers are named too"""
_MOST_PARTS = 4


def parts_joined(text: str) -> Sequence[str]:
    """What words such as "sama" and "sekalian" join, where it may be wishes; none where it may be papers to bring."""
    words = re.findall(r"[\w'-]+|[&+]", flatten(text))
    if len(words) > _LONGEST or not _words("bukan_dua_layanan").isdisjoint(words):
        return ()
    parts: list[list[str]] = [[]]
    for word in words:
        if word in _words("penghubung"):
            parts.append([])
        else:
            parts[-1].append(word)
    said = [" ".join(part) for part in parts if part]
    return said if 2 <= len(said) <= _MOST_PARTS else ()


@lru_cache(maxsize=2)
def _words(kind: str) -> frozenset[str]:
    return frozenset(map(str, yaml.safe_load(_WORDS.read_text("utf-8"))[kind]))
