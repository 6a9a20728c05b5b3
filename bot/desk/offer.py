"""An officer hands a filing to the bot: the citizen gets a button that begins it, or goes on with it."""

from __future__ import annotations

import uuid

from bot.desk.officer import Officer
from bot.desk.room import DeskRoom
from bot.desk.states import close
from bot.reply import Choice, Reply

__all__ = ["offer"]


async def offer(room: DeskRoom, officer: Officer, conversation: uuid.UUID, *, service: str, name: str) -> None:
    """Close the conversation with a word on the service and its button; a draft that is open is gone on with.

    `service` is the id of one that can be filed, `name` as the citizen reads it. Raises DeskRefused.
    """
    button = Choice(f"mulai:{service}", room.texts("meja_tombol_mulai"))
    farewell = Reply(room.texts("meja_tawaran", layanan=name), (button,))
    await close(room, officer, conversation, note=name, farewell=farewell)
