"""Words that have one meaning while the bot is asking: `data/kamus/jawaban.yml` and `bilangan.yml`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    "fold",
    "is_word",
    "names_after",
    "number_in",
    "replace_synonyms",
    "represents",
    "starts_with_word",
    "wonders",
]

_WORDS = Path(__file__).resolve().parents[1] / "data" / "kamus"
_FOR = r"(?:untuk|utk|buat|gae|gawe|kanggo|kagem|damel|bagi|atas nama)"
_NO_PRINCIPALS = ("anak", "putri", "almarhum")
"""A child's and a dead person's papers are the family's own business."""


def fold(text: str) -> str:
    """Lower case, words between single blanks."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def is_word(kind: str, text: str) -> bool:
    """Whether the whole text is one of that kind."""
    return fold(text) in _lists()[kind]


def starts_with_word(kind: str, text: str) -> bool:
    folded = fold(text)
    return any(folded == word or folded.startswith(word + " ") for word in _lists()[kind])


def wonders(text: str) -> bool:
    """A question by its mark or by a word of asking."""
    padded = f" {fold(text)} "
    return "?" in text or any(f" {word} " in padded for word in _lists()["bertanya"])


def represents(text: str) -> bool:
    """Whether somebody speaks for another: "untuk ibu saya", "mewakili warga saya"."""
    padded = f" {fold(text)} "
    if any(f" {word} " in padded for word in _lists()["untuk_orang_lain"]):
        return True
    kin = "|".join(re.escape(word) for word in _kin())
    return re.search(rf" {_FOR} (?:{kin})(?:ku|nya|e|mu)? ", padded) is not None


def names_after(text: str) -> str:
    """The name alone, of "nama saya Siti Aminah"."""
    for words in sorted(_lists()["sebelum_nama"], key=len, reverse=True):
        pattern = r"\W+".join(map(re.escape, words.split()))
        if match := re.match(rf"\s*{pattern}(?:\s+adalah)?[\s:,=.]+", text, re.IGNORECASE):
            return text[match.end() :].strip(" .,:;")
    return text.strip(" .,:;")


def number_in(text: str) -> int | None:
    """The number that one word of a text says: "empat orang" is 4."""
    said = {_numerals()[word] for word in fold(text).split() if word in _numerals()}
    return said.pop() if len(said) == 1 else None


def replace_synonyms(text: str) -> str:
    """Words that name a choice otherwise, put as the choice has them: "lanang" is "laki-laki"."""
    return " ".join(_synonyms().get(word, word) for word in text.split())


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    return {kind: frozenset(words) for kind, words in _read("jawaban").items() if kind != "padanan"}


@lru_cache(maxsize=1)
def _kin() -> tuple[str, ...]:
    return tuple(word for word in _read("kerabat") if word not in _NO_PRINCIPALS)


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, str]:
    return {word: title for title, words in _read("jawaban")["padanan"].items() for word in words}


@lru_cache(maxsize=1)
def _numerals() -> dict[str, int]:
    return {word: number for number, words in _read("bilangan").items() for word in words}


def _read(name: str) -> Any:
    return yaml.safe_load((_WORDS / f"{name}.yml").read_text(encoding="utf-8"))
