"""How a filing stands, and what can be done with one that was sent."""

from __future__ import annotations

from rasa_sdk.events import EventType
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

from actions.action import DialogueAction
from actions.backend import Filing, NotYours, Unknown
from actions.turn import Reply, Turn

__all__ = ["TellStatus"]

_SHOWN = 3


class TellStatus(DialogueAction):
    """`cek_status`, and what comes in a later step: `perbaiki_permohonan`, `batalkan_permohonan`, `ambil_hasil`."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        number = turn.entities.get("nomor_permohonan")
        if number is not None:
            await self._one(number, turn, reply)
        else:
            await self._own(turn, reply)
        if turn.intent in ("perbaiki_permohonan", "batalkan_permohonan", "ambil_hasil"):
            reply.say(self.texts(turn.intent))
        return []

    async def _one(self, number: str, turn: Turn, reply: Reply) -> None:
        if not _is_issued(number):
            reply.say(self.texts("nomor_salah_ketik", nomor=number))
            return
        try:
            filing = await self.backend.filing(number, turn.conversation)
        except Unknown:
            reply.say(self.texts("nomor_tidak_ada", nomor=number))
        except NotYours:
            reply.say(self.texts("nomor_orang_lain"))
        else:
            reply.say(await self._told(filing))

    async def _own(self, turn: Turn, reply: Reply) -> None:
        filings = await self.backend.filings(turn.conversation)
        if not filings:
            reply.say(self.texts("belum_ada_permohonan"))
            return
        if len(filings) == 1:
            reply.say(await self._told(filings[0]))
            return
        lines = [
            f"- {f.number}: {await self._name(f)}, {self.texts('status_' + f.state.lower())}" for f in filings[:_SHOWN]
        ]
        reply.say(self.texts("daftar_permohonan", isi="\n".join(lines)))

    async def _told(self, filing: Filing) -> str:
        told = self.texts(
            "status",
            nomor=filing.number,
            layanan=await self._name(filing),
            status=self.texts("status_" + filing.state.lower()),
            kantor=filing.office,
        )
        lines = [told]
        if filing.note:
            lines.append(self.texts("status_catatan", catatan=filing.note))
        if filing.fix:
            lines.append(self.texts("status_perbaiki", isi="\n".join(f"- {item}" for item in filing.fix)))
        if filing.due_on and filing.state in ("MENUNGGU", "DIPROSES"):
            lines.append(self.due(filing.due_on, await self.catalogue.service(filing.service)))
        return "\n".join(lines)

    async def _name(self, filing: Filing) -> str:
        summaries = await self.catalogue.summaries()
        return summaries[filing.service].name if filing.service in summaries else filing.service


def _is_issued(number: str) -> bool:
    """Whether the check character fits: a slip of the finger is told at once."""
    try:
        mod_37_36.validate(number.replace("-", "")[3:])
    except ValidationError:
        return False
    return True
