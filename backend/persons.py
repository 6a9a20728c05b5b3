"""Several persons in one message, as people write them: "budi 3515… sama rina 3515…", one a line, the NIK first.

Whatever else is written stays with its person, but the words "nama" and "NIK", numbering, and what parts one person from
the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from identity import InvalidNumber, parse_nik

__all__ = ["Person", "PersonsUnclear", "read_persons", "write_persons"]


class PersonsUnclear(ValueError):
    """Not every person has a name and a NIK that can be right. The message is an Indonesian sentence that says who."""


@dataclass(frozen=True)
class Person:
    name: str
    nik: str
    """16 digits"""
    note: str = ""
    """what else is written of the person: relation, address"""


def write_persons(persons: Sequence[Person]) -> str:
    return "; ".join(f"{person.name} {person.nik} {person.note}".rstrip() for person in persons)


def read_persons(text: str, *, today: date) -> list[Person]:
    """`text` with its line breaks. What `write_persons` gives is read as it was. Raises PersonsUnclear."""
    atoms = list(_atoms(text))
    if not any(atom.is_nik for atom in atoms):
        raise PersonsUnclear(f"NIK-nya belum ada. {_SHOW}")
    persons = [_check(person, today) for person in _pair(atoms)]
    for position, person in enumerate(persons):
        if any(other.nik == person.nik for other in persons[:position]):
            raise PersonsUnclear(f"NIK {person.name} sama dengan NIK orang lain di daftar itu; periksa lagi.")
    return persons


_SHOW = "Tulis nama lalu NIK tiap orang, contoh: Budi Santoso 3515081708909999, Rina Wati 3515085708929999."


@dataclass(frozen=True)
class _Atom:
    """A number that is meant for a NIK, or the words between two of those or between separators."""

    text: str
    is_nik: bool
    follows: bool
    """directly on the atom before, nothing but blanks between"""


_SEPARATOR = re.compile(r"\s*(?:[\n\r;,&+|]|(?<!\S)(?:dan|sama|karo|serta|ambek)(?!\S))\s*", re.IGNORECASE)
_NUMBERING = re.compile(r"^(?:\(?\d{1,2}[.)]\s*|[-•*]\s+|\d{1,2}\s+(?=\d{16}))")
_LABEL = re.compile(
    r"\b(?:nama|(?:nomor|no\.?)\s*nik|nik)(?:\s*nya)?\b\s*[:=]?\s*|^\s*[:=]\s*|\s*[:=(\-]+\s*$", re.IGNORECASE
)
_RUN = re.compile(r"(?<![\w.])\d+(?:[ .\-]\d+)*(?![\w])", re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)
_NIK_DIGITS = 16
_LONG = 10
"""a number of so many digits was meant for a NIK, unless it is a phone or a card"""
_OTHER_NUMBER = re.compile(r"(?:0|62)8\d{7,11}|000\d{10}")
"""a mobile phone; a card of BPJS Kesehatan, 13 digits"""
_DOT_OF_TITLE = re.compile(r"(?:\b[A-Z][a-z]{0,3}\.[A-Z][a-z]{0,3}|\b[A-Z])\.$")
_TITLE = re.compile(r"(?:[A-Z][A-Za-z]{0,4}\.){1,3}\s?[A-Z]?[A-Za-z]{0,5}\.?|[A-Z]{2,3}")
_RELATION = re.compile(
    r"\(?(?:anak|istri|suami|ibu|bapak|ayah|cucu|kakak|adik|saudar[ai]|keponakan|menantu|mertua|orang ?tua|duda|janda"
    r"|kandung|angkat|tiri|kepala keluarga|famili|paman|bibi|kakek|nenek|sepupu|tetangga)(?:nya)?\b"
    r"(?:\s+(?:kandung|angkat|tiri|mertua|pertama|kedua|ketiga|keempat|bungsu|sulung|laki-laki|perempuan|ke-?\s?\d+))*\)?",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:desa|kelurahan|kel\.|jl\b|jln\b|jalan|dusun|dsn\b|perum|rt\b|rw\b|kec\b|kecamatan|kabupaten|kota|alamat|gang|gg\b)",
    re.IGNORECASE,
)


def _atoms(text: str) -> Iterator[_Atom]:
    for part in _SEPARATOR.split(text):
        rest = _NUMBERING.sub("", part.strip())
        follows = False
        position = 0
        for start, end in _niks(rest):
            words = _words(rest[position:start])
            if words:
                yield _Atom(words, is_nik=False, follows=follows)
                follows = True
            yield _Atom(rest[start:end], is_nik=True, follows=follows)
            follows = True
            position = end
        words = _words(rest[position:])
        if words:
            yield _Atom(words, is_nik=False, follows=follows)


def _words(text: str) -> str:
    words = " ".join(_LABEL.sub(" ", text).split())
    # The dot of a title belongs to it, one at the end of a sentence doesn't.
    words = words if _DOT_OF_TITLE.search(words) else words.strip(".:=-– ")
    return words if any(character.isalnum() for character in words) else ""


def _niks(text: str) -> Iterator[tuple[int, int]]:
    """Where the numbers are that are meant for NIKs, however they are spaced, also of too many or too few digits."""
    for run in _RUN.finditer(text):
        groups = [(run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])]
        while groups:
            span = _first_nik(groups)
            if span is None:
                if _digits(text, groups[0][0], groups[-1][1]) >= _LONG and not _is_other(text, groups):
                    yield groups[0][0], groups[-1][1]
                break
            yield groups[span[0]][0], groups[span[1]][1]
            groups = groups[span[1] + 1 :]


def _first_nik(groups: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The first groups, next to each other, that make 16 digits; one whole group before several."""
    for first, (start, end) in enumerate(groups):
        if end - start == _NIK_DIGITS:
            return first, first
    for first in range(len(groups)):
        total = 0
        for last in range(first, len(groups)):
            total += groups[last][1] - groups[last][0]
            if total == _NIK_DIGITS:
                return first, last
    return None


