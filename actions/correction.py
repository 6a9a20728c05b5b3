"""Mending a filing that came back: only what the officer named, one thing at a time, in the form's loop.

The slot `perbaikan` holds the filing's number while this goes on, `halaman` the pages of a document until all are there:
a correction replaces a document as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rasa_sdk.events import ActionExecutionRejected, EventType, FollowupAction, SlotSet

from actions.action import FORM, DialogueAction, Resources
from actions.backend import NotNow, Question, Refused, Unknown
from actions.changing import named_in
from actions.entry import listed_in, question_of
from actions.filed import Filing, Flaw
from actions.interpretation import Aside, Explain, Stale, Unfit, Value, asks_besides, interpret, is_aside
from actions.interpretation import File as SentFile
from actions.own_filings import Own, OwnFilings
from actions.papers import strayed
from actions.turn import FetchFile, FileLost, IncomingFile, Reply, Turn
from actions.words import fold, is_word, puts_off

__all__ = ["Correction", "StartCorrection"]

_WANTED = "PERLU_PERBAIKAN"
_EMPTY = SlotSet("isian", None)
_SETTLED: list[EventType] = [_EMPTY, SlotSet("halaman", None)]
_CLOSED = SlotSet("requested_slot", None)
"""with it asking ends the form"""
_ALL_THERE = "cukup"
_PLACES = ("kecamatan", "desa")


class StartCorrection(DialogueAction):
    """`perbaiki_permohonan`"""

    offers_in_form = True

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._filings = OwnFilings(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        own = await self._filings.choose(
            turn, reply, kind="perbaiki", suits=lambda filing: filing.state == _WANTED, question="perbaiki_yang_mana"
        )
        if own is None:
            return [self.mean(None)]
        filing = own.filing
        if filing.state != _WANTED:
            state = self._filings.state_name(filing)
            reply.say(self.texts("perbaiki_tidak_diminta", nomor=filing.number, status=state))
            reply.offer(f"status:{filing.number}", "Lihat status")
            reply.offer("niat:bicara_petugas", "Tanya petugas")
            return [self.mean(None)]
        name = await self._filings.service_name(filing.service)
        listed = "\n".join(f"- {flaw.name}" for flaw in filing.fix)
        reply.say(self.texts("perbaiki_mulai", nomor=filing.number, layanan=name, isi=listed))
        goes_on = turn.slot("perbaikan") == filing.number
        if turn.slots.get("halaman") and not goes_on:
            reply.say(self.texts("perbaiki_halaman_lepas"))
        slots = {
            "perbaikan": filing.number,
            "layanan": filing.service,
            "halaman": turn.slots.get("halaman") if goes_on else None,
            "draf": None,
            "isian": None,
            "ubah": None,
        }
        return [*(SlotSet(slot, value) for slot, value in slots.items()), self.mean(None), FollowupAction(FORM)]


class Correction:
    """What the form does while a correction goes on."""

    def __init__(self, resources: Resources, fetch: FetchFile) -> None:
        self._backend = resources.backend
        self._bot = resources.bot
        self._texts = resources.texts
        self._filings = OwnFilings(resources)
        self._fetch = fetch

    async def take(self, turn: Turn, reply: Reply) -> list[EventType]:
        own = await self._filings.by_number(turn.slot("perbaikan") or "", turn, message_id=turn.message_id)
        if own is not None and turn.message_id in own.filing.applied:
            return self._go_on(own.filing, turn, reply)
        if own is None or not _is_wanted(own.filing):
            reply.say(self._texts("perbaiki_tidak_lagi"))
            return _ended()
        if turn.choice == "niat:batal" or (turn.choice is None and turn.file is None and _puts_off(turn)):
            reply.say(self._texts("perbaiki_nanti", nomor=own.filing.number))
            if turn.slots.get("halaman"):
                reply.say(self._texts("perbaiki_halaman_lepas"))
            return _ended()
        try:
            return await self._take(own, turn, reply)
        except Unknown:
            self._tell_closed(own.filing, reply)
            return _ended()

    async def ask(self, turn: Turn, reply: Reply) -> list[EventType]:
        own = await self._wanted(turn)
        if own is None:
            reply.say(self._texts("perbaiki_tidak_lagi"))
            return [*_ended(), _CLOSED]
        try:
            await self._ask(own.filing, turn, reply)
        except Unknown:
            self._tell_closed(own.filing, reply)
            return [*_ended(), _CLOSED]
        return []

    def _go_on(self, filing: Filing, turn: Turn, reply: Reply) -> list[EventType]:
        """Redelivered: it mended its part, but its turn failed, and what is asked for now is another."""
        if not _is_wanted(filing):
            reply.say(self._texts("perbaiki_selesai", nomor=filing.number))
            return _ended()
        return [*_SETTLED, *_besides(turn)]

    async def _take(self, own: Own, turn: Turn, reply: Reply) -> list[EventType]:
        """Raises Unknown when the service is no more."""
        flaw = _asked(own.filing, turn)
        if pages := _complete(flaw, turn):
            return await self._send(own, flaw, pages, turn, reply)
        if turn.choice == _link_choice(flaw):
            await self._give_link(own.filing, flaw, turn, reply)
            return [_EMPTY]
        if turn.file is not None:
            meant = self._meant(own.filing, turn.file, flaw, reply)
            if meant is None:
                return [_EMPTY]
            if meant != flaw and _pages(flaw, turn):
                reply.say(self._texts("perbaiki_halaman_dulu", bagian=flaw.name, lain=meant.name))
                return [_EMPTY]
            flaw = meant
        question = await self._question(own.filing, flaw)
        match _meaning(question, turn):
            case Aside():
                return [_EMPTY, ActionExecutionRejected(FORM)]
            case Stale():
                reply.say(self._texts("pilihan_lama"))
            case Explain():
                reply.say(question.help or self._texts("belum_bisa_jawab"))
            case Unfit(reason):
                reply.say(self._texts(reason))
                if question.help:
                    reply.say(question.help)
            case SentFile(file):
                events = await self._take_page(own, flaw, file, turn, reply)
                return events if _is_over(events) else [*events, *_besides(turn)]
            case Value(value):
                return await self._send(own, flaw, value or "", turn, reply)
        return [_EMPTY]

    async def _ask(self, filing: Filing, turn: Turn, reply: Reply) -> None:
        """Raises Unknown when the service is no more."""
        flaw = _asked(filing, turn)
        if turn.choice == _link_choice(flaw):
            return
        if pages := _pages(flaw, turn):
            reply.say(self._texts("perbaiki_halaman", jumlah=len(pages)))
            reply.offer(f"isi:{flaw.item}:{_ALL_THERE}", "Sudah semua")
            return
        question = await self._question(filing, flaw)
        reply.say(self._texts("perbaiki_satu", bagian=flaw.name, alasan=flaw.reason))
        reply.say(question.question)
        reply.expects_number = question.type == "number"
        for value, title in question.choices:
            reply.offer(f"isi:{question.field}:{value}", title)
        if flaw.is_document:
            reply.offer(_link_choice(flaw), "Lewat tautan")
        reply.offer("niat:batal", "Nanti saja")

    def _tell_closed(self, filing: Filing, reply: Reply) -> None:
        reply.say(self._texts("perbaiki_layanan_tutup", nomor=filing.number))
        reply.offer("niat:bicara_petugas", "Tanya petugas")

    def _meant(self, filing: Filing, file: IncomingFile, asked: Flaw, reply: Reply) -> Flaw | None:
        """What a link was for or a caption names, else what is asked for; None for a link to something else, which is said."""
        papers = {flaw.item: flaw for flaw in filing.fix if flaw.is_document}
        if (refusal := strayed(file, filing.number, papers)) is not None:
            reply.say(self._texts(refusal, dokumen=file.caption))
            return None
        if file.document is not None:
            return papers[file.document]
        names = [(flaw.item, flaw.name) for flaw in papers.values()]
        named = named_in(fold(file.caption), names) if file.caption else None
        return papers[named] if named is not None else asked

    async def _give_link(self, filing: Filing, flaw: Flaw, turn: Turn, reply: Reply) -> None:
        pages = await self._most_pages(filing, flaw)
        asked: dict[str, str | int] = {"draft": filing.number, "document": flaw.item, "name": flaw.name, "pages": pages}
        url = await self._bot.link("unggah", turn.conversation, asked)
        reply.say(self._texts("tautan_unggah", dokumen=flaw.name, tautan=url))

    async def _take_page(self, own: Own, flaw: Flaw, file: IncomingFile, turn: Turn, reply: Reply) -> list[EventType]:
        """The last page that a document may have is sent at once."""
        pages = [*_pages(flaw, turn), file]
        if len(pages) >= await self._most_pages(own.filing, flaw):
            return await self._send(own, flaw, pages, turn, reply)
        return [_EMPTY, SlotSet("halaman", [_kept(page, flaw) for page in pages])]

    async def _send(
        self, own: Own, flaw: Flaw, value: str | Sequence[IncomingFile], turn: Turn, reply: Reply
    ) -> list[EventType]:
        number = own.filing.number
        try:
            content = value if isinstance(value, str) else [await self._fetch(page) for page in value]
            filing = await self._backend.correct(number, own.contact, turn.message_id, flaw.item, content)
        except FileLost:
            reply.say(self._texts("perbaiki_halaman_hilang"))
            return _SETTLED
        except Refused as refusal:
            reply.say(str(refusal))
            return _SETTLED
        except NotNow:
            # Sent before from another phone, or the officer went on without it.
            if await self._wanted(turn) is None:
                reply.say(self._texts("perbaiki_tidak_lagi"))
                return _ended()
            return _SETTLED
        if _is_wanted(filing):
            # Redelivered: it mended the part before, and this one is still to be mended.
            if flaw.item not in [left.item for left in filing.fix]:
                reply.say(self._texts("perbaiki_diterima", bagian=flaw.name))
            return _SETTLED
        reply.say(self._texts("perbaiki_selesai", nomor=number))
        return _ended()

    async def _wanted(self, turn: Turn) -> Own | None:
        """None once nothing is asked for any more."""
        own = await self._filings.by_number(turn.slot("perbaikan") or "", turn)
        return own if own is not None and _is_wanted(own.filing) else None

    async def _question(self, filing: Filing, flaw: Flaw) -> Question:
        question = flaw.question
        if question is None:
            entry = await self._backend.service(filing.service)
            question = question_of(flaw.item, flaw.name, entry, self._texts, is_document=flaw.is_document)
        return replace(question, optional=False)

    async def _most_pages(self, filing: Filing, flaw: Flaw) -> int:
        if flaw.maximum_pages:
            return flaw.maximum_pages
        documents = listed_in(await self._backend.service(filing.service), "documents")
        return next((int(each.get("maximum_pages") or 1) for each in documents if each["id"] == flaw.item), 1)


def _meaning(question: Question, turn: Turn) -> Aside | Explain | Stale | Unfit | SentFile | Value:
    if question.type in _PLACES and turn.choice is None and turn.text:
        # The backend knows the names, and says which are like it.
        return Aside() if is_aside(turn) else Value(turn.text)
    return interpret(question, turn)


def _is_wanted(filing: Filing) -> bool:
    return filing.state == _WANTED and bool(filing.fix)


def _asked(filing: Filing, turn: Turn) -> Flaw:
    """The one of which pages wait, else the first."""
    begun = [flaw for flaw in filing.fix if flaw.is_document and _pages(flaw, turn)]
    return begun[0] if begun else filing.fix[0]


def _complete(flaw: Flaw, turn: Turn) -> Sequence[IncomingFile]:
    """The pages, once the citizen says that these are all; else none."""
    said = turn.choice is None and turn.file is None and is_word("lanjut", turn.text)
    return _pages(flaw, turn) if said or turn.choice == f"isi:{flaw.item}:{_ALL_THERE}" else ()


def _link_choice(flaw: Flaw) -> str:
    return f"unggah:{flaw.item}"


def _besides(turn: Turn) -> list[EventType]:
    """That a question on the photo is answered as well; what a link calls its document nobody wrote."""
    asks = turn.file is not None and turn.file.draft is None and asks_besides(turn)
    return [ActionExecutionRejected(FORM)] if asks else []


def _is_over(events: Sequence[EventType]) -> bool:
    return any(event.get("name") == "perbaikan" for event in events)


def _puts_off(turn: Turn) -> bool:
    return puts_off(turn.text) or (turn.intent == "batal" and is_aside(turn))


def _pages(flaw: Flaw, turn: Turn) -> Sequence[IncomingFile]:
    return [
        IncomingFile(page["url"], page["name"], page["content_type"])
        for page in turn.slots.get("halaman") or ()
        if page.get("item") in (None, flaw.item)
    ]


def _kept(page: IncomingFile, flaw: Flaw) -> Mapping[str, str]:
    return {"item": flaw.item, "url": page.url, "name": page.name, "content_type": page.content_type}


def _ended() -> list[EventType]:
    # A draft that was open before the correction waits to be resumed; the closed form has none.
    return [SlotSet("isian", "selesai"), SlotSet("perbaikan", None), SlotSet("halaman", None), SlotSet("draf", None)]
