"""A rehearsed filing: what a citizen would do next, told from what the bot says and shows. Of invented people only."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageDraw

from backend.catalogue import Catalogue, Document, FieldDefinition, Service

__all__ = ["NUMBER", "Lost", "Move", "Person", "Photograph", "Rehearsal", "Say", "Tap", "answer_to", "sheet"]

NUMBER = re.compile(r"SDA-\d{4}-[0-9A-HJKMNP-TV-Z]{6}")
"""a filing's number"""
_FAMILY = (
    *("Budi Santoso 3515081708909999", "Rina Wati 3515085708929999", "Slamet Riyadi 3515081708809999"),
    *("Sri Rahayu 3515085708859999", "Agus Salim 3515081708959999", "Dewi Lestari 3515085708819999"),
)
_ONWARD = (
    *("Kirim", "Setuju, mulai", "Ya, mulai", "Ya, catat", "Ya, tulis pertanyaan", "Ajukan sekarang"),
    *("Isi baru", "Pakai foto ini", "Sudah semua", "Lanjut"),
)
"""the titles that lead to the number, whatever is asked; the first one that is offered is tapped"""

_LATER = timedelta(days=40)


@dataclass(frozen=True)
class Person:
    """An applicant; `nik` has date of birth and sex in it, as every NIK has."""

    nik: str = "3515085708909999"
    kk_number: str = "3515080101150007"
    name: str = "Siti Aminah"
    phone: str = "0812-3456-7890"

    @property
    def born(self) -> str:
        """As one writes it: 17-8-1990. Of somebody born in the last century."""
        day = int(self.nik[6:8]) % 40
        return f"{day}-{int(self.nik[8:10])}-19{self.nik[10:12]}"

    @property
    def is_woman(self) -> bool:
        return int(self.nik[6:8]) > 40


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Tap:
    title: str


@dataclass(frozen=True)
class Photograph:
    label: str


Move = Say | Tap | Photograph


class Lost(Exception):
    """The bot asks for something that a citizen couldn't make sense of; the message is what it said."""


@dataclass(frozen=True)
class Rehearsal:
    """Answers whatever a service's form may ask."""

    fields: Collection[FieldDefinition]
    documents: Collection[Document]
    person: Person = Person()
    answers: Mapping[str, str] = field(default_factory=dict)
    """by the field's id, before what the person would say by themselves"""

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        services: Iterable[Service],
        person: Person | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> Rehearsal:
        """Of what these services ask, and of what is asked besides of somebody who files for another person."""
        services = list(services)
        return cls(
            [*catalogue.representative_fields, *(one for service in services for one in service.fields)],
            [catalogue.power_of_attorney, *(one for service in services for one in service.documents)],
            person or Person(),
            answers or {},
        )

    def asked(self, text: str) -> FieldDefinition | Document | None:
        """What `text` asks for last."""
        asking: list[tuple[str, FieldDefinition | Document]] = [(one.question, one) for one in self.fields]
        # A document's question is the backend's own; of it only the name and the colon are relied on.
        asking += [(f" {one.name}:", one) for one in self.documents]
        found = [(text.rfind(words) + len(words), len(words), one) for words, one in asking if words in text]
        return max(found, key=lambda place: place[:2])[2] if found else None

    def next(self, text: str, titles: Collection[str]) -> Move:
        """Raises Lost."""
        asked = self.asked(text)
        if "Kirim" in titles:
            return Tap("Kirim")
        if asked is not None and asked.id in self.answers:
            return Say(self.answers[asked.id])
        if "Pakai foto ini" in titles:
            return Tap("Pakai foto ini")
        if isinstance(asked, Document):
            return Photograph(asked.id.upper())
        if asked is not None:
            return Say(answer_to(asked, self.person))
        if onward := next((title for title in _ONWARD if title in titles), None):
            return Tap(onward)
        raise Lost(text)


def answer_to(field: FieldDefinition, person: Person) -> str:
    """Something a citizen could write to that question."""
    match field.type.value:
        case "nik":
            return person.nik
        case "kk_number":
            return person.kk_number
        case "name":
            return person.name
        case "phone":
            return person.phone
        case "date":
            return person.born if field.past is not False else f"{datetime.now(UTC) + _LATER:%d-%m-%Y}"
        case "kecamatan":
            return "candi"
        case "desa":
            return "sumokali"
        case "address":
            return "Jl. Mawar 3 RT 02 RW 05"
        case "location":
            return "depan Pasar Larangan"
        case "people":
            return ", ".join(_FAMILY[: field.minimum or 1])
        case "number":
            return str(field.minimum or 1)
        case "choice":
            own = "perempuan" if person.is_woman else "laki_laki"
            return next((choice.title for choice in field.choices if choice.id == own), field.choices[0].title)
    return "Contoh jawaban untuk uji coba"


def sheet(label: str) -> bytes:
    """A sheet of paper as a good phone would photograph it, as JPEG: big enough, sharp, bright, not uniform."""
    image = Image.new("RGB", (1200, 900), (222, 218, 210))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 40, 1140, 860), fill=(250, 250, 247), outline=(90, 90, 90), width=3)
    for row in range(14):
        draw.text((100, 70 + row * 55), f"{label} CONTOH {row} " * 3, fill=(20, 20, 20), font_size=24)
        draw.line((100, 108 + row * 55, 1100, 108 + row * 55), fill=(120, 120, 120), width=2)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
