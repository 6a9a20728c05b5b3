"""What a message says besides its intent: numbers, dates, places, names, addresses. Pure functions of the text and the day."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Optional

import yaml

from identity import InvalidNumber, parse_kk_number, parse_nik, parse_phone
from nlu.dates import find_dates
from nlu.normaliser import flatten, load_lexicon
from nlu.places import load_gazetteer

__all__ = ["Mention", "find_mentions"]


@dataclass(frozen=True)
class Mention:
    """`value` is normalised as `entity` demands (shared taxonomy); the span is of the text as written."""

    entity: str
    value: str
    start: int
    end: int


_WORDS = Path(__file__).parents[1] / "data" / "kamus" / "nama_alamat.yml"

_SIXTEEN = re.compile(r"(?<!\d)\d(?:[ .\-]{0,2}\d){15}(?!\d)")
_PHONE = re.compile(
    r"(?<![\d\w+])(?:\(?(?:\+ ?62|62|0)\)?[ .\-/]{0,2}|(?<=hp )|(?<=wa )|(?<=nomor )|(?<=nomer )|(?<=no ))"
    r"8\d(?:[ .\-/()]{0,2}\d){7,10}(?!\d)"
)
_FILING = re.compile(
    r"\bsda[\s.\-:/_]*(?P<month>\d{2}[\s.\-]?\d{2})[\s.\-/_]*(?P<rest>[0-9a-tv-z](?:[\s.\-/_]?[0-9a-tv-z]){5})(?![0-9a-z])"
)
_MISREAD = str.maketrans("oil", "011")

_FAMILY_CARD = re.compile(r"\b(?:kk|ksk|kartu keluarga|kertu keluarga|no ?kk)\b")
_IDENTITY = re.compile(r"\b(?:nik|ktp|e-?ktp|nomor induk|no ?ktp)\b")

_NAME_CUE = re.compile(
    r"\b(?:(?P<own>atas nama|an(?= )|a\.n\.?|nama(?: lengkap)? (?:saya|sy)|nama lengkap|namaku|nama(?= ?:)|jenengku|"
    r"nami kula|nami kulo|asma kula)"
    r"|(?<!balik )(?<!beda )(?:nama(?: ibu| bapak| anak| suami| istri)?(?: saya)?|jenenge|asmanipun))(?!\w)"
    r"[ ]*(?:adalah|itu|iku|yaitu|:|=|-)?[ ]*"
)
_NAME_WORD = re.compile(r"[^\W\d_][^\W\d_'’.\-]*")
_ADDRESS_CUE = re.compile(
    r"\b(?:alamat(?:e| saya| sy| rumah| lengkap| ku|ku|nya)*|omahku|tinggal di|domisili di)\b[ ]*(?:di|nang|ning|teng|:|=)?[ ]*"
)
_STREET = re.compile(
    r"\b(?:jl|jln|jalan|gg|gang|dusun|dsn|perum|perumahan|komplek|kompleks|griya|puri)\b\.?|\brt\.? ?\d"
)
_ADDRESS_PART = re.compile(r"[^\s,;]+[,;]?")
_HOUSE = re.compile(
    r"\b(?:no|nomor|nmr|rt|rw|km|blok)\b\.? ?[a-z]{0,2}[\-. ]?\d|\bblok\b|[a-z] \d{1,4}[a-z]?(?=[,.]|$)"
)
_LONGEST_NAME = 5
_LONGEST_ADDRESS = 16


def find_mentions(text: str, today: date) -> Sequence[Mention]:
    """In order, without overlaps: what is found first in `_FINDERS` keeps its place. A desa may be part of an address."""
    flat = flatten(text)
    found: list[Mention] = []
    for finder in _FINDERS:
        for mention in finder(text, flat, today):
            if all(_may_stand_together(mention, other) for other in found):
                found.append(mention)
    return sorted(found, key=lambda mention: mention.start)


def _may_stand_together(one: Mention, other: Mention) -> bool:
    is_part = other.entity == "alamat" and one.entity in ("kecamatan", "desa")
    return is_part or one.end <= other.start or other.end <= one.start


def _filing_numbers(text: str, flat: str, today: date) -> Iterable[Mention]:
    for match in _FILING.finditer(flat):
        rest = re.sub(r"[\W_]", "", match["rest"]).translate(_MISREAD).upper()
        if any(character.isdigit() for character in rest) or not rest.isalpha():
            month = re.sub(r"\D", "", match["month"])
            yield Mention("nomor_permohonan", f"SDA-{month}-{rest}", match.start(), match.end())


def _sixteen_digits(text: str, flat: str, today: date) -> Iterable[Mention]:
    for match in _SIXTEEN.finditer(flat):
        digits = re.sub(r"\D", "", match[0])
        is_card = _is_family_card(digits, flat[: match.start()], today)
        yield Mention("nomor_kk" if is_card else "nik", digits, match.start(), match.end())


def _phones(text: str, flat: str, today: date) -> Iterable[Mention]:
    for match in _PHONE.finditer(flat):
        try:
            yield Mention("nomor_hp", parse_phone(match[0]), match.start(), match.end())
        except InvalidNumber:
            continue


def _dates(text: str, flat: str, today: date) -> Iterable[Mention]:
    for found in find_dates(text, today):
        yield Mention("tanggal", found.value.isoformat(), found.start, found.end)


def _addresses(text: str, flat: str, today: date) -> Iterable[Mention]:
    """An address has a number in it, or follows its cue: "jalan rusak" is none."""
    for cue in _ADDRESS_CUE.finditer(flat):
        yield from _address_at(text, flat, cue.end(), cued=True)
    for street in _STREET.finditer(flat):
        yield from _address_at(text, flat, street.start(), cued=False)


def _address_at(text: str, flat: str, start: int, *, cued: bool) -> Iterable[Mention]:
    end, words = start, 0
    for part in _ADDRESS_PART.finditer(flat, start):
        word = part[0].strip(",;.")
        if word in _lists()["akhir_alamat"] or words == _LONGEST_ADDRESS or "\n" in flat[end : part.start()]:
            break
        end, words = part.start() + len(part[0].rstrip(",;.!?")), words + 1
        if part[0][-1] in "!?" or (part[0][-1] == "." and len(word) > 3 and not word.isdigit()):
            break
    span = flat[start:end]
    if words >= 2 and _HOUSE.search(span) and (cued or _STREET.search(span)):
        yield Mention("alamat", text[start:end], start, end)


def _names(text: str, flat: str, today: date) -> Iterable[Mention]:
    for cue in _NAME_CUE.finditer(flat):
        words = list(_name_words(text, cue.end()))
        # Without "saya" or "atas" before it, only a capital tells a name from what the sentence goes on with.
        if cue["own"] is None and words and not words[0][0][0].isupper():
            continue
        if words and not (len(words) == 1 and len(words[0][0]) < 3):
            start, end = words[0].start(), words[-1].end()
            end -= len(text[start:end]) - len(text[start:end].rstrip(".,"))
            yield Mention("nama_orang", text[start:end], start, end)


def _name_words(text: str, start: int) -> Iterable[re.Match[str]]:
    """Up to five words; where the first is capitalised, as long as they are."""
    at = start
    first: Optional[str] = None
    for _ in range(_LONGEST_NAME):
        match = _NAME_WORD.match(text, at)
        if match is None or _is_word(match[0]):
            return
        first = first or match[0]
        if first[0].isupper() and not match[0][0].isupper():
            return
        yield match
        if match.end() >= len(text) or text[match.end()] != " ":
            return
        at = match.end() + 1


def _is_word(word: str) -> bool:
    """A word of the dictionary may be a name where it is capitalised ("Wulan")."""
    flat = flatten(word).strip(".")
    return flat in _lists()["bukan_nama"] or (word[0].islower() and load_lexicon().knows(flat))


@lru_cache(maxsize=1)
def _lists() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(words) for name, words in yaml.safe_load(_WORDS.read_text("utf-8")).items()}


def _places(text: str, flat: str, today: date) -> Iterable[Mention]:
    for found in load_gazetteer().find(text):
        yield Mention(found.level, found.name, found.start, found.end)


def _is_family_card(digits: str, before: str, today: date) -> bool:
    """By the nearest word before the number; else by the date in it; else it is a NIK."""
    cues = [(match.start(), True) for match in _FAMILY_CARD.finditer(before[-40:])]
    cues += [(match.start(), False) for match in _IDENTITY.finditer(before[-40:])]
    if cues:
        return max(cues)[1]
    return not _is_valid(parse_nik, digits, today) and _is_valid(parse_kk_number, digits, today)


def _is_valid(parse: Callable[..., object], digits: str, today: date) -> bool:
    try:
        parse(digits, today=today)
    except InvalidNumber:
        return False
    return True


_FINDERS = (_filing_numbers, _sixteen_digits, _phones, _dates, _addresses, _names, _places)