def _digits(text: str, start: int, end: int) -> int:
    return sum(character.isdigit() for character in text[start:end])


def _is_other(text: str, groups: Sequence[tuple[int, int]]) -> bool:
    return bool(_OTHER_NUMBER.fullmatch("".join(text[start:end] for start, end in groups)))


def _pair(atoms: Sequence[_Atom]) -> list[Person]:
    """Names with the NIKs that are theirs, by who stands first; never by a guess that may be wrong."""
    return _pair_niks_first(atoms) if atoms[0].is_nik else _pair_names_first(atoms)


def _pair_names_first(atoms: Sequence[_Atom]) -> list[Person]:
    persons: list[Person] = []
    waiting: list[Person] = []
    """names without a NIK so far"""
    relation_stands_first = _RELATION.match(atoms[0].text) is not None
    for atom, following in zip(atoms, [*atoms[1:], None], strict=True):
        names = following is not None and following.is_nik and (following.follows or not waiting)
        if atom.is_nik:
            if not waiting:
                raise PersonsUnclear(f"Nama untuk NIK urutan ke-{len(persons) + 1} belum ada. {_SHOW}")
            if atom.follows and len(waiting) > 1:
                raise PersonsUnclear(_lacking(waiting[0]))
            persons.append(replace(waiting.pop(0), nik=atom.text))
        elif waiting and (_is_title(atom) or (_is_note(atom) and not names)):
            waiting[-1] = _with_more(waiting[-1], atom)
        elif persons and not waiting and not names and (_is_title(atom) or _is_note(atom)):
            persons[-1] = replace(persons[-1], note=_joined(persons[-1].note, atom.text))
        else:
            relation, name = ("", atom.text) if relation_stands_first else _relation_and_name(atom)
            if persons and relation:
                persons[-1] = replace(persons[-1], note=_joined(persons[-1].note, relation))
            waiting.append(Person(name, ""))
    if waiting:
        raise PersonsUnclear(_lacking(waiting[0]))
    return persons


def _pair_niks_first(atoms: Sequence[_Atom]) -> list[Person]:
    persons: list[Person] = []
    waiting: list[str] = []
    """NIKs without a name so far"""
    for previous, atom in zip([None, *atoms], atoms, strict=False):
        after_nik = previous is not None and previous.is_nik
        if atom.is_nik:
            if waiting and (persons or atom.follows):
                raise PersonsUnclear(f"Nama untuk NIK urutan ke-{len(persons) + 1} belum ada. {_SHOW}")
            waiting.append(atom.text)
        elif waiting and (after_nik or not (persons and _is_title(atom))):
            persons.append(Person(atom.text, waiting.pop(0)))
        elif persons and (_is_title(atom) or _is_note(atom)):
            persons[-1] = _with_more(persons[-1], atom)
        else:
            raise PersonsUnclear(_lacking(Person(atom.text, "")))
    if waiting:
        raise PersonsUnclear(f"Nama untuk NIK urutan ke-{len(persons) + 1} belum ada. {_SHOW}")
    return persons


def _is_title(atom: _Atom) -> bool:
    return not atom.follows and _TITLE.fullmatch(atom.text) is not None


def _is_note(atom: _Atom) -> bool:
    return bool(_RELATION.match(atom.text) or _PLACE.match(atom.text) or any(map(str.isdigit, atom.text)))


def _relation_and_name(atom: _Atom) -> tuple[str, str]:
    """ "anak Rina" right after a NIK, before the next: the relation of the one, the name of the other."""
    relation = _RELATION.match(atom.text)
    if atom.follows and relation is not None and relation.end() < len(atom.text):
        return relation[0], atom.text[relation.end() :].strip()
    return "", atom.text


def _with_more(person: Person, atom: _Atom) -> Person:
    if _is_title(atom) and not person.note:
        return replace(person, name=f"{person.name}, {atom.text}")
    return replace(person, note=_joined(person.note, atom.text))


def _joined(note: str, more: str) -> str:
    return f"{note}, {more}" if note else more


def _lacking(person: Person) -> str:
    return f"NIK untuk {person.name[:60]} belum ada. {_SHOW}"


def _check(person: Person, today: date) -> Person:
    if sum(character.isalpha() for character in person.name) < 2:
        raise PersonsUnclear(f"Nama “{person.name[:60]}” belum lengkap. {_SHOW}")
    if len(person.name) > 100:
        raise PersonsUnclear(f"Nama itu terlalu panjang. {_SHOW}")
    try:
        return replace(person, nik=parse_nik(person.nik, today=today).value)
    except InvalidNumber as error:
        raise PersonsUnclear(f"NIK {person.name} belum benar. {error}") from None
