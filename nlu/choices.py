"""Choices: what an id stands for, and which choice a typed number or title means (`docs/rooms.md`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

import yaml

__all__ = ["Choice", "ChoiceUnknown", "chosen_by_text", "meaning"]

_IDENTIFIER = r"[a-z][a-z0-9_]*"
_SHAPE = re.compile(
    rf"niat:(?P<intent>{_IDENTIFIER})(?::(?P<about>{_IDENTIFIER}))?"
    rf"|mulai:(?P<start>{_IDENTIFIER})"
    rf"|isi:{_IDENTIFIER}:(?P<value>.*)",
    re.DOTALL,
)
_NUMBER = re.compile(
    r"(?:saya |aku |mau |tolong )?(?:pilih |ambil |jawab )?(?:yang |yg |sing |ingkang )?"
    r"(?:opsi |pilihan |menu )?(?:nomor |nomer |nmr |nmer |no )?(?P<number>\d{1,2}|[a-z]+)(?: ya| aja| saja| ae| mawon)?"
)
_NUMERALS = Path(__file__).parents[1] / "data" / "kamus" / "bilangan.yml"


class ChoiceUnknown(ValueError):
    """The id has none of the known shapes, or names an intent that the model doesn't know."""


@dataclass(frozen=True)
class Choice:
    id: str
    title: str


def meaning(choice_id: str, intents: Collection[str]) -> dict[str, Any]:
    """What Rasa would have understood: intent and entities. Raises ChoiceUnknown.

    An answer (`isi:`) is the open form's; when none is open it means nothing any more, hence the fallback.
    """
    shape = _SHAPE.fullmatch(choice_id)
    if shape is None:
        raise ChoiceUnknown("choice id has an unknown shape")
    intent = "ajukan_layanan" if shape["start"] else shape["intent"] or "nlu_fallback"
    if intent not in intents:
        raise ChoiceUnknown("choice id names an unknown intent")
    service = shape["start"] or shape["about"]
    entities = [] if service is None else [{"entity": "layanan", "value": service, "confidence_entity": 1.0}]
    return {"intent": {"name": intent, "confidence": 1.0}, "entities": entities}


def chosen_by_text(text: str, choices: Sequence[Choice], *, expects_number: bool) -> Optional[Choice]:
    """The choice whose title or number was typed; None if the text is something else or fits two titles.

    Where the bot has asked for a number (`expects_number`), a number is that answer.
    """
    folded = _fold(text)
    by_title = [choice for choice in choices if _fold(choice.title) == folded]
    if len(by_title) == 1:
        return by_title[0]
    if by_title or expects_number:
        return None
    position = _position(folded)
    return choices[position - 1] if position and position <= len(choices) else None


def _position(folded: str) -> Optional[int]:
    match = _NUMBER.fullmatch(folded)
    if match is None:
        return None
    number = match["number"]
    return int(number) if number.isdigit() else _numerals().get(number)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", plain))


@lru_cache(maxsize=1)
def _numerals() -> Mapping[str, int]:
    return {word: number for number, words in yaml.safe_load(_NUMERALS.read_text("utf-8")).items() for word in words}
