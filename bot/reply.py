"""What the bot says: a reply as the dialogue means it, and the bubbles it becomes on a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.channel import Template

__all__ = ["BACK", "Bubble", "Choice", "FileLink", "Reply", "is_own_number"]

BACK = "meja:kembali"
"""the choice of somebody who waits for an officer: back to the bot. It never reaches Rasa"""


@dataclass(frozen=True)
class Choice:
    id: str
    """as in `docs/rooms.md`; never leaves us"""
    title: str


def is_own_number(choice: Choice) -> bool:
    """Whether it means the number that the citizen writes from."""
    return choice.id.startswith("isi:") and choice.id.endswith(":@kontak")


@dataclass(frozen=True)
class FileLink:
    """A file for the citizen, fetched from the backend at the moment of sending."""

    url: str
    name: str
    content_type: str


@dataclass(frozen=True)
class Reply:
    text: str
    choices: tuple[Choice, ...] = ()
    file: FileLink | None = None
    for_waiting: bool = False
    """it says nothing but how it stands with the queue, so nothing to whom an officer has, or the bot again"""


@dataclass(frozen=True)
class Bubble:
    """One message of a channel. The titles of `choices` fit it; `template` replaces the text outside the window."""

    text: str
    choices: tuple[Choice, ...] = ()
    file: FileLink | None = None
    template: Template | None = None
    asks_contact: bool = False
    """its choice of the own number asks the phone for it"""
    for_waiting: bool = False
    """all of it, as of a reply"""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Bubble:
        file, template = body["file"], body["template"]
        return cls(
            text=body["text"],
            choices=tuple(Choice(**choice) for choice in body["choices"]),
            file=FileLink(**file) if file else None,
            template=Template(template["name"], template["language"], tuple(template["parameters"]))
            if template
            else None,
            asks_contact=body.get("asks_contact", False),
            for_waiting=body.get("for_waiting", False),
        )
