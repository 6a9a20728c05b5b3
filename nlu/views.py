"""The ways a message is looked at: as it was written, and in dictionary words with numbers, dates and places as classes."""

from __future__ import annotations

import re
from datetime import date

from nlu.mentions import find_mentions
from nlu.normaliser import fold, load_lexicon, tokenise

__all__ = ["as_words", "as_written"]

_DIGITS = re.compile(r"\d{6,}")
_ANY_DAY = date(2026, 1, 1)
"""Which day a date means makes no difference here, only that it is one."""


def as_written(text: str) -> str:
    """Lower case, without accents, long numbers masked: a number is no feature, and none is kept in a model."""
    return _DIGITS.sub(" xangka ", fold(text))


def as_words(text: str) -> str:
    """Dictionary words between blanks; what was found in the text by its class ("xtanggal", "xdesa")."""
    masked = text
    for mention in reversed(_outermost(text)):
        masked = f"{masked[: mention[0]]} x{mention[2].replace('_', '')} {masked[mention[1] :]}"
    return _DIGITS.sub("xangka", " ".join(token.word for token in tokenise(masked, load_lexicon())))


def _outermost(text: str) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for mention in find_mentions(text, _ANY_DAY):
        if not spans or mention.start >= spans[-1][1]:
            spans.append((mention.start, mention.end, mention.entity))
    return spans
