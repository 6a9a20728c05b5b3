"""What the citizens of this session told, and what would give it away wherever it stood."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from praja.rehearsal import Person

__all__ = ["TOLD", "Told"]

_NUMBER = re.compile(r"(?<!\d)\+?\d(?:[ .\-]?\d){9,17}(?!\d)")
_DIGITS = re.compile(rb"\d{9,}")
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{16,}")
_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SPOKEN = re.compile(rb"(?<![!-~])[!-~]+(?: [!-~]+)+")
"""several words, which neither sealed bytes nor base64 are"""
_ASCII = re.compile(r"[ -~]+")
_WORDS = re.compile(r"[^\W\d_]+")
_LEAST_WORDS = 4
"""of a message that nothing else would hold by chance"""


class Told:
    """Numbers and names are looked for everywhere; messages wherever nobody has written the same for another reason."""

    def __init__(self) -> None:
        self._numbers: set[str] = set()
        self._spaced: set[str] = set()
        """numbers as somebody wrote them, with something between the digits"""
        self._names: set[str] = set()
        self._messages: set[str] = set()

    def order(self, order: Mapping[str, Any]) -> None:
        """What a phone is made to send, on any channel."""
        contact = order.get("contact")
        phone = contact.get("phone") if isinstance(contact, dict) else order.get("phone")
        for text in (order.get("text"), order.get("caption"), phone):
            if isinstance(text, str):
                self.message(text)

    def person(self, person: Person) -> None:
        self._names.add(person.name)
        for number in (person.nik, person.kk_number, person.phone):
            self.number(number)

    def message(self, text: str) -> None:
        for found in _NUMBER.findall(text):
            self.number(found)
        for line in _ASCII.findall(text):
            if len(_WORDS.findall(line)) >= _LEAST_WORDS:
                self._messages.add(line.strip())

    def number(self, number: str) -> None:
        """A NIK, a KK number or a phone, however it is written."""
        digits = re.sub(r"\D", "", number)
        if digits != number.lstrip("+"):
            self._spaced.add(number)
        # A phone is known by what follows the country: `+62 812 …` and `0812 …` are the same.
        self._numbers.add(digits if len(digits) == 16 else re.sub(r"^(62|0)", "", digits))

    def seen_in(self, content: bytes) -> Iterator[str]:
        """What of it stands there; never a whole number."""
        yield from self.numbers_in(content)
        # As anyone could get it back: encoded, or hashed without a key, since there are few enough to try all.
        yield from (f"{what}, base64" for what in self.numbers_in(b" ".join(_decoded(content))))
        hashes = {found.decode() for found in _HASH.findall(content)}
        yield from (f"{_end(number)}, hashed" for number in self._numbers if hashes & set(_hashes(number)))
        yield from (f"{_end(number)}, spaced" for number in self._spaced if number.encode() in content)
        spoken = b"\n".join(_SPOKEN.findall(content))
        yield from (f"name {name!r}" for name in self._names if name.encode() in spoken)
        yield from (f"message {text[:30]!r}…" for text in self._messages if text.encode() in spoken)

    def numbers_in(self, content: bytes) -> Iterator[str]:
        """Only those, and written as they are."""
        lengths = {len(number) for number in self._numbers}
        pieces = {
            run[start : start + length].decode()
            for run in set(_DIGITS.findall(content))
            for length in lengths
            for start in range(len(run) - length + 1)
        }
        yield from (_end(number) for number in self._numbers & pieces)


def _end(number: str) -> str:
    return f"number ending in {number[-4:]}"


def _hashes(number: str) -> Iterator[str]:
    for written in (number, f"0{number}", f"62{number}", f"+62{number}"):
        yield hashlib.sha256(written.encode()).hexdigest()


def _decoded(content: bytes) -> Iterator[bytes]:
    """What anything like base64 means, wherever among four letters it begins."""
    for run in _BASE64.findall(content):
        for start in range(4):
            yield base64.b64decode(run[start : len(run) - (len(run) - start) % 4])


TOLD = Told()
"""by the citizens of `tests/stack/citizen.py`"""
