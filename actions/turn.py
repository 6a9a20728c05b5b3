"""One turn as an action sees it: the tracker tamed into typed values, and the reply being put together."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

__all__ = [
    "FILING_NUMBER",
    "FetchFile",
    "FileLost",
    "Guess",
    "IncomingFile",
    "Location",
    "OutgoingFile",
    "Reply",
    "Turn",
]

FILING_NUMBER = re.compile(r"SDA-\d{4}-[0-9A-HJKMNP-TV-Z]{6}")
"""as issued"""
_WISH = re.compile(r"niat:[a-z_]+:(?P<service>[a-z0-9_]+)")


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
    caption: str = ""
    """the name of the document where it came by a link of ours"""
    draft: str | None = None
    """that the link was for: a draft, or the number of a filing to be mended; None where it was sent in the chat"""
    document: str | None = None
    """of that draft"""


class FileLost(Exception):
    """A file is kept for a while only; it must be sent again."""


FetchFile = Callable[[IncomingFile], Awaitable[bytes]]
"""Gives a file's content; raises BackendDown when it can't be had now, FileLost when it is gone."""


@dataclass(frozen=True)
class OutgoingFile:
    """A document for the citizen; the channel fetches it from the backend when it sends it."""

    url: str
    name: str
    content_type: str


@dataclass(frozen=True)
class Location:
    lat: float
    lon: float


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
    location: Location | None
    slots: Mapping[str, Any]
    together: bool = False
    """of a file: sent before the file ahead of it was answered, as an album is"""
    linked: Sequence[str] = ()
    """the same person's other conversations: their phone number was proved there too"""
    heard: str = ""
    """what was said to them last"""
    besides: str | None = None
    """another service or family that the same message asks for"""

    @classmethod
    def of(cls, tracker: Tracker) -> Turn:
        message = tracker.latest_message
        metadata = message.get("metadata") or {}
        intent = message.get("intent") or {}
        file = metadata.get("file")
        place = metadata.get("location")
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
            file=_file(file) if file else None,
            phone=(metadata.get("contact") or {}).get("phone"),
            location=Location(float(place["lat"]), float(place["lon"])) if place else None,
            slots=dict(tracker.slots),
            together=bool(file and metadata.get("early")) and not _follows_words(tracker),
            linked=[str(other) for other in metadata.get("linked") or []],
            heard=_heard(tracker),
            besides=next((str(e["besides"]) for e in message.get("entities") or [] if e.get("besides")), None),
        )

    @property
    def contacts(self) -> Sequence[str]:
        """Under which this person has filed: here first."""
        return (self.conversation, *(other for other in self.linked if other != self.conversation))

    def choosing(self, choice: str) -> Turn:
        """This turn as if `choice` had been tapped instead of "ya" written."""
        number = FILING_NUMBER.search(choice)
        entities = {**self.entities, "nomor_permohonan": number[0]} if number else self.entities
        wish = _WISH.fullmatch(choice)
        services = [Guess(wish["service"], 1.0)] if wish else self.services
        return replace(self, choice=choice, entities=entities, services=services)

    def slot(self, name: str) -> str | None:
        value = self.slots.get(name)
        return None if value is None else str(value)


def _follows_words(tracker: Tracker) -> bool:
    """Whether the message before is known and sent no file."""
    earlier = [event for event in tracker.events if event.get("event") == "user"][:-1]
    return bool(earlier) and "file" not in (earlier[-1].get("metadata") or {})


def _heard(tracker: Tracker) -> str:
    """Everything between the two latest messages of the citizen."""
    said: list[str] = []
    users = 0
    for event in reversed(tracker.events):
        users += event.get("event") == "user"
        if users > 1:
            break
        if users == 1 and event.get("event") == "bot":
            said.append(event.get("text") or "")
    return "\n".join(reversed(said))


def _file(sent: Mapping[str, Any]) -> IncomingFile:
    return IncomingFile(
        sent["url"],
        sent["name"],
        sent["content_type"],
        sent.get("caption") or "",
        sent.get("draft"),
        sent.get("document"),
    )


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
    understood: bool = True
    """false twice in a row: the desk gets the conversation"""
    file: OutgoingFile | None = None

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
        if not self.understood:
            custom["understood"] = False
        if self.file is not None:
            custom["file"] = asdict(self.file)
        if self.paragraphs:
            dispatcher.utter_message(
                text="\n\n".join(self.paragraphs),
                buttons=[{"title": title, "payload": choice} for choice, title in self.choices],
                json_message=custom or None,
            )
