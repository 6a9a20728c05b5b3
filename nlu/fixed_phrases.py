"""Messages that mean one thing whatever the classifier says: `data/kamus/jawaban.yml`, the same words that actions read."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Optional

import yaml

__all__ = ["fixed_intent"]

_WORDS = Path(__file__).parents[1] / "data" / "kamus" / "jawaban.yml"
_ANSWERS = ("beres", "belum_beres")
"""whether a complaint is settled; more words may follow after a comma"""
_QUESTIONS = ("apa_salahnya", "permohonan_saya")
_INTENT = "cek_status"
_AGREEMENT_WITH_A_REASON = re.compile(
    r"(?:ya|iya|iyo|yo|oke|ok|nggih|inggih)(?: cabut| batalkan)?(?: saja| aja| ae)?"
    r" (?:karena|krn|karna|soalnya|soale|sebab|amargo|mergo) .+"
)


def fixed_intent(text: str) -> Optional[str]:
    """The intent of a message that is one of those phrases."""
    if _AGREEMENT_WITH_A_REASON.fullmatch(_fold(text)):
        return "ya"
    first, *_ = re.split(r"[,.;!\n]", text, maxsplit=1)
    is_answer = "?" not in text and not _phrases(_ANSWERS).isdisjoint({_fold(text), _fold(first)})
    return _INTENT if is_answer or _fold(text) in _phrases(_QUESTIONS) else None


def _fold(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))


@lru_cache(maxsize=2)
def _phrases(kinds: tuple[str, ...]) -> frozenset[str]:
    lists = yaml.safe_load(_WORDS.read_text("utf-8"))
    return frozenset(phrase for kind in kinds for phrase in lists[kind])
