"""What a citizen answers, read into the one form it is kept in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from pydantic import JsonValue

from backend.catalogue import FieldDefinition, FieldType
from backend.regions import Regions, closest, find_place
from identity import InvalidNumber, parse_kk_number, parse_nik, parse_phone

__all__ = ["Answers", "FieldError", "Value", "parse_answer"]

Value = str | int
Answers = Mapping[str, Value]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OLDEST = date(1900, 1, 1)
_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)


class FieldError(ValueError):
    """The answer doesn't fit its field. The message is an Indonesian sentence that says what to answer instead."""


def parse_answer(field: FieldDefinition, value: JsonValue, *, answers: Answers, regions: Regions, today: date) -> Value:
    """The canonical value: digits, E.164, ISO date, an id or official name, tidied text, or a whole number.

    `answers` are those given so far: a desa is looked up in its kecamatan. Raises FieldError.
    """
    text = _text(value)
    try:
        match field.type:
            case FieldType.NIK:
                return parse_nik(text, today=today).value
            case FieldType.KK_NUMBER:
                return parse_kk_number(text, today=today)
            case FieldType.PHONE:
                return parse_phone(text)
            case FieldType.NAME:
                return _name(text)
            case FieldType.DATE:
                return _date(text, field.past, today)
            case FieldType.KECAMATAN:
                return _kecamatan(text, regions)
            case FieldType.DESA:
                return _desa(text, answers.get(field.within or ""), regions)
            case FieldType.CHOICE:
                return _choice(text, field)
            case FieldType.ADDRESS | FieldType.TEXT:
                return _prose(text)
            case FieldType.NUMBER:
                return _number(text, field.minimum, field.maximum)
    except InvalidNumber as error:
        raise FieldError(str(error)) from None


def _text(value: JsonValue) -> str:
    """One line, composed, without invisible marks; a line break in a chat is a space."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    if not isinstance(value, str) or len(value) > 5000:
        raise FieldError("Jawaban itu belum terbaca; tulis sebagai teks biasa.")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise FieldError("Jawaban itu memuat karakter yang tidak bisa disimpan; ketik ulang dengan huruf biasa.")
    if not text:
        raise FieldError("Jawabannya masih kosong; tulis jawabannya dulu.")
    return text


def _name(text: str) -> str:
    if any(character.isdigit() for character in text):
        raise FieldError("Nama tidak memuat angka; tulis nama lengkap seperti di KTP atau KK.")
    if sum(character.isalpha() for character in text) < 2:
        raise FieldError("Nama paling sedikit dua huruf; tulis nama lengkap seperti di KTP atau KK.")
    if len(text) > 100:
        raise FieldError("Nama itu terlalu panjang; tulis namanya saja, paling banyak 100 huruf.")
    return text


def _date(text: str, past: bool | None, today: date) -> str:
    try:
        if not _ISO_DATE.fullmatch(text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise FieldError("Tanggal itu tidak ada atau belum lengkap; tulis tanggal, bulan, dan tahunnya.") from None
    if past is True and day > today:
        raise FieldError("Tanggal itu belum terjadi; periksa lagi tahunnya.")
    if past is False and day < today:
        raise FieldError("Tanggal itu sudah lewat; tulis tanggal hari ini atau sesudahnya.")
    if day < _OLDEST:
        raise FieldError("Tahunnya terlalu lampau; periksa lagi tahunnya.")
    return day.isoformat()


def _kecamatan(text: str, regions: Regions) -> str:
    if found := find_place(text, regions.places):
        return found
    suggestion = closest(text, regions.places)
    raise FieldError(
        "Tidak ada kecamatan bernama itu di Kabupaten Sidoarjo"
        + (f"; mungkin maksud Anda {suggestion}?" if suggestion else "; tulis salah satu dari 18 kecamatan.")
    )


def _desa(text: str, kecamatan: Value | None, regions: Regions) -> str:
    if kecamatan not in regions.places:
        raise FieldError("Jawab dulu kecamatannya, baru desa atau kelurahannya.")
    inside = regions.places[str(kecamatan)]
    if found := find_place(text, inside):
        return found
    if elsewhere := regions.kecamatan_of(text):
        raise FieldError(
            f"Desa atau kelurahan itu tidak ada di Kecamatan {kecamatan}, adanya di {' dan '.join(elsewhere)}; "
            "periksa desa atau kecamatannya."
        )
    suggestion = closest(text, inside)
    raise FieldError(
        f"Tidak ada desa atau kelurahan bernama itu di Kecamatan {kecamatan}"
        + (f"; mungkin maksud Anda {suggestion}?" if suggestion else "; tulis namanya saja, tanpa RT/RW.")
    )


def _choice(text: str, field: FieldDefinition) -> str:
    if any(choice.id == text for choice in field.choices):
        return text
    raise FieldError(f"Pilih salah satu: {', '.join(choice.title for choice in field.choices)}.")


def _prose(text: str) -> str:
    if len(text) < 3:
        raise FieldError("Jawaban itu terlalu pendek; tulis paling sedikit tiga huruf.")
    if len(text) > 500:
        raise FieldError("Jawaban itu terlalu panjang; ringkas menjadi paling banyak 500 huruf.")
    return text


def _number(text: str, minimum: int | None, maximum: int | None) -> int:
    digits = text.replace(".", "") if _THOUSANDS.fullmatch(text) else text
    if not _WHOLE.fullmatch(digits):
        raise FieldError("Jawab dengan angka bulat saja, contoh 3.")
    number = int(digits)
    if minimum is not None and number < minimum:
        raise FieldError(f"Angkanya paling kecil {minimum}.")
    if maximum is not None and number > maximum:
        raise FieldError(f"Angkanya paling besar {maximum}.")
    return number
