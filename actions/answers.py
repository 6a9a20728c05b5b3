"""Questions about a service, answered from the catalogue and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from rasa_sdk.events import EventType, SlotSet

from actions.action import DialogueAction, Resources
from actions.backend import BackendDown
from actions.catalogue import Fact, Service
from actions.offices import Office
from actions.opening import tell_day, tell_now
from actions.own_filings import OwnFilings
from actions.topic import Choice, find_service, offer_next_best
from actions.turn import Reply, Turn
from actions.wishes import asks_of_rejection, wants

__all__ = ["Answer"]

_UNDER_WAY = ("MENUNGGU", "DIPROSES")
_REPRESENTED = {
    "always": "wakil_wajib_kuasa",
    "unless_family": "wakil_bukan_keluarga",
    "not_allowed": "wakil_tidak_boleh",
}
"""what the catalogue says of somebody else doing it → sentence"""


class Answer(DialogueAction):
    """`tanya_*`: one question, one paragraph, and the next step as a choice."""

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._filings = OwnFilings(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.choice is None and asks_of_rejection(turn.text):
            reply.say(self.texts("kalau_ditolak"))
            return []
        if turn.intent in ("tanya_lokasi", "tanya_jam_layanan") and not turn.services:
            office = self.offices.named_in(turn.text)
            if office is not None and office.place is not None and turn.intent == "tanya_lokasi":
                # "Ke kecamatan apa ke desa?" asks of a service; and there is one in every place.
                office = None
            if office is None and turn.slot("layanan") is None and turn.intent == "tanya_jam_layanan":
                office = self.offices["dispendukcapil"]
            if office is not None:
                self._tell_offices([office], turn, reply)
                return []
        found = await find_service(turn, self.catalogue, self.texts, reply)
        if isinstance(found, Choice):
            return [SlotSet("layanan", found.topic)] if found.topic else []
        self._tell(found, turn, reply)
        if turn.slot("draf") is None and turn.intent == "tanya_lama_proses":
            await self._tell_own(found, turn, reply)
        if turn.slot("draf") is None and turn.intent != "ajukan_layanan":
            self._next_step(found, turn, reply)
            await offer_next_best(found, turn, self.catalogue, reply)
        return [SlotSet("layanan", found.id), self.mean(f"mulai:{found.id}" if found.mode == "permohonan" else None)]

    async def _tell_own(self, service: Service, turn: Turn, reply: Reply) -> None:
        """Whoever has such a filing under way wants to know of that one."""
        with suppress(BackendDown):
            for own in await self._filings.all(turn):
                filing = own.filing
                if filing.service == service.id and filing.state in _UNDER_WAY and filing.due_on is not None:
                    until = self.due(filing.due_on, service)
                    reply.say(self.texts("batas_waktu_anda", nomor=filing.number, batas=until))

    def _tell(self, service: Service, turn: Turn, reply: Reply) -> None:
        match turn.intent:
            case "tanya_biaya":
                self._tell_fact("jawab_biaya", service, service.fee, reply)
            case "tanya_lama_proses":
                self._tell_fact("jawab_lama", service, service.time_limit, reply)
            case "tanya_prosedur" if wants("diwakilkan", turn.text):
                self._tell_representation(service, reply)
            case "tanya_prosedur":
                self._tell_list("jawab_prosedur", service, service.steps, reply, numbered=True)
                if service.online:
                    reply.say(self.texts("jawab_daring", kanal=", ".join(service.online)))
            case "tanya_lokasi" | "tanya_jam_layanan":
                self._tell_where(service, turn, reply)
            case _:
                self._tell_list("jawab_syarat", service, service.requirements, reply)

    def _tell_representation(self, service: Service, reply: Reply) -> None:
        """Whether somebody else may do it; only of what is filed here do we know."""
        rule = service.representation if service.is_filed else None
        if rule not in _REPRESENTED:
            reply.say(self.texts("wakil_tidak_tahu", layanan=service.name, instansi=service.agency))
            return
        reply.say(self.texts(_REPRESENTED[rule], layanan=service.name))
        if rule != "not_allowed" and service.mode == "permohonan":
            reply.offer(f"mulai:{service.id}:wakil", "Ajukan untuk dia")

    def _tell_fact(self, key: str, service: Service, fact: Fact, reply: Reply) -> None:
        reply.say(self.texts(key, layanan=service.name, isi=fact.text))
        if fact.needs_warning:
            reply.say(self.texts("perlu_verifikasi"))

    def _tell_list(
        self, key: str, service: Service, facts: Sequence[Fact], reply: Reply, *, numbered: bool = False
    ) -> None:
        if not facts:
            reply.say(self.texts("jawab_tidak_ada", layanan=service.name, instansi=service.agency))
            return
        marked = [fact.text + (" *" if fact.needs_warning else "") for fact in facts]
        lines = [f"{position}. {text}" if numbered else f"- {text}" for position, text in enumerate(marked, 1)]
        reply.say(self.texts(key, layanan=service.name, isi="\n".join(lines)))
        if any(fact.needs_warning for fact in facts):
            reply.say(self.texts("perlu_verifikasi_bintang"))

    def _tell_where(self, service: Service, turn: Turn, reply: Reply) -> None:
        offices = self.offices.known(service.offices)[:2]
        if not offices:
            reply.say(self.texts("jawab_kantor_tidak_ada", layanan=service.name, instansi=service.agency))
            return
        reply.say(self.texts("untuk_layanan", layanan=service.name))
        self._tell_offices(offices, turn, reply)

    def _tell_offices(self, offices: Sequence[Office], turn: Turn, reply: Reply) -> None:
        tell = self._hours if turn.intent == "tanya_jam_layanan" else self._place
        for office in offices:
            reply.say(tell(office, turn))
        if any(office.unverified for office in offices):
            reply.say(self.texts("perlu_verifikasi"))

    def _hours(self, office: Office, turn: Turn) -> str:
        opening = office.opening()
        if opening is None:
            return self.texts("jawab_jam_tidak_ada", kantor=office.name)
        if "tanggal" in turn.entities:
            return tell_day(office, date.fromisoformat(turn.entities["tanggal"]), self.texts)
        return (
            f"{self.texts('jawab_jam', kantor=office.name, jam=opening)} {tell_now(office, self.clock(), self.texts)}"
        )

    def _place(self, office: Office, turn: Turn) -> str:
        where = office.address or self.texts("alamat_tidak_ada")
        phone = f" Telepon {office.phone}." if office.phone else ""
        return self.texts("jawab_lokasi", kantor=office.name, alamat=where, telepon=phone)

    def _next_step(self, service: Service, turn: Turn, reply: Reply) -> None:
        if service.mode == "permohonan":
            reply.offer(f"mulai:{service.id}", "Ajukan sekarang")
        for intent, title in (
            ("tanya_syarat", "Syarat"),
            ("tanya_biaya", "Biaya"),
            ("tanya_lama_proses", "Lama proses"),
        ):
            if intent != turn.intent and len(reply.choices) < 3:
                reply.offer(f"niat:{intent}:{service.id}", title)
