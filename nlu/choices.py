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

__all__ = ["Choice", "ChoiceUnknown", "chosen_by_text", "meaning", "proof_in"]

_IDENTIFIER = r"[a-z][a-z0-9_]*"
_FILING = r"SDA-\d{4}-[0-9A-HJKMNP-TV-Z]{6}"
_FORM = "nlu_fallback"
"""The open form takes it; when none is open it means nothing any more."""


@dataclass(frozen=True)
class _Kind:
    """Ids of one shape. Where `intent` is None, the id names it in a group of that name; the other groups are entities."""

    shape: re.Pattern[str]
    intent: Optional[str]


_KINDS = tuple(
    _Kind(re.compile(shape, re.DOTALL), intent)
    for shape, intent in (
        (rf"niat:(?P<intent>{_IDENTIFIER})(?::(?P<layanan>{_IDENTIFIER}))?", None),
        (rf"mulai:(?P<layanan>{_IDENTIFIER})(?::wakil)?", "ajukan_layanan"),
        (rf"setuju:(?P<layanan>{_IDENTIFIER})(?::wakil)?", "ajukan_layanan"),
        (rf"isi:{_IDENTIFIER}:.*", _FORM),
        (rf"unggah:{_IDENTIFIER}", _FORM),
        (rf"status:(?P<nomor_permohonan>{_FILING})", "cek_status"),
        (rf"bukti:(?P<nomor_permohonan>{_FILING}):\d{{4}}", "cek_status"),
        (rf"konfirmasi:(?P<nomor_permohonan>{_FILING}):(?:ya|belum)", "cek_status"),
        (rf"perbaiki:(?P<nomor_permohonan>{_FILING})", "perbaiki_permohonan"),
        (rf"cabut:(?P<nomor_permohonan>{_FILING})(?::ya(?::{_IDENTIFIER})?)?", "batalkan_permohonan"),
        (rf"hasil:(?P<nomor_permohonan>{_FILING})", "ambil_hasil"),
        (r"data:(?:lihat|unduh|(?:hapus|tarik)(?::ya)?)", "privasi_data"),
    )
)
_NUMBER = re.compile(
    r"(?:saya |aku |mau |tolong )?(?:pilih |ambil |jawab )?(?:yang |yg |sing |ingkang )?"
    r"(?:opsi |pilihan |menu )?(?:nomor |nomer |nmr |nmer |no )?(?P<number>\d{1,2}|[a-z]+)(?: ya| aja| saja| ae| mawon)?"
)
_LAST = re.compile(
    r"(?:yang |yg |sing |ingkang )?(?:paling )?(?:terakhir|akhir|keri|pungkasan|buncit)(?: ya| aja| saja| ae| mawon)?"
)
_WHICH = re.compile(
    r"(?:yang |yg |sing |seng |ingkang )(?P<words>[a-z]+(?: [a-z]+){0,2}?)(?: ya| aja| saja| ae| mawon)?"
)
_PROOF = re.compile(
    r"(?:(?:empat|4|angka|digit|terakhir|akhir|nik|nomor|no|nya|e|hp|itu|iku|ini|iki|adalah|saya|pemohon) )*"
    r"(?P<digits>\d{4})(?: ya| kak| pak| bu| mas| mbak)*"
)
_NUMERALS = Path(__file__).parents[1] / "data" / "kamus" / "bilangan.yml"


class ChoiceUnknown(ValueError):
    """The id has none of the known shapes, or names an intent that the model doesn't know."""


@dataclass(frozen=True)
class Choice:
    id: str
    title: str


def meaning(choice_id: str, intents: Collection[str]) -> dict[str, Any]:
    """What Rasa would have understood: intent and entities. Raises ChoiceUnknown."""
    for kind in _KINDS:
        if (match := kind.shape.fullmatch(choice_id)) is not None:
            break
    else:
        raise ChoiceUnknown("choice id has an unknown shape")
    groups = match.groupdict()
    intent = kind.intent or groups.pop("intent")
    if intent not in intents:
        raise ChoiceUnknown("choice id names an unknown intent")
    entities = [
        {"entity": name, "value": value, "confidence_entity": 1.0}
        for name, value in groups.items()
        if value is not None
    ]
    return {"intent": {"name": intent, "confidence": 1.0}, "entities": entities}


def chosen_by_text(text: str, choices: Sequence[Choice], *, expects_number: bool) -> Optional[Choice]:
    """The choice whose title or number was typed, or a word of whose title was ("yang akta").

    None if the text is something else or fits two titles. Where the bot has asked for a number (`expects_number`), a
    number is that answer.
    """
    folded = _fold(text)
    by_title = [choice for choice in choices if _fold(choice.title) == folded]
    if len(by_title) == 1:
        return by_title[0]
    if by_title or expects_number:
        return None
    if _LAST.fullmatch(folded):
        return _last_listed(choices)
    position = _position(folded)
    if position:
        return choices[position - 1] if position <= len(choices) else None
    return _by_word(folded, choices)


def proof_in(text: str, offer: Optional[str]) -> Optional[str]:
    """The choice id of a second proof (last four digits of NIK or phone), where `offer` says that one was asked for.

    Only a message that holds four digits and nothing else but words of that question is one: "9999", "nik 9999".
    """
    asked = re.fullmatch(rf"bukti:{_FILING}", offer or "")
    match = _PROOF.fullmatch(_fold(text))
    return f"{offer}:{match['digits']}" if asked and match else None


def _last_listed(choices: Sequence[Choice]) -> Optional[Choice]:
    """The last of what was listed: choices of the first one's kind, so that "Layanan lain" below them isn't it."""
    listed = [choice for choice in choices if choice.id.partition(":")[0] == choices[0].id.partition(":")[0]]
    return listed[-1] if len(listed) > 1 else None


def _by_word(folded: str, choices: Sequence[Choice]) -> Optional[Choice]:
    match = _WHICH.fullmatch(folded)
    if match is None:
        return None
    wanted = set(match["words"].split())
    fitting = [choice for choice in choices if wanted <= set(_fold(choice.title).split())]
    return fitting[0] if len(fitting) == 1 else None


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
