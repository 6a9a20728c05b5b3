"""The ways a message is looked at: as it was written, and in dictionary words with numbers, dates and places as classes."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml

from nlu.mentions import find_mentions
from nlu.normaliser import fold, load_lexicon, tokenise

__all__ = ["as_words", "as_written"]

_DIGITS = re.compile(r"\d{6,}")
_ANY_DAY = date(2026, 1, 1)
"""Which day a date means makes no difference here, only that it is one."""


_KIN = Path(__file__).parents[1] / "data" / "kamus" / "kerabat.yml"
_DIED = "meninggal"
_FOREIGN = Path(__file__).parents[1] / "data" / "kamus" / "luar.yml"


def as_written(text: str) -> str:
    """Lower case, without accents, long numbers masked: a number is no feature, and none is kept in a model."""
    return _DIGITS.sub(" xangka ", fold(text))


def as_words(text: str) -> str:
    """Dictionary words between blanks; what was found in the text by its class ("xtanggal", "xdesa")."""
    masked = text
    for mention in reversed(_outermost(text)):
        masked = f"{masked[: mention[0]]} x{mention[2].replace('_', '')} {masked[mention[1] :]}"
    words = _DIGITS.sub("xangka", " ".join(token.word for token in tokenise(masked, load_lexicon())))
    return _foreign().sub(r"\g<0> xluar", _gone().sub(rf"\g<0> {_DIED}", words))


def _outermost(text: str) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for mention in find_mentions(text, _ANY_DAY):
        if not spans or mention.start >= spans[-1][1]:
            spans.append((mention.start, mention.end, mention.entity))
    return spans


@lru_cache(maxsize=1)
def _foreign() -> re.Pattern[str]:
    """Towns and institutions that are none of ours are of one class: those never taught are known by those that were."""
    lists = yaml.safe_load(_FOREIGN.read_text("utf-8"))
    return re.compile(rf"\b(?:{'|'.join(re.escape(name) for names in lists.values() for name in names)})(?!\w)")


@lru_cache(maxsize=1)
def _gone() -> re.Pattern[str]:
    """ "Bapak sudah tidak ada" says that he died; "bapak tidak ada di rumah" and "anak tidak ada akta" don't."""
    kin = "|".join(yaml.safe_load(_KIN.read_text("utf-8")))
    return re.compile(
        rf"\b(?:{kin})(?: (?:saya|kula|kulo|kami|aku|dia))?(?: (?:sudah|baru))? tidak ada(?: (?:kemarin|tadi|xtanggal))?"
        r"(?=$| [,.;!?]| (?:kemarin|tadi|xtanggal|sejak)\b)"
    )
