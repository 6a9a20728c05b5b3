"""A citizen's rights over their own data: to see it, to take it along, to have it erased, to withdraw consent (UU 27/2022)."""

from __future__ import annotations

from collections.abc import Sequence

from rasa_sdk.events import ActiveLoop, EventType, SlotSet

from actions.action import DialogueAction, Resources
from actions.backend import Unknown
from actions.filed import Kept, KeptFiling
from actions.own_filings import OwnFilings
from actions.texts import indonesian_date
from actions.turn import Reply, Turn
from actions.wishes import wants

__all__ = ["Rights"]

_WISHES = {
    "tarik_persetujuan": "data:tarik",
    "hapus_data": "data:hapus",
    "unduh_data": "data:unduh",
    "lihat_data": "data:lihat",
}
"""kind of wish → choice; the first that fits is meant"""
_OFFICER = ("niat:bicara_petugas", "Tanya petugas")
_LISTED = 5
_FORGOTTEN = (
    "draf", "perbaikan", "halaman", "layanan", "isian", "ubah", "requested_slot", "cerita", "ditinjau",
    "berikutnya",
)  # fmt: skip


class Rights(DialogueAction):
    """`privasi_data`. What is asked for is done at once: the law gives 3×24 hours."""

    offers_in_form = True

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._filings = OwnFilings(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        wish = turn.choice if (turn.choice or "").startswith("data:") else _wish(turn.text)
        try:
            return await self._grant(wish, turn, reply)
        except Unknown:
            return await self._grant_here(wish, turn, reply)

    async def _grant(self, wish: str | None, turn: Turn, reply: Reply) -> list[EventType]:
        """Raises Unknown where the backend gives no account of what it keeps, or doesn't erase it."""
        kept = await self._kept(turn) if wish is not None else ()
        match wish:
            case "data:lihat":
                await self._show(kept, reply)
            case "data:unduh":
                await self._give_links(turn, reply)
            case "data:hapus":
                return self._ask_to_erase(kept, reply)
            case "data:hapus:ya":
                return await self._erase(turn, reply)
            case "data:tarik":
                reply.say(self.texts("data_tarik_yakin"))
                reply.offer("data:tarik:ya", "Ya, cabut persetujuan")
                reply.offer("niat:tidak", "Tidak jadi")
                return [self.mean("data:tarik:ya")]
            case "data:tarik:ya":
                return await self._withdraw_consent(turn, reply)
            case _:
                reply.say(self.texts("privasi"))
                self._offer(reply, "data:lihat", "data:unduh", "data:hapus")
        return [self.mean(None)]

    async def _grant_here(self, wish: str | None, turn: Turn, reply: Reply) -> list[EventType]:
        """What can be done without the backend's account of a person, and who does the rest."""
        match wish:
            case "data:hapus":
                reply.say(self.texts("data_hapus_di_sini_yakin"))
                reply.offer("data:hapus:ya", "Ya, hapus")
                reply.offer("niat:tidak", "Tidak jadi")
                return [self.mean("data:hapus:ya")]
            case "data:hapus:ya":
                for contact in turn.contacts:
                    for draft in await self.backend.drafts(contact):
                        await self.backend.delete_draft(draft.id)
                    await self.bot.erase(contact)
                reply.say(self.texts("data_dihapus_di_sini"))
                reply.offer(*_OFFICER)
                return _forget()
            case "data:tarik" | "data:tarik:ya":
                reply.say(self.texts("data_persetujuan_tidak_disimpan"))
                self._offer(reply, "data:hapus")
                reply.offer(*_OFFICER)
                return _forget()
        reply.say(self.texts("data_di_sini"))
        self._offer(reply, "data:hapus")
        reply.offer(*_OFFICER)
        return [self.mean(None)]

    async def _give_links(self, turn: Turn, reply: Reply) -> None:
        """One for each conversation: what is exported is one contact's."""
        addresses = [await self.bot.link("data", contact, {}) for contact in turn.contacts]
        if len(addresses) == 1:
            reply.say(self.texts("data_unduh", alamat=addresses[0]))
            return
        listed = "\n".join(f"- {address}" for address in addresses)
        reply.say(self.texts("data_unduh_beberapa", jumlah=len(addresses), alamat=listed))

    async def _show(self, kept: Sequence[Kept], reply: Reply) -> None:
        filings = [filing for each in kept for filing in each.filings]
        drafts, files = sum(each.drafts for each in kept), sum(each.files for each in kept)
        consents = [each.consent_at for each in kept if each.consent_at is not None]
        lines = [self.texts("data_pesan")]
        if drafts:
            lines.append(self.texts("data_draf", jumlah=drafts))
        if files:
            lines.append(self.texts("data_berkas", jumlah=files))
        if consents:
            lines.append(self.texts("data_persetujuan", tanggal=indonesian_date(max(consents).date())))
        lines += [await self._described(filing) for filing in filings[:_LISTED]]
        if len(filings) > _LISTED:
            lines.append(self.texts("data_permohonan_lain", jumlah=len(filings) - _LISTED))
        reply.say(self.texts("data_tersimpan", isi="\n".join(f"- {line}" for line in lines)))
        self._offer(reply, "data:unduh", "data:hapus")

    async def _described(self, filing: KeptFiling) -> str:
        name = await self._filings.service_name(filing.service)
        if filing.kept_until is None:
            return self.texts("data_permohonan", nomor=filing.number, layanan=name)
        until = indonesian_date(filing.kept_until)
        return self.texts("data_permohonan_sampai", nomor=filing.number, layanan=name, tanggal=until)

    def _ask_to_erase(self, kept: Sequence[Kept], reply: Reply) -> list[EventType]:
        reply.say(self.texts("data_hapus_yakin"))
        if still := [filing for each in kept for filing in each.filings if filing.why]:
            reply.say(self.texts("data_tetap_disimpan", isi=_reasons(still)))
        reply.offer("data:hapus:ya", "Ya, hapus")
        reply.offer("data:unduh", "Unduh dulu")
        reply.offer("niat:tidak", "Tidak jadi")
        return [self.mean("data:hapus:ya")]

    async def _erase(self, turn: Turn, reply: Reply) -> list[EventType]:
        for contact in turn.contacts:
            await self.backend.erase_person(contact, turn.message_id)
        still = [filing for each in await self._kept(turn) for filing in each.filings if filing.why]
        for contact in turn.contacts:
            await self.bot.erase(contact)
        reply.say(self.texts("data_dihapus"))
        if still:
            reply.say(self.texts("data_tetap_disimpan", isi=_reasons(still)))
        return _forget()

    async def _withdraw_consent(self, turn: Turn, reply: Reply) -> list[EventType]:
        for contact in turn.contacts:
            await self.backend.withdraw_consent(contact, turn.message_id)
        reply.say(self.texts("data_tarik_selesai"))
        self._offer(reply, "data:hapus")
        return _forget()

    async def _kept(self, turn: Turn) -> Sequence[Kept]:
        return [await self.backend.person(contact) for contact in turn.contacts]

    @staticmethod
    def _offer(reply: Reply, *choices: str) -> None:
        titles = {"data:lihat": "Lihat data saya", "data:unduh": "Unduh data saya", "data:hapus": "Hapus data saya"}
        for choice in choices:
            reply.offer(choice, titles[choice])


def _wish(text: str) -> str | None:
    return next((choice for kind, choice in _WISHES.items() if wants(kind, text)), None)


def _reasons(filings: Sequence[KeptFiling]) -> str:
    """Each reason once, with the filings it is for."""
    numbers: dict[str, list[str]] = {}
    for filing in filings:
        numbers.setdefault(filing.why or "", []).append(filing.number)
    return "\n".join(f"- {', '.join(those[:_LISTED])}: {why}" for why, those in numbers.items())


def _forget() -> list[EventType]:
    """The form has nothing left to fill, and nothing of what was talked about goes on."""
    return [ActiveLoop(None), *(SlotSet(slot, None) for slot in _FORGOTTEN), SlotSet("tawaran", None)]
