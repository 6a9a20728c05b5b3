"""What every action shares: the turn tamed, one reply, and a polite sentence when the backend can't be asked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Action, Tracker

from actions.backend import Backend, BackendDown
from actions.bot import Bot
from actions.catalogue import Catalogue, Service
from actions.offices import Offices
from actions.texts import Texts, indonesian_date
from actions.turn import Reply, Turn

__all__ = ["FORM", "DialogueAction", "Resources"]

FORM = "form_permohonan"


@dataclass(frozen=True)
class Resources:
    """What actions work with; made once, at start."""

    backend: Backend
    catalogue: Catalogue
    offices: Offices
    texts: Texts
    bot: Bot
    clock: Callable[[], datetime]
    """the time in Sidoarjo"""


class DialogueAction(Action):
    """An action of the dialogue. `act` fills the reply and gives the events.

    Questions end in a sentence when the backend is down. What carries a citizen's data (`keeps_data`) fails the turn instead:
    nothing of it is saved, the channel keeps the message, tells the citizen, and sends it again, so no answer is lost.
    """

    keeps_data = False
    tells_of_photo = True
    """Words on a photo are answered, and so is what becomes of the photo that nothing has asked for."""
    offers_in_form = False
    """While a form is open, the choices on the phone are its own: an aside only answers."""

    def __init__(self, name: str, resources: Resources) -> None:
        self._action_name = name
        self.backend = resources.backend
        self.catalogue = resources.catalogue
        self.offices = resources.offices
        self.texts = resources.texts
        self.bot = resources.bot
        self.clock = resources.clock

    def name(self) -> str:
        return self._action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        turn, reply = Turn.of(tracker), Reply()
        try:
            events = await self.act(turn, reply)
        except BackendDown:
            if self.keeps_data:
                raise
            reply.say(self.texts("backend_mati"))
            events = []
        fills = bool(turn.slot("draf") or turn.slot("perbaikan"))
        if turn.file is not None and turn.text and self.tells_of_photo and not fills:
            by_link = turn.file.draft is not None
            reply.say(
                self.texts("berkas_tautan_tertutup", dokumen=turn.file.caption)
                if by_link
                else self.texts("foto_belum_disimpan")
            )
        if fills and not self.offers_in_form:
            reply.choices.clear()
            # What a form is about stays the topic, whatever was asked in between.
            events = [event for event in events if event.get("name") != "layanan"]
        reply.utter(dispatcher)
        return events

    @abstractmethod
    async def act(self, turn: Turn, reply: Reply) -> list[EventType]: ...

    def due(self, day: date, service: Service | None) -> str:
        """By when, and that it is to be made sure of where the time limit isn't verified."""
        due = self.texts("batas_waktu", tanggal=indonesian_date(day))
        return f"{due} {self.texts('perlu_verifikasi')}" if service and service.time_limit.needs_warning else due

    @staticmethod
    def mean(choice: str | None) -> EventType:
        """What a bare "ya" stands for from now on."""
        return SlotSet("tawaran", choice)
