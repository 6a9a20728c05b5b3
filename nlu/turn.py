"""A turn as the bot sends it: one message of a citizen, tamed into a typed value."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, TypeVar, Union

__all__ = [
    "ChosenId",
    "SentContact",
    "SentFile",
    "SentLocation",
    "Text",
    "Turn",
    "TurnUnfit",
    "parse_forgetting",
    "parse_turn",
]

_LONGEST_TEXT = 10_000
_LONGEST_NAME = 255
_MOST_LINKED = 20
_CHANNEL = "praja"
_FILE = ("berkas", "application/octet-stream")
"""name and content type of one of which only the address is told"""
_FURTHEST = 1e11
"""seconds, the year 5138"""


class TurnUnfit(ValueError):
    """The body isn't a turn as `docs/rooms.md` has it. The message names the key and never its value."""


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class ChosenId:
    id: str


@dataclass(frozen=True)
class SentFile:
    url: str
    name: str
    content_type: str
    size: Optional[int]
    caption: Optional[str]
    draft: Optional[str] = None
    """that the link it came by was for: a draft, or the number of a filing to be mended"""
    document: Optional[str] = None
    """of that draft"""


@dataclass(frozen=True)
class SentLocation:
    lat: float
    lon: float


@dataclass(frozen=True)
class SentContact:
    phone: str


_Default = TypeVar("_Default", bound=Optional[str])
Content = Union[Text, ChosenId, SentFile, SentLocation, SentContact]


@dataclass(frozen=True)
class Turn:
    conversation: str
    message_id: str
    channel: str
    content: Content
    linked: tuple[str, ...] = ()
    """other conversations of the same proven phone number"""
    early: bool = False
    """written before the answer to the message before it was there"""


def parse_turn(body: Any) -> Turn:
    """Raises TurnUnfit."""
    body = _mapping(body, "body")
    present = [key for key in _CONTENTS if key in body]
    unknown = set(body) - set(_CONTENTS) - {"conversation", "message_id", "channel", "linked", "early"}
    if len(present) != 1 or unknown:
        raise TurnUnfit(f"body needs exactly one of {', '.join(_CONTENTS)} and nothing unknown")
    return Turn(
        _uuid(_string(body, "conversation", 64), "conversation"),
        _string(body, "message_id", _LONGEST_NAME),
        _string_or(_CHANNEL, body, "channel", 32),
        _CONTENTS[present[0]](body),
        _linked(body),
        _early(body),
    )


def parse_forgetting(body: Any) -> Union[str, float]:
    """The conversation to forget, or the Unix time before which everything is. Raises TurnUnfit."""
    body = _mapping(body, "body")
    if set(body) == {"conversation"}:
        return _uuid(_string(body, "conversation", 64), "conversation")
    before = body.get("before")
    if set(body) != {"before"} or isinstance(before, bool) or not isinstance(before, (int, float)):
        raise TurnUnfit("body needs conversation, or before as a number of seconds")
    if not -_FURTHEST <= before <= _FURTHEST:
        raise TurnUnfit("before must be a time that there is")
    return float(before)


def _uuid(value: str, name: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise TurnUnfit(f"{name} must be a UUID") from None


def _linked(body: Mapping[str, Any]) -> tuple[str, ...]:
    linked = body.get("linked", [])
    if not isinstance(linked, list) or not all(isinstance(other, str) for other in linked):
        raise TurnUnfit("linked must be a list of UUIDs")
    return tuple(_uuid(other, "linked") for other in linked[:_MOST_LINKED])


def _early(body: Mapping[str, Any]) -> bool:
    early = body.get("early", False)
    if not isinstance(early, bool):
        raise TurnUnfit("early must be true or false")
    return early


def _text(body: Mapping[str, Any]) -> Text:
    return Text(_string(body, "text", _LONGEST_TEXT))


def _choice(body: Mapping[str, Any]) -> ChosenId:
    return ChosenId(_string(body, "choice", _LONGEST_NAME))


def _file(body: Mapping[str, Any]) -> SentFile:
    file = _mapping(body["file"], "file")
    size = file.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise TurnUnfit("file.size must be a number of bytes or null")
    url = _string(file, "url", 2_000)
    if not url.startswith(("http://", "https://")):
        raise TurnUnfit("file.url must be an http address")
    name, content_type = _FILE
    return SentFile(
        url,
        _string_or(name, file, "name", _LONGEST_NAME),
        _string_or(content_type, file, "content_type", _LONGEST_NAME),
        size,
        _string_or(None, file, "caption", _LONGEST_TEXT),
        _string_or(None, file, "draft", _LONGEST_NAME),
        _string_or(None, file, "document", _LONGEST_NAME),
    )


def _location(body: Mapping[str, Any]) -> SentLocation:
    location = _mapping(body["location"], "location")
    return SentLocation(_degrees(location, "lat", 90), _degrees(location, "lon", 180))


def _contact(body: Mapping[str, Any]) -> SentContact:
    return SentContact(_string(_mapping(body["contact"], "contact"), "phone", 32))


_CONTENTS: Mapping[str, Callable[[Mapping[str, Any]], Content]] = {
    "text": _text,
    "choice": _choice,
    "file": _file,
    "location": _location,
    "contact": _contact,
}


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TurnUnfit(f"{name} must be an object")
    return value


def _string(body: Mapping[str, Any], key: str, longest: int) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise TurnUnfit(f"{key} must be a string")
    # Half a surrogate pair can be neither sealed nor sent on; a NUL isn't text.
    tamed = value.encode("utf-8", "replace").decode().replace("\0", "").strip()
    if not tamed or len(tamed) > longest:
        raise TurnUnfit(f"{key} must have 1 to {longest} characters")
    return tamed


def _string_or(default: _Default, body: Mapping[str, Any], key: str, longest: int) -> Union[str, _Default]:
    """`default` where it is left out, null or empty."""
    return _string(body, key, longest) if body.get(key) not in (None, "") else default


def _degrees(body: Mapping[str, Any], key: str, limit: int) -> float:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -limit <= value <= limit:
        raise TurnUnfit(f"{key} must be a number from -{limit} to {limit}")
    return float(value)
