"""A NIK says when its holder was born and of which sex: what is answered beside it has to agree."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from backend.catalogue import FieldDefinition, FieldType
from backend.fields import Answers, FieldError, Value
from identity import Nik, parse_nik

__all__ = ["refuse_mismatch"]

_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip
_FEMALE, _MALE = "perempuan", "laki_laki"
_CHECK = "Periksa lagi keduanya; bila di KTP memang tertulis begitu, minta bantuan petugas."


def refuse_mismatch(
    fields: Iterable[FieldDefinition], answered: FieldDefinition, value: Value, answers: Answers, today: date
) -> None:
    """Raises FieldError, in words without the NIK, when `value` for `answered` contradicts what was answered before."""
    if answered.belongs_to is not None and answered.belongs_to in answers:
        _compare(answered, value, parse_nik(str(answers[answered.belongs_to]), today=today))
    if answered.type is FieldType.NIK:
        nik = parse_nik(str(value), today=today)
        for field in fields:
            if field.belongs_to == answered.id and field.id in answers:
                _compare(field, answers[field.id], nik)


def _compare(field: FieldDefinition, value: Value, nik: Nik) -> None:
    if field.type is FieldType.DATE:
        day = date.fromisoformat(str(value))
        # The NIK has two digits of the year: a mother of 1921 and a baby of 2021 can't be told apart by it.
        if (day.day, day.month, day.year % 100) != (
            nik.birth_date.day,
            nik.birth_date.month,
            nik.birth_date.year % 100,
        ):
            raise FieldError(
                f"{field.name} {_in_words(day)} tidak cocok dengan NIK: menurut NIK, lahirnya "
                f"{_in_words(nik.birth_date)}. {_CHECK}"
            )
    elif value in (_FEMALE, _MALE) and (value == _FEMALE) is not nik.female:
        sex = "perempuan" if nik.female else "laki-laki"
        chosen = "perempuan" if value == _FEMALE else "laki-laki"
        raise FieldError(f"{field.name} {chosen} tidak cocok dengan NIK: menurut NIK, pemiliknya {sex}. {_CHECK}")


def _in_words(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
