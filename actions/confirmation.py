"""A complaint is closed by the citizen, not by the office: "Sudah beres?"."""

from __future__ import annotations

import re
from contextlib import suppress

from rasa_sdk.events import EventType, SlotSet

from actions.action import Resources
from actions.backend import BackendDown, NotNow, Unknown
from actions.filed import Filing
from actions.own_filings import Own, OwnFilings
from actions.turn import Reply, Turn
from actions.words import is_word

__all__ = ["Confirmation"]


class Confirmation:
    """A part of `cek_status`."""

    def __init__(self, resources: Resources) -> None:
        self._backend = resources.backend
        self._texts = resources.texts
        self._bot = resources.bot
        self._filings = OwnFilings(resources)

    def ask(self, filing: Filing, reply: Reply) -> EventType:
        """Gives what a bare "ya" means then."""
        reply.say(self._texts("pengaduan_beres"))
        reply.offer(f"konfirmasi:{filing.number}:ya", "Sudah beres")
        reply.offer(f"konfirmasi:{filing.number}:belum", "Belum beres")
        return SlotSet("tawaran", f"konfirmasi:{filing.number}:ya")

    async def take_word(self, turn: Turn, reply: Reply) -> list[EventType] | None:
        """A mere yes or no, while nothing else was offered: to the question that came with the news. "Belum" and "sudah"
        answer it; what may be about something else has it asked again. None when no complaint, or several, await an answer.
        """
        if turn.choice is not None or turn.slot("draf") is not None or turn.slot("tawaran") is not None:
            return None
        waiting = await self._waiting(turn)
        if len(waiting) != 1:
            return None
        resolved, still_open = (
            any(_says(kind, text) for text in _whole(turn.text)) for kind in ("beres", "belum_beres")
        )
        is_vague = is_word("ya", turn.text) or is_word("tidak", turn.text)
        if not is_vague and (resolved or still_open):
            return await self._confirm(waiting[0], turn, reply, resolved=resolved)
        return [self.ask(waiting[0].filing, reply)]

    async def take(self, turn: Turn, reply: Reply) -> list[EventType] | None:
        """None when the message doesn't say whether a complaint is settled."""
        if turn.choice is not None:
            return await self._chosen(turn, reply) if turn.choice.startswith("konfirmasi:") else None
        resolved = _says("beres", turn.text)
        if not resolved and not _says("belum_beres", turn.text):
            return None
        waiting = await self._waiting(turn)
        if len(waiting) == 1:
            return await self._confirm(waiting[0], turn, reply, resolved=resolved)
        if not waiting:
            return None
        await self._filings.offer(
            [each.filing for each in waiting], reply, kind="status", question="pengaduan_yang_mana"
        )
        return []

    async def _waiting(self, turn: Turn) -> list[Own]:
        return [each for each in await self._filings.all(turn) if each.filing.awaits_confirmation]

    async def _chosen(self, turn: Turn, reply: Reply) -> list[EventType]:
        own = await self._filings.by_number(turn.entities["nomor_permohonan"], turn)
        if own is None:
            reply.say(self._texts("nomor_orang_lain"))
            return []
        return await self._confirm(own, turn, reply, resolved=(turn.choice or "").endswith(":ya"))

    async def _confirm(self, own: Own, turn: Turn, reply: Reply, *, resolved: bool) -> list[EventType]:
        number = own.filing.number
        note = turn.text if turn.choice is None else ""
        try:
            await self._backend.confirm(number, own.contact, turn.message_id, resolved=resolved, note=note)
        except NotNow:
            reply.say(self._texts("pengaduan_tidak_menunggu", nomor=number))
            return [SlotSet("tawaran", None)]
        except Unknown:
            reply.say(self._texts("pengaduan_lewat_petugas", nomor=number))
            reply.offer("niat:bicara_petugas", "Tanya petugas")
            return [SlotSet("tawaran", None)]
        reply.say(self._texts("pengaduan_ditutup" if resolved else "pengaduan_dibuka_lagi", nomor=number))
        if resolved:
            await self._invite_to_survey(own, reply)
        return [SlotSet("tawaran", None)]

    async def _invite_to_survey(self, own: Own, reply: Reply) -> None:
        """Voluntary: without its page the complaint is settled all the same."""
        subject = {"number": own.filing.number, "service": own.filing.service}
        with suppress(BackendDown):
            address = await self._bot.link("penilaian", own.contact, subject)
            reply.say(self._texts("pengaduan_nilai", alamat=address))


def _whole(answer: str) -> tuple[str, str]:
    """What "belum" stands for after "Sudah beres?", besides itself."""
    return answer, f"{answer} beres"


def _says(kind: str, text: str) -> bool:
    """Whether the answer is of that kind; what is left to do may follow it after a comma."""
    first, *_ = re.split(r"[,.;!\n]", text, maxsplit=1)
    return "?" not in text and (is_word(kind, text) or is_word(kind, first))
