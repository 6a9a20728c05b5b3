"""Officers at the desk, and citizens who come to it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from bot.desk.hours import LOCAL_TIME
from bot.desk.officer import Officer
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply

__all__ = ["BUDI", "DEWI", "MONDAY", "RINI", "SITI", "asks_for_a_person", "at", "wants_person"]

SITI = Officer("siti", "Siti", frozenset({"dispendukcapil", "umum"}))
BUDI = Officer("budi", "Budi", frozenset({"dispendukcapil"}))
RINI = Officer("rini", "Rini", frozenset({"dinsos"}))
DEWI = Officer("dewi", "Dewi", None)
"""a supervisor of everything"""

MONDAY = datetime(2027, 3, 1, 9, 0, tzinfo=LOCAL_TIME)
"""an ordinary working day, in the morning"""


def at(room: Room, when: datetime) -> None:
    room.clock.advance(when - room.clock())


def wants_person(body: dict[str, Any]) -> dict[str, Any]:
    """Rasa, whose `petugas` means what it says."""
    if "petugas" in body.get("text", ""):
        return reply("Dicatat.", handoff={"reason": "diminta", "service": "ktp_hilang"})
    return reply(f"Jawaban: {body.get('text')}")


async def asks_for_a_person(room: Room, rasa: FakeRasa, name: str = "ID.1", **worker: Any) -> uuid.UUID:
    """Somebody whose conversation waits for dispendukcapil; what they were told is forgotten."""
    rasa.answer = wants_person
    external = f"petugas-{name}-{uuid.uuid4().hex[:6]}"
    await room.receive(update(external, bsuid=name, text="mau bicara petugas"))
    await room.work_off()
    conversation: uuid.UUID = await room.value(
        "SELECT conversation FROM bot.inbox WHERE external_id = :external", external=external
    )
    room.channel.posted.clear()
    return conversation
