"""What a citizen answers, read into the one form it is kept in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from pydantic import JsonValue

from backend.catalogue import FieldDefinition, FieldType
from backend.persons import PersonsUnclear, read_persons, write_persons
from backend.regions import Regions, closest, find_place
from identity import InvalidNumber, parse_kk_number, parse_nik, parse_phone

__all__ = ["Answers", "FieldError", "Value", "parse_answer"]

Value = str | int
Answers = Mapping[str, Value]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OLDEST = date(1900, 1, 1)
_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_POINT = re.compile(r"(-?\d{1,3}(?:\.\d{1,15})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,15})?)", re.ASCII)
_AROUND_SIDOARJO = (-7.70, -7.20), (112.35, 113.05)
"""latitude, longitude: the district and some kilometres about it, for a phone may err"""
_SHORTEST, _LONGEST = 3, 500
"""letters of an answer in words, unless its field says otherwise"""


class FieldError(ValueError):
    """The answer doesn't fit its field. The message is an Indonesian sentence that says what to answer instead."""


def parse_answer(field: FieldDefinition, value: JsonValue, *, answers: Answers, regions: Regions, today: date) -> Value:
    """The canonical value: digits, E.164, ISO date, an id or official name, `lat,lon`, tidied text, or a whole number.

    `answers` are those given so far: a desa is looked up in its kecamatan, and stands for it where there is only one of its
    name. Raises FieldError.
    """
    text = _text(_joined(value) if field.type is FieldType.LOCATION else value)
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
                return _prose(text, field.minimum or _SHORTEST, field.maximum or _LONGEST)
            case FieldType.LOCATION:
                return _location(text)
            case FieldType.PEOPLE:
                return _people(value, field.minimum, field.maximum, today)
            case FieldType.NUMBER:
                return _number(text, field.minimum, field.maximum)
    except (InvalidNumber, PersonsUnclear) as error:
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
    homes = regions.kecamatan_of(text)
    if len(homes) == 1:
        return homes[0]
    if homes:
        listed = f"{', '.join(homes[:-1])} dan {homes[-1]}"
        raise FieldError(f"Desa atau kelurahan bernama itu ada di Kecamatan {listed}; pilih kecamatannya.")
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
    said = text.casefold()
    written = [choice.id for choice in field.choices if said in (choice.id.casefold(), choice.title.casefold())]
    if len(written) == 1:
        return written[0]
    raise FieldError(f"Pilih salah satu: {', '.join(choice.title for choice in field.choices)}.")


def _prose(text: str, shortest: int, longest: int) -> str:
    if len(text) < shortest:
        least = "tiga" if shortest == _SHORTEST else str(shortest)
        raise FieldError(f"Jawaban itu terlalu pendek; tulis paling sedikit {least} huruf.")
    if len(text) > longest:
        raise FieldError(f"Jawaban itu terlalu panjang; ringkas menjadi paling banyak {longest} huruf.")
    return text


def _joined(value: JsonValue) -> JsonValue:
    """A point as an object, `{"lat", "lon"}`, is the same as `lat,lon`."""
    if isinstance(value, dict) and value.keys() == {"lat", "lon"}:
        return f"{value['lat']},{value['lon']}"
    return value


def _location(text: str) -> str:
    """A point in or near the district with six decimals, a tenth of a metre, or words that name the place."""
    point = _POINT.fullmatch(text)
    if point is None:
        return _prose(text, _SHORTEST, _LONGEST)
    latitude, longitude = float(point[1]), float(point[2])
    (south, north), (west, east) = _AROUND_SIDOARJO
    if not (south <= latitude <= north and west <= longitude <= east):
        raise FieldError(
            "Titik itu di luar Kabupaten Sidoarjo. Kirim titik tempat kejadiannya, atau tulis nama tempatnya."
        )
    return f"{latitude:.6f},{longitude:.6f}"


def _people(value: JsonValue, fewest: int | None, most: int | None, today: date) -> str:
    lines = [_text(line) for line in str(value).splitlines() if line.strip()]
    persons = read_persons("\n".join(lines), today=today)
    if fewest is not None and len(persons) < fewest:
        raise FieldError(f"Tulis paling sedikit {fewest} orang, masing-masing nama dan NIK; baru ada {len(persons)}.")
    if most is not None and len(persons) > most:
        raise FieldError(f"Tulis paling banyak {most} orang, masing-masing nama dan NIK; sekarang ada {len(persons)}.")
    return write_persons(persons)


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
