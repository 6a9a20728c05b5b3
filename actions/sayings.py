"""Intents that are answered with a sentence, whatever the state of things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rasa_sdk.events import EventType, SlotSet

from actions.action import DialogueAction, Resources
from actions.topic import FAMILIES_OFFERED
from actions.turn import Guess, Reply, Turn

__all__ = ["Emergency", "ListServices", "NotUnderstood", "OffTopic", "Repeat", "Say"]

_LIKELY = 3
_SURE = 0.5
_DIGITS = 8
_WISHES = ("ajukan_layanan", "tanya_syarat", "tanya_prosedur")
"""what a service that is named alone is mostly about"""
_ALL = "semua"
_MENU = (
    ("niat:daftar_layanan", "Daftar layanan"),
    ("niat:cek_status", "Cek status"),
    ("niat:bicara_petugas", "Petugas"),
)

_INTENT_TITLES: Mapping[str, str] = {
    "ajukan_layanan": "Mengurus surat",
    "tanya_syarat": "Tanya syarat",
    "tanya_biaya": "Tanya biaya",
    "tanya_lama_proses": "Tanya lama proses",
    "tanya_prosedur": "Tanya caranya",
    "tanya_lokasi": "Tanya tempat",
    "tanya_jam_layanan": "Tanya jam buka",
    "daftar_layanan": "Daftar layanan",
    "cek_status": "Cek status",
    "perbaiki_permohonan": "Perbaiki berkas",
    "batalkan_permohonan": "Cabut permohonan",
    "ambil_hasil": "Ambil hasil",
    "lanjutkan_draf": "Lanjutkan isian",
    "pengaduan": "Mengadu/melapor",
    "darurat": "Darurat",
    "bicara_petugas": "Bicara petugas",
    "privasi_data": "Data pribadi",
    "bantuan": "Bantuan",
}


class Say(DialogueAction):
    """One sentence; `menu` offers the next step, `handoff` stores a wish for a person."""

    def __init__(
        self, name: str, resources: Resources, text: str, *, menu: bool = False, handoff: str | None = None
    ) -> None:
        super().__init__(name, resources)
        self._text = text
        self._menu = menu
        self._handoff = handoff

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        reply.say(self.texts(self._text))
        if self._menu and turn.slot("draf") is None:
            for choice, title in _MENU:
                reply.offer(choice, title)
        if self._handoff is not None:
            reply.handoff = {"reason": self._handoff, "service": turn.slot("layanan")}
        return []


class Emergency(Say):
    """`darurat`: nothing but where help is."""

    tells_of_photo = False


class OffTopic(Say):
    """`di_luar_topik`; a NIK or a phone number that nobody asked for is told so, and what it may have been meant for."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slot("draf") is not None or not _is_number(turn.text):
            return await super().act(turn, reply)
        await _tell_no_use(turn, self, reply)
        return []


class ListServices(DialogueAction):
    """`daftar_layanan`: the families to choose from, and the whole list for who wants it."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        summaries = await self.catalogue.summaries()
        if turn.choice == f"niat:daftar_layanan:{_ALL}":
            agencies: dict[str, list[str]] = {}
            for service in summaries.values():
                agencies.setdefault(service.agency, []).append(service.name)
            listed = "\n".join(f"- {agency}: {'; '.join(names)}" for agency, names in agencies.items())
            reply.say(self.texts("semua_layanan", isi=listed))
            return []
        reply.say(self.texts("daftar_layanan", jumlah=len(summaries)))
        for family in FAMILIES_OFFERED:
            if name := self.catalogue.family_name(family):
                reply.offer(f"niat:ajukan_layanan:{family}", name)
        reply.offer(f"niat:daftar_layanan:{_ALL}", "Semua layanan")
        return []


class Repeat(DialogueAction):
    """`ulangi`: in the form it asks again by itself; outside, say how to go on."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slot("draf") is None:
            reply.say(self.texts("ulangi"))
            for choice, title in _MENU:
                reply.offer(choice, title)
        return []


class NotUnderstood(DialogueAction):
    """Fallback: the likely meanings as choices, never a guess."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.choice is not None:
            reply.say(self.texts("pilihan_lama"))
            return []
        if turn.phone is not None:
            # Their own, so what was filed with it on another channel is theirs here too.
            reply.say(self.texts("kontak_dikenali"))
            reply.offer("niat:cek_status", "Cek status")
            return []
        if (turn.file is not None and not turn.text) or turn.location is not None:
            reply.say(self.texts("belum_perlu_berkas"))
            return []
        if _is_number(turn.text):
            await _tell_no_use(turn, self, reply)
            return []
        reply.understood = False
        likely = [guess for guess in turn.intents if guess.name in _INTENT_TITLES][:_LIKELY]
        if (topic := await self._topic(turn)) is not None:
            return self._ask_about(*topic, likely, reply)
        if not likely:
            reply.say(self.texts("tidak_paham"))
            return []
        reply.say(self.texts("maksudnya"))
        service = turn.services[0].name if turn.services else None
        for guess in likely:
            about = f":{service}" if service and guess.name.startswith(("tanya_", "ajukan_")) else ""
            reply.offer(f"niat:{guess.name}{about}", _INTENT_TITLES[guess.name])
        return []

    async def _topic(self, turn: Turn) -> tuple[str, str] | None:
        """Id and name of the service that is surely meant, though not what about it."""
        if turn.slot("draf") is not None or not turn.services or turn.services[0].confidence < _SURE:
            return None
        meant = turn.services[0].name
        service = (await self.catalogue.summaries()).get(meant)
        name = service.name if service is not None else self.catalogue.family_name(meant)
        return (meant, name) if name else None

    def _ask_about(self, service: str, name: str, likely: Sequence[Guess], reply: Reply) -> list[EventType]:
        reply.say(self.texts("maksudnya_layanan", layanan=name))
        guessed = [guess.name for guess in likely[: _LIKELY - 1]]
        for intent in [*guessed, *(wish for wish in _WISHES if wish not in guessed)][:_LIKELY]:
            about = f":{service}" if intent.startswith(("tanya_", "ajukan_")) else ""
            reply.offer(f"niat:{intent}{about}", _INTENT_TITLES[intent])
        return [SlotSet("layanan", service)]


def _is_number(text: str) -> bool:
    """Digits enough for a phone number or a NIK, and hardly anything else."""
    digits = sum(map(str.isdigit, text))
    return digits >= _DIGITS and digits > sum(map(str.isalpha, text))


async def _tell_no_use(turn: Turn, action: DialogueAction, reply: Reply) -> None:
    reply.say(action.texts("belum_perlu_nomor"))
    if any([await action.backend.drafts(contact) for contact in turn.contacts]):
        reply.offer("niat:lanjutkan_draf", "Lanjutkan isian")
    for choice, title in _MENU[:2]:
        reply.offer(choice, title)
