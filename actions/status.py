"""How a filing stands: one's own in any words, another person's by number and a second proof."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from rasa_sdk.events import EventType

from actions.action import DialogueAction, Resources
from actions.backend import NotYours, TooManyTries, Unknown
from actions.confirmation import Confirmation
from actions.filed import Filing
from actions.own_filings import OwnFilings, is_issued
from actions.states import said_state
from actions.texts import indonesian_date
from actions.turn import Reply, Turn
from actions.wishes import asks_of_rejection, wants
from actions.words import is_word

__all__ = ["TellStatus"]

_LOCAL = ZoneInfo("Asia/Jakarta")
_LATEST = 4
"""entries of the chronology that are told"""
_WAITS_FOR_OFFICE = ("MENUNGGU", "DIPROSES")
_SENT_BACK = ("PERLU_PERBAIKAN", "DITOLAK")
_CANCELLABLE = ("MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN")
_NUMBER_AS_WRITTEN = re.compile(r"s\W?d\W?a[\W_]*\d(?:[\W_]?\d){3}[\W_]*[0-9a-z](?:[\W_]?[0-9a-z]){5}", re.IGNORECASE)


class TellStatus(DialogueAction):
    """`cek_status`"""

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._filings = OwnFilings(resources)
        self._confirmation = Confirmation(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.choice is None and asks_of_rejection(turn.text):
            reply.say(self.texts("kalau_ditolak"))
            return []
        if turn.slot("draf") is not None and is_word("apa_salahnya", turn.text):
            # The answer just refused is meant, which the form now asks for again.
            return []
        confirmed = await self._confirmation.take(turn, reply)
        if confirmed is not None:
            return confirmed
        number = turn.entities.get("nomor_permohonan")
        if number is not None:
            return await self._numbered(number, turn, reply)
        owned = await self._filings.meant(await self._filings.all(turn), turn)
        if is_word("apa_salahnya", turn.text) or wants("ditolak", turn.text):
            owned = [each for each in owned if each.filing.state in _SENT_BACK] or owned
        if not owned:
            unsent = turn.slot("draf") is not None
            reply.say(self.texts("belum_terkirim" if unsent else "belum_ada_permohonan"))
            return []
        if len(owned) == 1:
            return [await self._tell_own(owned[0].filing, reply)]
        await self._filings.offer([each.filing for each in owned], reply, kind="status", question="daftar_permohonan")
        return [self.mean(None)]

    async def _numbered(self, number: str, turn: Turn, reply: Reply) -> list[EventType]:
        if not is_issued(number):
            reply.say(self.texts("nomor_salah_ketik", nomor=number))
            return []
        own = await self._filings.by_number(number, turn)
        if own is not None:
            return [await self._tell_own(own.filing, reply)]
        return [self.mean(await self._tell_others(number, turn, reply))]

    async def _tell_others(self, number: str, turn: Turn, reply: Reply) -> str | None:
        """What the four digits are then asked for, as `tawaran`: the same whether or not there is such a filing."""
        proof = _proof(number, turn)
        if proof is None:
            in_form = turn.slot("draf") is not None or turn.slot("perbaikan") is not None
            reply.say(self.texts("bukti_sekaligus" if in_form else "bukti_diminta", nomor=number))
            return f"bukti:{number}"
        try:
            filing = await self.backend.filing(number, turn.conversation, proof=proof)
        except TooManyTries:
            reply.say(self.texts("bukti_terlalu_sering"))
        except (NotYours, Unknown):
            reply.say(self.texts("bukti_salah", nomor=number))
            return f"bukti:{number}"
        else:
            await self._tell(filing, reply)
        return None

    async def _tell_own(self, filing: Filing, reply: Reply) -> EventType:
        """What can be done with it now, as choices; gives what a bare "ya" means then."""
        await self._tell(filing, reply)
        number, most_likely = filing.number, None
        if filing.awaits_confirmation:
            return self._confirmation.ask(filing, reply)
        if filing.state == "PERLU_PERBAIKAN":
            reply.offer(most_likely := f"perbaiki:{number}", "Perbaiki sekarang")
        if filing.state == "SELESAI" and filing.mode == "permohonan":
            reply.offer(most_likely := f"hasil:{number}", "Ambil hasil")
        if filing.state == "DITOLAK" and filing.mode == "permohonan":
            reply.say(self.texts("status_ditolak_lanjut"))
            reply.offer(most_likely := f"mulai:{filing.service}", "Ajukan lagi")
        if self._is_late(filing) or filing.state == "DITOLAK":
            reply.offer("niat:bicara_petugas", "Tanya petugas")
        if filing.state in _CANCELLABLE:
            reply.offer(f"cabut:{number}", "Cabut")
        return self.mean(most_likely)

    async def _tell(self, filing: Filing, reply: Reply) -> None:
        name = await self._filings.service_name(filing.service)
        lines = [
            self.texts(
                "status",
                nomor=filing.number,
                layanan=name,
                status=self._filings.state_name(filing),
                kantor=filing.office,
            )
        ]
        if filing.note:
            key = "status_alasan" if filing.state == "DITOLAK" else "status_catatan"
            lines.append(self.texts(key, catatan=filing.note))
        if filing.fix:
            listed = "\n".join(f"- {flaw.name}: {flaw.reason}" for flaw in filing.fix)
            lines.append(self.texts("status_perbaiki", isi=listed))
        if len(filing.chronology) > 1:
            lines.append(self.texts("status_perjalanan", isi="\n".join(self._entries(filing))))
        if filing.due_on and filing.state in _WAITS_FOR_OFFICE:
            lines.append(await self._due(filing))
        reply.say("\n".join(lines))

    def _entries(self, filing: Filing) -> list[str]:
        return [
            f"- {_moment(entry.at)}: {said_state(entry.state, self.texts)}" for entry in filing.chronology[-_LATEST:]
        ]

    async def _due(self, filing: Filing) -> str:
        assert filing.due_on is not None
        if self._is_late(filing):
            days = (self.clock().date() - filing.due_on).days
            return self.texts("status_terlambat", tanggal=indonesian_date(filing.due_on), hari=days)
        return self.due(filing.due_on, await self.catalogue.service(filing.service))

    def _is_late(self, filing: Filing) -> bool:
        is_open = filing.state in _WAITS_FOR_OFFICE
        return is_open and filing.due_on is not None and self.clock().date() > filing.due_on


def _proof(number: str, turn: Turn) -> str | None:
    """Last four digits of NIK or phone: asked for before, or written beside the number."""
    asked = f"bukti:{number}:"
    if turn.choice is not None:
        return turn.choice.removeprefix(asked) if turn.choice.startswith(asked) else None
    for entity in ("nik", "nomor_hp"):
        if entity in turn.entities:
            return turn.entities[entity][-4:]
    four = re.findall(r"(?<!\d)\d{4}(?!\d)", _NUMBER_AS_WRITTEN.sub(" ", turn.text))
    return str(four[0]) if len(four) == 1 else None


def _moment(at: datetime) -> str:
    """`24 November, 09.30`"""
    local = at.astimezone(_LOCAL)
    day = indonesian_date(local.date()).partition(", ")[2].rpartition(" ")[0]
    return f"{day}, {local:%H.%M}"
