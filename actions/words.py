"""Words that have one meaning while the bot is asking: `data/kamus/jawaban.yml`, `bilangan.yml` and `darurat.yml`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    "after_courtesy",
    "alarms",
    "fold",
    "has_word",
    "is_word",
    "names_after",
    "number_in",
    "puts_off",
    "replace_synonyms",
    "represents",
    "spoken_digits",
    "starts_with_word",
    "wonders",
]

_WORDS = Path(__file__).resolve().parents[1] / "data" / "kamus"
_FOR = r"(?:untuk|utk|buat|gae|gawe|kanggo|kagem|damel|bagi|atas nama)"
_NO_PRINCIPALS = ("anak", "putri", "almarhum")
"""A child's and a dead person's papers are the family's own business."""
_LONGEST_ADJOURNMENT = 10
"""words"""
_FEWEST_SPOKEN_DIGITS = 8
_ZERO = ("nol", "kosong")


def fold(text: str) -> str:
    """Lower case, words between single blanks."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def is_word(kind: str, text: str) -> bool:
    """Whether the whole text is one of that kind, with or without words of courtesy: "kirim nak", "iya kirim ya pak"."""
    return not _lists()[kind].isdisjoint(_without_courtesy(fold(text).split()))


def has_word(kind: str, text: str) -> bool:
    """Whether one of that kind is anywhere in the text."""
    padded = f" {fold(text)} "
    return any(f" {word} " in padded for word in _lists()[kind])


def starts_with_word(kind: str, text: str) -> bool:
    folded = fold(text)
    return any(folded == word or folded.startswith(word + " ") for word in _lists()[kind])


def after_courtesy(text: str) -> str:
    """Folded, without the words of courtesy it begins with: "tolong ubah nama"."""
    words = fold(text).split()
    start = next((i for i, word in enumerate(words) if word not in _lists()["sapaan"]), 0)
    return " ".join(words[start:])


def puts_off(text: str) -> bool:
    """Whether somebody wants to go on later: "nanti saja ya nak, mbah cari dulu"."""
    if is_word("nanti", text):
        return True
    padded = f" {fold(text)} "
    if "?" in text or len(padded.split()) > _LONGEST_ADJOURNMENT:
        return False
    return any(f" {words} " in padded for words in _lists()["nanti"] if " " in words)


def alarms(text: str) -> bool:
    """Whether a word of an emergency is in the text: something that happens, or a call for help."""
    padded = f" {fold(text)} "
    return any(f" {words} " in padded for words in _alarms())


def wonders(text: str) -> bool:
    """A question by its mark or by a word of asking."""
    return "?" in text or has_word("bertanya", text)


def represents(text: str) -> bool:
    """Whether somebody speaks for another: "untuk ibu saya", "mewakili warga saya"."""
    if has_word("untuk_orang_lain", text):
        return True
    padded = f" {fold(text)} "
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


def spoken_digits(text: str) -> str | None:
    """`3515…` of "tiga lima satu lima …", as a number is dictated; None of anything else."""
    words = fold(text).split()
    digits = ["0" if word in _ZERO else str(_numerals().get(word, "")) for word in words]
    longest = max("".join(digit if len(digit) == 1 else " " for digit in digits).split(), key=len, default="")
    return longest if len(longest) >= _FEWEST_SPOKEN_DIGITS else None


def replace_synonyms(text: str) -> str:
    """Words that name a choice otherwise, put as the choice has them: "lanang" is "laki-laki"."""
    return " ".join(_synonyms().get(word, word) for word in text.split())


def _without_courtesy(words: Sequence[str]) -> set[str]:
    """The text itself, and what is left of it without some of the words of courtesy around it.

    Of courtesy alone only the beginning counts: "ya pak" is a yes, "tolong ya" isn't.
    """
    courtesy = _lists()["sapaan"]
    before = next((i for i, word in enumerate(words) if word not in courtesy), len(words))
    after = next((i for i, word in enumerate(reversed(words)) if word not in courtesy), len(words))
    befores = range(before + 1) if before < len(words) else range(1)
    return {
        " ".join(words[start : len(words) - end])
        for start in befores
        for end in range(after + 1)
        if start + end < max(len(words), 1)
    }


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    return {kind: frozenset(words) for kind, words in _read("jawaban").items() if kind != "padanan"}


@lru_cache(maxsize=1)
def _alarms() -> tuple[str, ...]:
    known = _read("darurat")
    return (*known["kejadian"], *known["panggilan"], "tolong", "tulung")


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
