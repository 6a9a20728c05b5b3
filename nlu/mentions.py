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
from nlu.authenticity import find_codes
from nlu.dates import find_dates
from nlu.normaliser import flatten, load_lexicon
from nlu.places import level_of, load_gazetteer

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
    r"(?<![\d\w+])\(?(?:\+ ?62|62|0)\)?[ .\-/]{0,2}8\d(?:[ .\-/()]{0,2}\d){7,10}(?!\d)"
    # Without 0 or 62 it is a phone by its length alone; an amount has points.
    r"|(?<![\d\w+.,])(?<!rp )8[1-35-9](?:[ \-]?\d){8,10}(?![\d.,]\d|\d)"
)
_BETWEEN = r"[\s.\-/_:\u2010-\u2015\u2212]"
_FILING = re.compile(
    rf"\bs{_BETWEEN}?d{_BETWEEN}?a{_BETWEEN}*(?P<month>\d(?:{_BETWEEN}?\d){{3}}){_BETWEEN}*"
    rf"(?P<rest>[0-9a-tv-z](?:{_BETWEEN}?[0-9a-tv-z]){{5}})(?![0-9a-z])"
)
_MISREAD = str.maketrans("oil", "011")

_FAMILY_CARD = re.compile(r"\b(?:kk|ksk|kartu keluarga|kertu keluarga|no ?kk)\b")
_IDENTITY = re.compile(r"\b(?:nik|ktp|e-?ktp|nomor induk|no ?ktp)\b")

