"""Reading a stored update: what its channel makes of it, or a file that came in by one of our own links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.channel import Channel, Event, FileReference, Message

__all__ = ["is_uploaded", "link_subject", "read", "uploaded"]

_MARK = "praja_unggahan"
"""No provider's update has it: theirs are known by names of their own at the top."""


def uploaded(name: str, content_type: str, size: int, caption: str, *, draft: str, document: str) -> dict[str, Any]:
    """The update of a file sent in on our page, for that document of that draft; the file itself is stored with it."""
    subject = {"draft": draft, "document": document}
    return {_MARK: {"name": name, "content_type": content_type, "size": size, "caption": caption, **subject}}


def is_uploaded(update: Mapping[str, Any]) -> bool:
    return isinstance(update, Mapping) and set(update) == {_MARK}


def link_subject(update: Mapping[str, Any]) -> dict[str, str]:
    """Draft and document that a file's link was for; empty where it came by none, or before that was kept."""
    file = update[_MARK] if is_uploaded(update) else {}
    return {key: file[key] for key in ("draft", "document") if key in file}


def read(channel: Channel, update: Mapping[str, Any]) -> Event:
    """Raises ValueError as `Channel.parse` does."""
    if not is_uploaded(update):
        return channel.parse(update)
    file = update[_MARK]
    return Message(file=FileReference("", file["name"], file["content_type"], file["size"], file["caption"]))
