"""A service's catalogue entry as the backend gives it: it stands in for what a backend leaves out of drafts and filings.

`backend-api.md` names neither an entry's keys nor those that are put in here, so none is counted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actions.question import Question, read_choices
from actions.texts import Texts

__all__ = ["complete_draft", "complete_filing", "listed_in", "plain_name", "question_of"]


def listed_in(entry: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    """Its `fields` or `documents`."""
    return [each for each in entry.get(kind) or () if isinstance(each, Mapping) and "id" in each]


def plain_name(identifier: str) -> str:
    """What a field or a document is called by who knows no name for it."""
    return identifier.replace("_", " ")


def complete_draft(draft: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """With `items`: what it has answers or documents of, asks next or misses; first what the entry knows, in its order."""
    asked, known = draft.get("next"), _items(entry)
    kinds = {
        **dict.fromkeys((*draft["answers"], *draft.get("missing", ())), "text"),
        **dict.fromkeys(draft["documents"], "document"),
        **({asked["field"]: asked["type"]} if asked else {}),
    }
    ordered = [*(each for each in known if each in kinds), *(each for each in kinds if each not in known)]
    items = [{"id": each, "name": plain_name(each), "type": kinds[each], **known.get(each, {})} for each in ordered]
    return {**draft, "items": items}


def complete_filing(filing: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """With its service's `mode`, and the names of what is to be mended."""
    names = {identifier: item["name"] for identifier, item in _items(entry).items() if "name" in item}
    return {"mode": entry.get("mode"), "fix_names": names, **filing}


def question_of(identifier: str, name: str, entry: Mapping[str, Any], texts: Texts, *, is_document: bool) -> Question:
    """Of a field or document that the backend doesn't ask by itself: it was answered already."""
    item = _items(entry).get(identifier, {})
    optional = bool(item.get("optional"))
    if is_document:
        good = f" {texts('perbaiki_foto', baik=item['good'])}" if item.get("good") else ""
        question = texts("perbaiki_dokumen", bagian=name) + good
        return Question(identifier, "document", question, None, (), optional)
    question = item.get("question") or texts("perbaiki_isian", bagian=name)
    choices = read_choices(item.get("choices"))
    return Question(identifier, item.get("type") or "text", question, item.get("help"), choices, optional)


def _items(entry: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """By id, fields first."""
    fields = {each["id"]: each for each in listed_in(entry, "fields")}
    documents = {each["id"]: {**each, "type": "document"} for each in listed_in(entry, "documents")}
    return fields | documents
