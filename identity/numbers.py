"""The three numbers a citizen is known by.

NIK: 16 digits `PPKKCC DDMMYY SSSS`, the day 40 higher for women, no check digit; the region is where the *first* NIK was
issued, so one from elsewhere is valid (catalogue.md §3.1). KK number: 16 digits, region, date of issue, serial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

__all__ = [
    "InvalidNumber",
    "Nik",
    "mask_digits",
    "mask_numbers",
    "parse_kk_number",
    "parse_nik",
    "parse_phone",
    "redact",
]

_SEPARATORS = re.compile(r"[\s.\-_/()]+")
_LONG_NUMBER = re.compile(r"(?<!\d)\+?\d(?:[ .\-]?\d){9,17}(?!\d)")
_OLDEST = 110


class InvalidNumber(ValueError):
    """The number can't be right. The message is an Indonesian sentence that says what to look at."""


@dataclass(frozen=True)
class Nik:
    value: str
    """16 digits"""
    birth_date: date
    female: bool

    @property
    def region(self) -> str:
        """Ministry code of the kecamatan where it was first issued, 6 digits."""
        return self.value[:6]


def parse_nik(text: str, *, today: date) -> Nik:
    """Read a NIK however it is spaced. Raises InvalidNumber."""
    digits = _sixteen_digits(text, "NIK")
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    female = day > 40
    if digits[12:] == "0000" or digits[0] == "0":
        raise InvalidNumber("NIK itu tidak mungkin benar; periksa lagi angka di KTP atau KK.")
    try:
        born = _birth_date(year, month, day - 40 if female else day, today)
    except ValueError:
        raise InvalidNumber(
            "Angka ke-7 sampai ke-12 NIK adalah tanggal lahir, dan tanggal itu tidak ada; periksa lagi di KTP atau KK."
        ) from None
    return Nik(digits, born, female)


def parse_kk_number(text: str, *, today: date) -> str:
    """Read a KK number however it is spaced; 16 digits. Raises InvalidNumber."""
    digits = _sixteen_digits(text, "Nomor KK")
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    try:
        if digits[12:] == "0000" or digits[0] == "0" or date(2000 + year, month, day) > today:
            raise ValueError
    except ValueError:
        raise InvalidNumber(
            "Nomor KK itu tidak mungkin benar; ambil 16 angka di bawah tulisan KARTU KELUARGA, bukan NIK."
        ) from None
    return digits


def parse_phone(text: str) -> str:
    """Read an Indonesian mobile number however it is written; E.164, `+628…`. Raises InvalidNumber."""
    digits = _SEPARATORS.sub("", text.strip())
    digits = digits.removeprefix("+")
    if digits.startswith("62"):
        digits = digits[2:]
    digits = digits.removeprefix("0")
    if not re.fullmatch(r"8\d{8,11}", digits) or not digits.isascii():
        raise InvalidNumber("Nomor HP dimulai 08 dan panjangnya 10 sampai 13 angka; periksa lagi.")
    return "+62" + digits


def mask_digits(number: str) -> str:
    """`3515085708909999` → `3515••••••••9999`; a phone keeps its first 6 and last 2 characters."""
    if number.startswith("+"):
        return number[:6] + "•" * max(len(number) - 8, 0) + number[-2:]
    return number[:4] + "•" * max(len(number) - 8, 0) + number[-4:]


def mask_numbers(text: str) -> str:
    """Every number of ten digits or more as `mask_digits` shows it: for officers, who read what a citizen wrote."""
    return _LONG_NUMBER.sub(lambda found: mask_digits(re.sub(r"[ .\-]", "", found[0])), text)


def redact(text: str) -> str:
    """Hide every number of ten digits or more: for logs and errors that may carry a citizen's words."""
    return _LONG_NUMBER.sub("[nomor]", text)


def _sixteen_digits(text: str, name: str) -> str:
    digits = _SEPARATORS.sub("", text.strip())
    if not digits.isascii() or not digits.isdigit():
        raise InvalidNumber(f"{name} terdiri dari 16 angka saja; kirim angkanya tanpa huruf.")
    if len(digits) != 16:
        raise InvalidNumber(f"{name} harus 16 angka; yang Anda kirim {len(digits)} angka. Periksa lagi.")
    return digits


def _birth_date(year: int, month: int, day: int, today: date) -> date:
    """Two digits of a year stand for the latest century in which the person is born by today."""
    born = date(2000 + year, month, day) if 2000 + year <= today.year else date(1900 + year, month, day)
    if born > today:
        born = date(1900 + year, month, day)
    if today.year - born.year > _OLDEST:
        raise ValueError
    return born
