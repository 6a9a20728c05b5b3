"""The form of a service: what has been answered, what is asked next, what is still missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import JsonValue

from backend.catalogue import Document, FieldDefinition, FieldType, Service
from backend.fields import FieldError, Value, parse_answer
from backend.regions import Regions

__all__ = ["Content", "Form"]


@dataclass(frozen=True)
class Content:
    """What is kept, sealed, of a draft."""

    answers: Mapping[str, Value] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    on_behalf_of: str | None = None

    def skip(self, item: str) -> Content:
        answers = {key: value for key, value in self.answers.items() if key != item}
        return replace(self, answers=answers, skipped=(*self.unskip(item).skipped, item))

    def unskip(self, item: str) -> Content:
        return replace(self, skipped=tuple(other for other in self.skipped if other != item))


@dataclass(frozen=True)
class Form:
    service: Service
    content: Content
    pages: Mapping[str, int]
    """document → how many pages are there"""
    regions: Regions

    def field(self, identifier: str) -> FieldDefinition | None:
        return next((field for field in self.service.fields if field.id == identifier), None)

    def document(self, identifier: str) -> Document | None:
        return next((document for document in self.service.documents if document.id == identifier), None)

    def answer(self, field: FieldDefinition, value: JsonValue, today: date) -> Content:
        """The content with this answer; null skips an optional field. Another kecamatan empties its desa.

        Raises FieldError.
        """
        content = self.content
        if value is None:
            if not field.optional:
                raise FieldError(f"{field.name} wajib diisi, tidak bisa dilewati.")
            content = content.skip(field.id)
        else:
            parsed = parse_answer(field, value, answers=content.answers, regions=self.regions, today=today)
            content = replace(content.unskip(field.id), answers={**content.answers, field.id: parsed})
        if content.answers.get(field.id) == self.content.answers.get(field.id):
            return content
        inside = {other.id for other in self.service.fields if other.within == field.id}
        return replace(content, answers={key: kept for key, kept in content.answers.items() if key not in inside})

    def missing(self) -> list[str]:
        """What must be answered before the form can be submitted, in the order it is asked."""
        return [item.id for item in self._open() if not item.optional]

    def next(self, ask: str | None = None) -> dict[str, Any] | None:
        """The question to ask now: of `ask`, where that is a field or document, else of the first open one."""
        asked = (self.field(ask) or self.document(ask)) if ask is not None else None
        item = asked or next(iter(self._open()), None)
        if item is None:
            return None
        question = self._ask_document(item) if isinstance(item, Document) else self._ask_field(item)
        return {"field": item.id, **question, "optional": item.optional}

    def _open(self) -> list[FieldDefinition | Document]:
        answered = {*self.content.answers, *self.pages}
        items: list[FieldDefinition | Document] = [*self.service.fields, *self.service.documents]
        skipped = {item.id for item in items if item.optional and item.id in self.content.skipped}
        return [item for item in items if item.id not in answered | skipped]

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
