"""The finished document: sent here where there is a file, else where to fetch it and what to bring."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.action import DialogueAction, Resources
from actions.backend import Unknown
from actions.filed import Filing
from actions.own_filings import Own, OwnFilings
from actions.turn import OutgoingFile, Reply, Turn
from actions.verification import Verification

__all__ = ["GiveResult"]

_EXTENSIONS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class GiveResult(DialogueAction):
    """`ambil_hasil`; with a code, or the word for it, whether a document is ours."""

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._filings = OwnFilings(resources)
        self._verification = Verification(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.choice is None and self._verification.is_wanted(turn):
            await self._verification.tell(turn, reply)
            return []
        own = await self._filings.choose(
            turn, reply, kind="hasil", suits=lambda filing: filing.state == "SELESAI", question="hasil_yang_mana"
        )
        if own is None:
            return [self.mean(None)]
        name = await self._filings.service_name(own.filing.service)
        if own.filing.state != "SELESAI":
            state = self._filings.state_name(own.filing)
            reply.say(self.texts("hasil_belum", nomor=own.filing.number, layanan=name, status=state))
            reply.offer(f"status:{own.filing.number}", "Lihat status")
        elif own.filing.mode != "permohonan" and own.filing.result is None:
            note = own.filing.note or self.texts("jawaban_tidak_ada")
            reply.say(self.texts("hasil_jawaban", nomor=own.filing.number, layanan=name, catatan=note))
        elif (file := await self._file(own)) is not None:
            reply.file = file
            reply.say(self.texts("hasil_dikirim", nomor=own.filing.number, layanan=name))
            if own.filing.result is not None and own.filing.result.code:
                reply.say(self.texts("hasil_kode", kode=own.filing.result.code))
        else:
            await self._point(own.filing, name, reply)
        return [self.mean(None)]

    async def _file(self, own: Own) -> OutgoingFile | None:
        number, result = own.filing.number, own.filing.result
        if result is None:
            return None
        try:
            content_type = result.content_type or await self.backend.result_type(number, own.contact)
        except Unknown:
            return None
        address = self.backend.result_address(number, own.contact)
        return OutgoingFile(address, f"hasil-{number}{_EXTENSIONS.get(content_type, '')}", content_type)

    async def _point(self, filing: Filing, name: str, reply: Reply) -> None:
        reply.say(self.texts("hasil_di_kantor", nomor=filing.number, layanan=name, kantor=filing.office))
        service = await self.catalogue.service(filing.service)
        office = self.offices.serving(service.offices if service else (), filing.office)
        if office is None:
            return
        if office.address:
            reply.say(self.texts("jawab_lokasi", kantor=office.name, alamat=office.address, telepon=""))
        if opening := office.opening():
            reply.say(self.texts("jawab_jam", kantor=office.name, jam=opening))
        if office.unverified:
            reply.say(self.texts("perlu_verifikasi"))
