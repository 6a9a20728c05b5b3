"""The safety rule: clear words of an emergency win over the classifier. `data/kamus/darurat.yml` holds the words."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import yaml
from rapidfuzz import fuzz, process

from nlu.normaliser import load_lexicon, tokenise

__all__ = ["Alarm", "alarm"]

_WORDS = Path(__file__).parents[1] / "data" / "kamus" / "darurat.yml"
_SLIP = 87
_SHORTEST_SLIP = 7
_SHORT = 4
"""Words in a cry: nothing but what happens and where."""


class Alarm(enum.IntEnum):
    """How much a message sounds like an emergency that happens now."""

    NONE = 0
    HINTED = 1
    """A word that people in danger use, and others too: "jatuh", "asap", "takut"."""
    POSSIBLE = 2
    """Words of an emergency, and nothing that says they are past or about a paper."""
    CERTAIN = 3
    """And a cry for help, or nothing else at all."""


def alarm(text: str) -> Alarm:
    words = _phrase(text)
    lists = _lists()
    if _holds(words, lists["bukan"]):
        return Alarm.NONE
    if _holds(words, lists["panggilan"]):
        return Alarm.CERTAIN
    mended = _mend(words, lists["kejadian"])
    if not _holds(mended, lists["kejadian"]):
        return Alarm.HINTED if _holds(mended, lists["gejala"]) else Alarm.NONE
    cried = _holds(mended, lists["mendesak"]) or len(words.split()) <= _SHORT or "!!" in text
    return Alarm.CERTAIN if cried else Alarm.POSSIBLE


def _holds(words: str, phrases: Sequence[str]) -> bool:
    return any(phrase in words for phrase in phrases)


def _mend(words: str, phrases: Sequence[str]) -> str:
    """Words nearly those of an event become them: "kbakaran", "kcelakaan"."""
    known = [phrase.strip() for phrase in phrases if " " not in phrase.strip()]
    mended = []
    for word in words.split():
        near = (
            process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=_SLIP)
            if len(word) >= _SHORTEST_SLIP
            else None
        )
        mended.append(near[0] if near else word)
    return f" {' '.join(mended)} "


def _phrase(text: str) -> str:
    """Dictionary words between single blanks, a blank at either end."""
    words = " ".join(token.word for token in tokenise(text, load_lexicon()) if re.match(r"\w", token.raw))
    return f" {words} "


@lru_cache(maxsize=1)
def _lists() -> Mapping[str, Sequence[str]]:
    lists = yaml.safe_load(_WORDS.read_text("utf-8"))
    return {
        name: sorted({form for phrase in phrases for form in (_phrase(phrase), f" {phrase} ")})
        for name, phrases in lists.items()
    }
