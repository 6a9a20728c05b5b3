"""Withdrawing a filing that was sent, while that is possible."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rasa_sdk.events import EventType

from actions.action import DialogueAction, Resources
from actions.backend import NotNow
from actions.filed import Filing
from actions.own_filings import Own, OwnFilings
from actions.turn import Reply, Turn

__all__ = ["Withdraw"]

_POSSIBLE = ("MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN")
_REASONS: Mapping[str, str] = {
    "tidak_perlu": "Sudah tidak perlu",
    "salah_isi": "Ada yang salah",
    "di_kantor": "Diurus di kantor",
}
_BECAUSE = re.compile(
    r"\b(?:karena|krn|karna|soalnya|soale|sebab|amargo|mergo|goro-goro)\b\s*(?P<reason>.+)", re.IGNORECASE
)


class Withdraw(DialogueAction):
    """`batalkan_permohonan`: asks once, with a reason for who wants to give one."""

    offers_in_form = True

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._filings = OwnFilings(resources)

    async def is_possible(self, turn: Turn) -> bool:
        """Of any filing of theirs."""
        return any(each.filing.state in _POSSIBLE for each in await self._filings.all(turn))

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        own = await self._filings.choose(
            turn, reply, kind="cabut", suits=lambda filing: filing.state in _POSSIBLE, question="cabut_yang_mana"
        )
        if own is None:
            return [self.mean(None)]
        number = own.filing.number
        if own.filing.state not in _POSSIBLE:
            await self._tell_too_late(own.filing, reply)
            return [self.mean(None)]
        if turn.choice is not None and turn.choice.startswith(f"cabut:{number}:ya"):
            return await self._withdraw(own, turn, reply)
        return await self._ask(own.filing, reply)

    async def _ask(self, filing: Filing, reply: Reply) -> list[EventType]:
        confirmed = f"cabut:{filing.number}:ya"
        name = await self._filings.service_name(filing.service)
        reply.say(self.texts("cabut_yakin", nomor=filing.number, layanan=name))
        reply.offer(confirmed, "Ya, cabut")
        for reason, title in _REASONS.items():
            reply.offer(f"{confirmed}:{reason}", title)
        reply.offer("niat:tidak", "Tidak jadi")
        return [self.mean(confirmed)]

    async def _withdraw(self, own: Own, turn: Turn, reply: Reply) -> list[EventType]:
        try:
            await self.backend.cancel(own.filing.number, own.contact, _reason(turn))
        except NotNow:
            # An officer was faster than the citizen's "ya".
            now = await self._filings.by_number(own.filing.number, turn)
            await self._tell_too_late(now.filing if now else own.filing, reply)
        else:
            reply.say(self.texts("cabut_selesai", nomor=own.filing.number))
        return [self.mean(None)]

    async def _tell_too_late(self, filing: Filing, reply: Reply) -> None:
        if filing.state == "DIBATALKAN":
            reply.say(self.texts("cabut_sudah", nomor=filing.number))
            return
        reply.say(self.texts("cabut_terlambat", nomor=filing.number, status=self._filings.state_name(filing)))
        reply.offer(f"status:{filing.number}", "Lihat status")
        reply.offer("niat:bicara_petugas", "Tanya petugas")


def _reason(turn: Turn) -> str:
    chosen = (turn.choice or "").rpartition(":")[2]
    if chosen in _REASONS:
        return _REASONS[chosen]
    given = _BECAUSE.search(turn.text)
    return given["reason"].strip() if given else ""
