"""What a draft asks: in which order, in which words, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import JsonValue

from backend.catalogue import Document, FieldDefinition, FieldType, Service
from backend.fields import FieldError, Value, parse_answer
from backend.identity_match import refuse_mismatch
from backend.image_quality import Doubt
from backend.regions import Regions, find_place

__all__ = ["Content", "Form", "Pages"]


@dataclass(frozen=True)
class Content:
    """What is kept, sealed, of a draft."""

    answers: Mapping[str, Value] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    on_behalf_of: str | None = None
    known_settled: bool = False
    """the contact has taken or declined the answers of an earlier filing"""

    def skip(self, item: str) -> Content:
        answers = {key: value for key, value in self.answers.items() if key != item}
        return replace(self, answers=answers, skipped=(*self.unskip(item).skipped, item))

    def unskip(self, item: str) -> Content:
        return replace(self, skipped=tuple(other for other in self.skipped if other != item))


@dataclass(frozen=True)
class Pages:
    """What is there of a document."""

    count: int
    doubt: Doubt | None = None
    """of a page that is hard to read and wasn't accepted as it is"""


@dataclass(frozen=True)
class Form:
    service: Service
    """with the questions for somebody who files for another person, where that is so"""
    content: Content
    pages: Mapping[str, Pages]
    regions: Regions

    def field(self, identifier: str) -> FieldDefinition | None:
        return next((field for field in self.service.fields if field.id == identifier), None)

    def document(self, identifier: str) -> Document | None:
        return next((document for document in self.service.documents if document.id == identifier), None)

    def asks(self, item: FieldDefinition | Document) -> bool:
        """Whether the answers so far are such that it is asked at all."""
        answers = self.content.answers
        return all(answers.get(field) in values for field, values in item.only_if.items())

    def items(self) -> list[FieldDefinition | Document]:
        """Everything that is asked, in its order."""
        items: list[FieldDefinition | Document] = [*self.service.fields, *self.service.documents]
        return [item for item in items if self.asks(item)]

    def show_items(self) -> list[dict[str, Any]]:
        return [
            {
                "id": item.id,
                "name": item.name,
                "type": "document" if isinstance(item, Document) else item.type.value,
                "choices": None if isinstance(item, Document) else self._choices(item),
                "optional": item.optional,
                "maximum_pages": item.maximum_pages if isinstance(item, Document) else None,
            }
            for item in self.items()
        ]

    def answer(self, field: FieldDefinition, value: JsonValue, today: date) -> Content:
        """The content with this answer; null skips an optional field.

        Another kecamatan empties its desa, and a desa answered instead fills both; another choice takes away the answers that
        it makes needless.
        Raises FieldError.
        """
        if not self.asks(field):
            raise FieldError(f"{field.name} tidak diperlukan untuk jawaban Anda yang sekarang.")
        content = self.content
        if value is None:
            if not field.optional:
                raise FieldError(f"{field.name} wajib diisi, tidak bisa dilewati.")
            content = content.skip(field.id)
        else:
            parsed = parse_answer(field, value, answers=content.answers, regions=self.regions, today=today)
            refuse_mismatch(self.service.fields, field, parsed, content.answers, today)
            content = replace(content.unskip(field.id), answers={**content.answers, field.id: parsed})
        inside = [other for other in self.service.fields if other.within == field.id and self.asks(other)]
        place = self._place_inside(field, value, content)
        if place is None and content.answers.get(field.id) == self.content.answers.get(field.id):
            return content
        answers = {key: kept for key, kept in content.answers.items() if key not in {other.id for other in inside}}
        answers |= {other.id: place for other in inside if place is not None}
        return self._without_needless(replace(content, answers=answers))

    def _place_inside(self, field: FieldDefinition, value: JsonValue, content: Content) -> str | None:
        """The desa that was named where its kecamatan was asked for."""
        if field.type is not FieldType.KECAMATAN or not isinstance(value, str):
            return None
        if find_place(value, self.regions.places) is not None:
            return None
        return find_place(value, self.regions.places[str(content.answers[field.id])])

    def needless_documents(self) -> list[str]:
        """Documents of which pages are there, though the answers don't ask for them any more."""
        asked = {item.id for item in self.items()}
        return [key for key in self.pages if self.document(key) is not None and key not in asked]

    def missing(self) -> list[str]:
        """What must be answered before the form can be submitted, in the order it is asked."""
        return [item.id for item in self._open() if not item.optional or self._is_doubtful(item)]

    def next(self, ask: str | None = None) -> dict[str, Any] | None:
        """The question to ask now: of `ask`, where that is a field or document, else of the first open one."""
        asked = (self.field(ask) or self.document(ask)) if ask is not None else None
        item = asked if asked is not None and self.asks(asked) else next(iter(self._open()), None)
        return None if item is None else self._ask(item)

    def question(self, identifier: str) -> dict[str, Any] | None:
        """Of a field or document, whether it is its turn or not, with the most pages of a document."""
        item = self.field(identifier) or self.document(identifier)
        if item is None:
            return None
        return {**self._ask(item), "maximum_pages": item.maximum_pages if isinstance(item, Document) else None}

    def _without_needless(self, content: Content) -> Content:
        """A condition names an earlier choice, so one walk in the order of asking finds all that follow from it."""
        answers = dict(content.answers)
        for asked in self.service.fields:
            if not replace(self, content=replace(content, answers=answers)).asks(asked):
                answers.pop(asked.id, None)
        return replace(content, answers=answers)

    def _open(self) -> list[FieldDefinition | Document]:
        """A doubtful document comes first: the citizen has it at hand."""
        items = self.items()
        doubtful = [item for item in items if self._is_doubtful(item)]
        answered = {*self.content.answers, *self.pages}
        skipped = {item.id for item in items if item.optional and item.id in self.content.skipped}
        return doubtful + [item for item in items if item.id not in answered | skipped]

    def _is_doubtful(self, item: FieldDefinition | Document) -> bool:
        pages = self.pages.get(item.id)
        return pages is not None and pages.doubt is not None

    def _ask(self, item: FieldDefinition | Document) -> dict[str, Any]:
        question = self._ask_document(item) if isinstance(item, Document) else self._ask_field(item)
        return {"field": item.id, **question, "optional": item.optional}

    def _ask_field(self, field: FieldDefinition) -> dict[str, Any]:
        return {
            "type": field.type.value,
            "question": field.question,
            "help": field.help,
            "choices": self._choices(field),
        }

    def _ask_document(self, document: Document) -> dict[str, Any]:
        hints = (
            f"Diperlukan {document.condition}." if document.condition else None,
            f"Boleh sampai {document.maximum_pages} halaman, satu berkas tiap halaman."
            if document.maximum_pages > 1
            else None,
        )
        return {
            "type": "document",
            "question": f"Kirim foto atau PDF {document.name}: {document.good}.",
            "help": " ".join(hint for hint in hints if hint) or None,
            "choices": None,
        }

    def _choices(self, field: FieldDefinition) -> list[dict[str, str]] | None:
        match field.type:
            case FieldType.CHOICE:
                return [{"id": choice.id, "title": choice.title} for choice in field.choices]
            case FieldType.KECAMATAN:
                return [{"id": name, "title": name} for name in self.regions.places]
            case FieldType.DESA:
                kecamatan = str(self.content.answers.get(field.within or ""))
                return [{"id": name, "title": name} for name in self.regions.places.get(kecamatan, ())]
        return None
