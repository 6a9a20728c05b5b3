"""Whether a document was issued by us: anybody may check its code."""

from __future__ import annotations

from actions.action import Resources
from actions.backend import TooManyTries, Unknown
from actions.filed import Verified
from actions.own_filings import OwnFilings
from actions.texts import indonesian_date
from actions.turn import Reply, Turn
from actions.wishes import wants

__all__ = ["Verification"]


class Verification:
    """A part of `ambil_hasil`."""

    def __init__(self, resources: Resources) -> None:
        self._backend = resources.backend
        self._texts = resources.texts
        self._filings = OwnFilings(resources)

    def is_wanted(self, turn: Turn) -> bool:
        return "kode_keaslian" in turn.entities or wants("keaslian", turn.text)

    async def tell(self, turn: Turn, reply: Reply) -> None:
        code = turn.entities.get("kode_keaslian")
        if code is None:
            reply.say(self._texts("keaslian_kode_apa"))
            return
        try:
            found = await self._backend.verification(code, turn.conversation)
        except TooManyTries:
            reply.say(self._texts("keaslian_terlalu_sering"))
        except Unknown:
            reply.say(self._texts("keaslian_tidak_ada", kode=code))
            reply.offer("niat:pengaduan", "Laporkan")
        else:
            reply.say(self._texts("keaslian_di_kantor", kode=code) if found is None else await self._told(code, found))

    async def _told(self, code: str, found: Verified) -> str:
        return self._texts(
            "keaslian_asli",
            kode=code,
            nomor=found.number,
            layanan=await self._filings.service_name(found.service),
            kantor=found.office,
            tanggal=indonesian_date(found.issued_on),
            nama=found.applicant,
        )
