"""What a message wants besides its intent, by its words: `data/kamus/permintaan.yml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from actions.words import fold

__all__ = ["asks_of_rejection", "wants"]

_WORDS = Path(__file__).resolve().parents[1] / "data" / "kamus" / "permintaan.yml"


def wants(kind: str, text: str) -> bool:
    """Whether one of the words of that kind is anywhere in the text."""
    padded = f" {fold(text)} "
    return any(f" {words} " in padded for words in _lists()[kind])


def asks_of_rejection(text: str) -> bool:
    """ "Kalau ditolak gimana?": of a rejection that hasn't happened."""
    return wants("pengandaian", text) and wants("ditolak", text)


@lru_cache(maxsize=1)
def _lists() -> Mapping[str, Sequence[str]]:
    lists: Mapping[str, Sequence[str]] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return lists