_NAME_CUE = re.compile(
    r"\b(?:(?P<own>atas nama|atas nami|an(?= )|a\.? ?n\.|nama(?: lengkap)? (?:saya|sy)|nama lengkap|namaku|nama(?= ?:)|"
    r"jenengku|bernama|nami kula|nami kulo|asma kula)"
    r"|(?P<correction>(?:se)?harusnya|(?:sak)?kudune|yang benar|yg benar|sing bener|leresipun)"
    r"|(?<!balik )(?<!beda )(?:nama(?:nya)?(?: ibu| bapak| anak| suami| istri)?(?: saya)?|jeneng(?:e|ipun)?|asmanipun|"
    r"naminipun))(?!\w)[ ]*(?:adalah|itu|iku|yaitu|:|=|-)?[ ]*(?:(?:nama|jenenge) )?(?:(?:sdri?|almh?)\b\.? ?)?"
)
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’`\-][^\W\d_]+)*(?:(?<![^\W\d_]{5})\.(?= ?[^\W\d_a-z]))?")
"""An abbreviation may end in a point where a capital follows: "Moch. Subandi"."""
_PATRONYMIC = ("bin", "binti", "bt")
_ADDRESS_CUE = re.compile(
    r"\b(?:alamat(?:e| saya| sy| rumah| lengkap| ku|ku|nya)*|omahku|tinggal di|domisili di)\b[ ]*(?:di|nang|ning|teng|:|=)?[ ]*"
)
_STREET_NAME = r"jl|jln|jalan|gg|gang|dusun|dsn|perum|perumahan|komplek|kompleks|griya|puri"
_STREET = re.compile(rf"\b(?:{_STREET_NAME})\b\.?|\brt\.? ?\d")
_ABBREVIATED_STREET = re.compile(r"(?:jl|jln|gg)\b\.?")
_ADDRESS_PART = re.compile(r"[^\s,;]+[,;]?")
_HOUSE = re.compile(
    r"\b(?:no|nomor|nmr|rt|rw|km|blok)\b\.? ?[a-z]{0,2}[\-. ]?\d|\bblok\b|[a-z] \d{1,4}[a-z]?(?=[,.]|$)"
)
_BEFORE_NUMBER = re.compile(rf"(?:no|nomor|nomer|nmr|rt|rw|km|blok|kav|kavling|{_STREET_NAME})\b.*|[a-z]")
_NUMBERED = re.compile(r"(?!0\d{3})(?:[a-z]{1,2}[\-./]?)?\d{1,4}(?:[a-z]|[\-/.][a-z0-9]{1,4})*|[ivx]+")
_LONGEST_NAME = 6
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
        rest = re.sub(r"[\W_]", "", match["rest"])
        # One in ten has no digit; then capitals tell it from the word that follows ("sda 2611 sampai mana").
        if rest.isalpha() and not text[slice(*match.span("rest"))].isupper():
            continue
        month = re.sub(r"\D", "", match["month"])
        code = rest.translate(_MISREAD).upper()
        yield Mention("nomor_permohonan", f"SDA-{month}-{code}", match.start(), match.end())


def _codes(text: str, flat: str, today: date) -> Iterable[Mention]:
    for code, start, end in find_codes(text):
        yield Mention("kode_keaslian", code, start, end)


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
    """The street with its numbers, RT and RW; desa and kecamatan are named by themselves.

    An address has a number in it or is a street's name: "jalan rusak" is none.
    """
    for cue in _ADDRESS_CUE.finditer(flat):
        span = _address_span(flat, cue.end())
        inner = _STREET.search(flat, *span)
        # "alamat baru jl melati 45": what stands before the street is no part of it.
        if inner is None or inner[0].startswith("rt"):
            yield from _address(text, flat, span, cued=True)
    for street in _STREET.finditer(flat):
        yield from _address(text, flat, _address_span(flat, street.start()), cued=False)


def _address(text: str, flat: str, span: tuple[int, int], *, cued: bool) -> Iterable[Mention]:
    written, start, end = flat[slice(*span)], *span
    if len(written.split()) < 2 or not (cued or _STREET.match(written)):
        return
    if _HOUSE.search(written) or _is_street_name(text[start:end]):
        yield Mention("alamat", text[start:end], start, end)


def _address_span(flat: str, start: int) -> tuple[int, int]:
    """Until a word that can't belong to it: after a number or a comma that is everything but numbers and their words."""
    end, words, before = start, 0, ""
    closing = False
    for part in _ADDRESS_PART.finditer(flat, start):
        word = part[0].strip(",;.!?")
        numbered, marker = _NUMBERED.fullmatch(word) is not None, _BEFORE_NUMBER.fullmatch(word) is not None
        follows = marker or (numbered and not (_NUMBERED.fullmatch(before) and before.isdigit()))
        if (
            words == _LONGEST_ADDRESS
            or "\n" in flat[end : part.start()]
            or word in _lists()["akhir_alamat"]
            or (words > 0 and level_of(word) is not None and word not in ("dusun", "dsn"))
            or (closing and not follows)
            or re.match(r"\+|0\d{3}|\d{5}", word)
        ):
            break
        end, words = part.start() + len(part[0].rstrip(",;.!?")), words + 1
        closing = (numbered and any(map(str.isdigit, word))) or part[0][-1] in ",;"
        before = word
        if part[0][-1] in "!?;" or (part[0][-1] == "." and len(word) > 3 and not word.isdigit()):
            break
    return start, end


def _is_street_name(written: str) -> bool:
    """ "jl raya pahlawan", "Jalan Diponegoro": without a number only where it is written as a name."""
    flat = flatten(written)
    kind, *name = re.findall(r"[^\W\d_]+", written)
    if _ABBREVIATED_STREET.match(flat) is None and not (
        flat.startswith("jalan") and kind[0].isupper() and all(word[0].isupper() for word in name)
    ):
        return False
    names = [word for word in map(flatten, name) if word != "raya"]
    return bool(names) and not any(word in _lists()["bukan_nama_jalan"] or load_lexicon().knows(word) for word in names)


def _names(text: str, flat: str, today: date) -> Iterable[Mention]:
    for cue in _NAME_CUE.finditer(flat):
        words = list(_name_words(text, cue.end()))
        # Without "saya" or "atas" before it, only a capital tells a name from what the sentence goes on with.
        if cue["own"] is None and words and not words[0][0][0].isupper():
            continue
        if cue["correction"] and words and load_lexicon().knows(flatten(words[0][0])):
            continue
        if words and not (len(words) == 1 and len(words[0][0]) < 3):
            start, end = words[0].start(), words[-1].end()
            end -= len(text[start:end]) - len(text[start:end].rstrip(".,"))
            yield Mention("nama_orang", text[start:end], start, end)


def _name_words(text: str, start: int) -> Iterable[re.Match[str]]:
    """Up to six words, "bin" and "binti" among them; where the first is capitalised, as long as they are."""
    at = start
    first: Optional[str] = None
    for _ in range(_LONGEST_NAME):
        match = _NAME_WORD.match(text, at)
        if match is not None and at > start and flatten(match[0]).strip(".") in _PATRONYMIC:
            father = _NAME_WORD.match(text, match.end() + 1)
            if father is None or _is_word(father[0]):
                return
            yield match
            at = match.end() + 1
            continue
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


_FINDERS = (_filing_numbers, _codes, _sixteen_digits, _phones, _dates, _addresses, _names, _places)
