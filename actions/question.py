"""A question as the backend words it, for a draft or for what is to be mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Question", "read_question"]


@dataclass(frozen=True)
class Question:
    field: str
    type: str
    question: str
    help: str | None
    choices: Sequence[tuple[str, str]]
    """(id, title)"""
    optional: bool


def read_question(body: Mapping[str, Any]) -> Question:
    return Question(
        field=body["field"],
        type=body["type"],
        question=body["question"],
        help=body.get("help"),
        choices=tuple((str(choice["id"]), str(choice["title"])) for choice in body.get("choices") or ()),
        optional=bool(body.get("optional")),
    )
