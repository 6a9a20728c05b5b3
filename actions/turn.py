"""One turn as an action sees it: the tracker tamed into typed values, and the reply being put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

__all__ = ["Guess", "IncomingFile", "Reply", "Turn"]


@dataclass(frozen=True)
class Guess:
    """Something the model believes, and how much: an intent, a service or a family."""

    name: str
    confidence: float


@dataclass(frozen=True)
class IncomingFile:
    url: str
    name: str
    content_type: str


@dataclass(frozen=True)
class Turn:
    conversation: str
    message_id: str
    channel: str
    text: str
    intent: str | None
    confidence: float
    intents: Sequence[Guess]
    """best first"""
    services: Sequence[Guess]
    """services or families meant, best first; empty when the message names none"""
    entities: Mapping[str, str]
    choice: str | None
    """id of the choice that was taken instead of writing"""
    file: IncomingFile | None
    phone: str | None
    """from a shared contact of their own"""
    has_location: bool
    slots: Mapping[str, Any]

    @classmethod
    def of(cls, tracker: Tracker) -> Turn:
        message = tracker.latest_message
        metadata = message.get("metadata") or {}
        intent = message.get("intent") or {}
        file = metadata.get("file")
        return cls(
            conversation=tracker.sender_id,
            message_id=str(message.get("message_id")),
            channel=str(metadata.get("channel") or "chat"),
            text=(message.get("text") or "").strip(),
            intent=intent.get("name"),
            confidence=float(intent.get("confidence") or 0.0),
            intents=[Guess(i["name"], float(i["confidence"])) for i in message.get("intent_ranking") or []],
            services=_services(message.get("entities") or []),
            entities={e["entity"]: str(e["value"]) for e in message.get("entities") or [] if e["entity"] != "layanan"},
            choice=metadata.get("choice"),
            file=IncomingFile(file["url"], file["name"], file["content_type"]) if file else None,
            phone=(metadata.get("contact") or {}).get("phone"),
            has_location=bool(metadata.get("location")),
            slots=dict(tracker.slots),
        )

    def slot(self, name: str) -> str | None:
        value = self.slots.get(name)
        return None if value is None else str(value)


def _services(entities: Sequence[Mapping[str, Any]]) -> list[Guess]:
    for entity in entities:
        if entity["entity"] == "layanan":
            best = Guess(str(entity["value"]), float(entity.get("confidence_entity") or 1.0))
            others = [Guess(a["value"], float(a["confidence"])) for a in entity.get("alternatives") or []]
            return [best, *others]
    return []


@dataclass
class Reply:
    """What an action says: paragraphs and choices, uttered as one message."""

    paragraphs: list[str] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)
    expects_number: bool = False
    """a typed "2" is then an answer, not the second choice"""
    handoff: Mapping[str, str | None] | None = None

    def say(self, text: str) -> None:
        if text not in self.paragraphs:
            self.paragraphs.append(text)

    def offer(self, choice: str, title: str) -> None:
        self.choices.append((choice, title))

    def utter(self, dispatcher: CollectingDispatcher) -> None:
        custom: dict[str, Any] = {}
        if self.expects_number:
            custom["expects"] = "number"
        if self.handoff is not None:
            custom["handoff"] = self.handoff
        if self.paragraphs:
            dispatcher.utter_message(
                text="\n\n".join(self.paragraphs),
                buttons=[{"title": title, "payload": choice} for choice, title in self.choices],
                json_message=custom or None,
            )
