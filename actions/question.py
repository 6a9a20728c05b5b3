"""A question as the backend words it, for a draft or for what is to be mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Question", "read_choices", "read_question"]


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
        choices=read_choices(body.get("choices")),
        optional=bool(body.get("optional")),
    )


def read_choices(listed: Sequence[Mapping[str, Any] | str] | None) -> Sequence[tuple[str, str]]:
    """(id, title) of each; a mere word is both."""
    return tuple(
        (each, each) if isinstance(each, str) else (str(each["id"]), str(each["title"])) for each in listed or ()
    )
