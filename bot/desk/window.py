"""Until when free text may be sent to a citizen, on a channel that only lets one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.desk.access import Shown
from bot.desk.room import DeskRoom

__all__ = ["Window", "window"]


@dataclass(frozen=True)
class Window:
    open: bool
    closes_at: datetime | None
    """None on a channel without a window, and where the citizen never wrote"""
    template: str | None
    """the approved template that can be sent when it is closed; its one parameter is the text"""


def window(room: DeskRoom, found: Shown) -> Window:
    template = room.templates.get(found.channel)
    name = template[0] if template else None
    channel = room.channels.get(found.channel)
    length = channel.capabilities.window if channel else None
    if length is None:
        return Window(open=True, closes_at=None, template=name)
    closes = found.last_message_at + length if found.last_message_at else None
    return Window(open=closes is not None and room.store.clock() < closes, closes_at=closes, template=name)
