"""Words that have one meaning while the bot is asking: `data/kamus/jawaban.yml`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

__all__ = ["fold", "is_word", "names_after", "starts_with_word", "wonders"]

_FILE = Path(__file__).resolve().parents[1] / "data" / "kamus" / "jawaban.yml"


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


def names_after(text: str) -> str:
    """The name alone, of "nama saya Siti Aminah"."""
    for words in sorted(_lists()["sebelum_nama"], key=len, reverse=True):
        pattern = r"\W+".join(map(re.escape, words.split()))
        if match := re.match(rf"\s*{pattern}(?:\s+adalah)?[\s:,=.]+", text, re.IGNORECASE):
            return text[match.end() :].strip(" .,:;")
    return text.strip(" .,:;")


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    return {kind: frozenset(words) for kind, words in yaml.safe_load(_FILE.read_text(encoding="utf-8")).items()}
