"""The one form: it drives every filing from the draft that the backend keeps.

`validate_form_permohonan` gives the answer to the draft and empties the slot; `action_ask_isian` asks what the draft wants
next. Only the confirmed choice on the review submits. While a filing already sent is being corrected, both leave their
turn to that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet

from actions.action import FORM, DialogueAction, Resources
from actions.backend import Draft, Incomplete, NotNow, OpenFiling, Question, Refused, Unknown
from actions.changing import WHICH, earlier_than, named_in, wanted_by
from actions.entry import question_of
from actions.interpretation import (
    STORIES,
    Aside,
    Explain,
    Meaning,
    Stale,
    Unfit,
    Value,
    agreement,
    asks_besides,
    interpret,
    is_aside,
    lacks_it,
    match_choice,
)
from actions.order import Order
from actions.papers import MORE, Papers
from actions.review import Review
from actions.turn import FetchFile, FileLost, IncomingFile, Reply, Turn
from actions.words import after_courtesy, fold, is_word, puts_off, starts_with_word

__all__ = ["AskNext", "Correction", "TakeAnswer"]

_EMPTY = SlotSet("isian", None)
_TAKEN: list[EventType] = [_EMPTY, SlotSet("ubah", None), SlotSet("ditinjau", None)]
_DONE = SlotSet("isian", "selesai")
_ENDED: list[EventType] = [
    _DONE,
    SlotSet("draf", None),
    SlotSet("ubah", None),
    SlotSet("ditinjau", None),
    SlotSet("cerita", None),
]
_KNOWN_DATA = "pakai_data"
_TOLD_BEFORE = "@tadi"
"""the choice that answers with what was told before the form began"""
_OWN_NUMBER = "@kontak"
"""the choice that shares one's own number; the channel makes a contact of it"""
_WORDS = "kata"
"""ends the id of a photo's message where the words on it are an answer of their own"""
_SHOWN_STORY = 300
_SURE = 0.7
_NO_WORDS = ("nik", "kk_number", "phone", "number", "date", "name")
"""where "lanjut" can't be the answer"""
_ROOM_FOR_A_WAY_OUT = 8
"""choices that a list has beside it"""


class Correction(Protocol):
    """What the form does while slot `perbaikan` names a filing already sent."""

    async def take(self, turn: Turn, reply: Reply) -> list[EventType]: ...

    async def ask(self, turn: Turn, reply: Reply) -> list[EventType]: ...


class _FormAction(DialogueAction):
    keeps_data = True
    offers_in_form = True

    def __init__(self, name: str, resources: Resources, correction: Correction) -> None:
        super().__init__(name, resources)
        self._correction = correction

    async def draft(self, turn: Turn, *, message_id: str | None = None) -> Draft:
        """The draft; its `next` is the field being changed, if any; `applied` is of the message named. Raises Unknown when it
        is gone.
        """
        changing = turn.slot("ubah")
        asked = None if changing in (None, WHICH) else changing.removeprefix(MORE)
        draft = await self.backend.draft(turn.slot("draf") or "", ask=asked, message_id=message_id)
        item = draft.item(asked) if asked is not None else None
        if item is None or (draft.next is not None and draft.next.field == item.id):
            return draft
        entry = await self.backend.entry(draft.service)
        question = question_of(item.id, item.name, entry, self.texts, is_document=item.is_document)
        return replace(draft, next=question)

    async def review(self, draft: Draft) -> Review:
        service = await self.catalogue.service(draft.service)
        if service is None:
            raise Unknown(draft.service)
        return Review(service, self.texts)

    async def tell_sent(self, draft: str, reply: Reply) -> list[EventType]:
        """Of a draft that was submitted, from the person's other phone perhaps. Raises Unknown."""
        filing = await self.backend.submit(draft)
        reply.say(self.texts("sudah_terkirim", nomor=filing.number))
        reply.offer(f"status:{filing.number}", "Lihat status")
        return [*_ENDED, self.mean(None)]


class TakeAnswer(_FormAction):
    def __init__(self, name: str, resources: Resources, fetch: FetchFile, correction: Correction) -> None:
        super().__init__(name, resources, correction)
        self._papers = Papers(resources, fetch)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slot("isian") in (None, "selesai"):
            # Called without an answer: at the start, and again after an aside. It must have no effect.
            return []
        if turn.slot("perbaikan") is not None:
            return await self._correction.take(turn, reply)
        try:
            return await self._take_unless_sent(turn, reply)
        except Unknown:
            reply.say(self.texts("draf_hilang"))
            return _ENDED
        except Refused as refusal:
            reply.say(str(refusal))
            return [_EMPTY]

    async def _take_unless_sent(self, turn: Turn, reply: Reply) -> list[EventType]:
        """Raises Unknown when the draft is gone, or its service."""
        try:
            draft = await self.draft(turn, message_id=turn.message_id)
        except Unknown:
            if not (_sends(turn) or _sends_again(turn)):
                raise
            # Not every backend shows a draft that was sent; by this very message, perhaps, whose turn then failed.
            return await self.tell_sent(turn.slot("draf") or "", reply)
        if not draft.submitted:
            try:
                return await self._take(draft, turn, reply)
            except NotNow:
                # Sent in this very moment.
                draft = await self.draft(turn)
                if not draft.submitted:
                    raise
        if turn.file is None and (_sends(turn) or _sends_again(turn)):
            # By this very message, perhaps, whose turn then failed.
            return await self._submit(draft, await self.review(draft), turn, reply, again=False)
        return await self.tell_sent(draft.id, reply)

    async def _take(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.file is not None:
            return await self._paper(draft, turn.file, turn, reply)
        if turn.message_id in draft.applied:
            # Redelivered: it was the answer, but its turn failed, and what is open now is a later question.
            return _TAKEN
        if turn.choice is None and _leaves_off(draft.next, turn):
            return self._pause(reply)
        if turn.choice is None and is_word("dari_awal", turn.text):
            return await self._throw_away(draft, reply)
        if turn.slot("ubah") == WHICH:
            return await self._choose_field(draft, turn, reply)
        if draft.known is not None:
            return await self._known_data(draft, turn, reply)
        if turn.choice is None and is_word("kembali", turn.text):
            return [_EMPTY, SlotSet("ubah", earlier_than(turn.slot("ubah"), draft))]
        if turn.choice is None and (wanted := wanted_by(turn.text, draft)) is not None:
            return [_EMPTY, SlotSet("ubah", wanted)]
        if (handled := await self._papers.command(draft, turn, reply)) is not None:
            return [_EMPTY, *handled]
        if draft.next is None:
            return await self._review(draft, turn, reply)
        if turn.choice is None and draft.next.type in _NO_WORDS and is_word("lanjut", turn.text):
            return [_EMPTY]
        if (story := turn.slot("cerita")) and _means_story(draft.next, turn):
            now = await self.backend.answer(draft.id, turn.message_id, draft.next.field, story)
            # Not where it is the answer to the question before, redelivered.
            told = [SlotSet("cerita", None)] if draft.next.field in now.answers else []
            return [*_TAKEN, *told]
        return await self._answer(draft, draft.next, interpret(draft.next, turn), turn, reply)

    async def _paper(self, draft: Draft, file: IncomingFile, turn: Turn, reply: Reply) -> list[EventType]:
        """Words on it answer the question where that isn't for a document; a question of the citizen's is answered as well."""
        words = replace(turn, file=None, message_id=f"{turn.message_id}:{_WORDS}")
        if words.message_id in draft.applied and turn.message_id not in draft.applied:
            # Redelivered: its words were taken and it was kept out, though by now a document may be asked for.
            reply.say(self.texts("foto_belum_disimpan"))
            return _TAKEN
        try:
            taken = await self._papers.take(draft, file, turn, reply)
        except Refused as refusal:
            reply.say(str(refusal))
            taken = []
        except FileLost:
            reply.say(self.texts("berkas_hilang"))
            taken = []
        if file.draft is not None:
            # Nobody wrote what stands on it.
            return [_EMPTY, *taken]
        asked = draft.next
        if asked is not None and asked.type != "document" and file.caption and not Papers.is_label(draft, file.caption):
            return [*taken, *await self._take(draft, words, reply)]
        return [_EMPTY, *taken, *([ActionExecutionRejected(FORM)] if asks_besides(turn) else [])]

    async def _answer(
        self, draft: Draft, question: Question, meaning: Meaning, turn: Turn, reply: Reply
    ) -> list[EventType]:
        match meaning:
            case Aside():
                return [_EMPTY, ActionExecutionRejected(FORM)]
            case Stale():
                reply.say(self.texts("pilihan_lama"))
            case Explain():
                reply.say(question.help or self.texts("belum_bisa_jawab"))
                self._tell_a_way(question, turn, reply)
            case Unfit(reason):
                reply.say(self.texts(reason))
                if question.help:
                    reply.say(question.help)
                self._tell_a_way(question, turn, reply)
            case Value(value):
                now = await self.backend.answer(draft.id, turn.message_id, question.field, value)
                self._tell_kecamatan(question, value, now, reply)
                return _TAKEN
        return [_EMPTY]

    def _tell_kecamatan(self, question: Question, value: str | None, now: Draft, reply: Reply) -> None:
        """Whoever named a desa instead sees which kecamatan it was taken for."""
        kecamatan = now.answers.get(question.field)
        if question.type != "kecamatan" or kecamatan is None or value in dict(question.choices):
            return
        if fold(value or "") == fold(kecamatan):
            return
        desa = next(
            (now.answers[item.id] for item in now.items if item.type == "desa" and item.id in now.answers), value
        )
        reply.say(self.texts("kecamatan_dari_desa", desa=desa or "", kecamatan=kecamatan))

    def _tell_a_way(self, question: Question, turn: Turn, reply: Reply) -> None:
        """For who hasn't got what is asked for."""
        if lacks_it(turn.text):
            reply.say(self.texts("tidak_punya_lewati" if question.optional else "tidak_punya"))

    async def _known_data(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        """Whoever writes their NIK instead of yes or no wants to fill in anew."""
        prefix = f"isi:{_KNOWN_DATA}:"
        if turn.choice is not None and turn.choice.startswith(prefix):
            wanted: bool | None = turn.choice == f"{prefix}ya"
        else:
            wanted = agreement(turn)
        meaning = interpret(draft.next, turn) if draft.next is not None else Aside()
        instead = wanted is None and isinstance(meaning, Value) and draft.next is not None and draft.next.type == "nik"
        if wanted is None and not instead:
            if is_aside(turn) or (turn.choice is not None and not turn.choice.startswith("isi:")):
                return [_EMPTY, ActionExecutionRejected(FORM)]
            reply.say(self.texts("jawab_ya_tidak"))
            return [_EMPTY]
        if not instead:
            await self.backend.answer(draft.id, turn.message_id, _KNOWN_DATA, "ya" if wanted else "tidak")
            return [_EMPTY]
        decision = await self.backend.answer(draft.id, f"{turn.message_id}:{_KNOWN_DATA}", _KNOWN_DATA, "tidak")
        if decision.next is not None:
            return await self._answer(decision, decision.next, meaning, turn, reply)
        return [_EMPTY]

    async def _review(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        review = await self.review(draft)
        if _sends_again(turn) and review.duplicate(turn) is not None:
            return await self._submit(draft, review, turn, reply, again=True)
        # A word that sends may be the answer to the question before, until the review is on the phone.
        if _sends(turn) and (turn.choice is not None or turn.slot("ditinjau") is not None):
            return await self._submit(draft, review, turn, reply, again=False)
        if turn.choice == "isi:review:ubah" or (
            turn.choice is None and starts_with_word("ubah", after_courtesy(turn.text))
        ):
            return [_EMPTY, SlotSet("ubah", WHICH)]
        if turn.choice is not None and turn.choice.startswith("isi:"):
            reply.say(self.texts("pilihan_lama"))
            return [_EMPTY]
        if is_aside(turn) or turn.choice is not None:
            return [_EMPTY, ActionExecutionRejected(FORM)]
        return [_EMPTY]

    async def _submit(self, draft: Draft, review: Review, turn: Turn, reply: Reply, *, again: bool) -> list[EventType]:
        try:
            filing = await self.backend.submit(draft.id, again=again)
        except Incomplete:
            return [_EMPTY]
        except OpenFiling as other:
            return [_EMPTY, review.note_duplicate(other.number)]
        due = self.due(filing.due_on, review.service) if filing.due_on else self.texts("batas_waktu_tidak_ada")
        reply.say(review.sent(filing, due))
        return [*_ENDED, *await self._offer_second(turn, reply)]

    async def _offer_second(self, turn: Turn, reply: Reply) -> list[EventType]:
        """The other service that was asked for in the same message."""
        second = turn.slot("berikutnya")
        name = await self.catalogue.name(second) if second is not None else None
        if name is None:
            return [self.mean(None)]
        wish = f"niat:ajukan_layanan:{second}"
        reply.say(self.texts("tawarkan_berikutnya", layanan=name))
        reply.offer(wish, f"Lanjut: {name}")
        return [SlotSet("berikutnya", None), self.mean(wish)]

    async def _choose_field(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.choice is None and is_word("kembali", turn.text):
            return [_EMPTY, SlotSet("ubah", None)]
        names = [(item.id, item.name) for item in draft.items]
        chosen = match_choice(turn.text, names) if turn.choice is None else turn.choice.removeprefix("isi:ubah:")
        if chosen in dict(names):
            return [_EMPTY, SlotSet("ubah", chosen)]
        named = named_in(fold(turn.text), names) if turn.choice is None else None
        if named is not None:
            return [_EMPTY, SlotSet("ubah", named)]
        if is_aside(turn):
            return [_EMPTY, ActionExecutionRejected(FORM)]
        if turn.choice is None and not is_word("kirim", turn.text):
            reply.say(self.texts("bukan_pilihan"))
            return [_EMPTY]
        return [_EMPTY, SlotSet("ubah", None)]

    async def _throw_away(self, draft: Draft, reply: Reply) -> list[EventType]:
        await self.backend.delete_draft(draft.id)
        reply.say(self.texts("isian_dihapus"))
        again = Order(draft.service, helper=draft.for_another)
        reply.offer(again.choice, "Mulai baru")
        return [*_ENDED, self.mean(again.choice)]

    def _pause(self, reply: Reply) -> list[EventType]:
        reply.say(self.texts("dihentikan"))
        reply.offer("niat:lanjutkan_draf", "Lanjutkan")
        return [*_ENDED, self.mean("lanjut")]


class AskNext(_FormAction):
    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slot("perbaikan") is not None:
            return await self._correction.ask(turn, reply)
        try:
            draft = await self.draft(turn)
        except Unknown:
            reply.say(self.texts("draf_hilang"))
            return [SlotSet("draf", None), SlotSet("ubah", None)]
        if draft.submitted:
            return [*await self.tell_sent(draft.id, reply), SlotSet("requested_slot", None)]
        if turn.slot("ubah") == WHICH:
            self._ask_which(draft, reply)
        elif draft.known is not None:
            self._offer_known(draft, reply)
        elif draft.next is not None:
            self._ask(draft, draft.next, turn, reply)
        else:
            return [self.mean(None), (await self.review(draft)).show(draft, turn, reply)]
        return [self.mean(None)]

    def _ask(self, draft: Draft, question: Question, turn: Turn, reply: Reply) -> None:
        if question.type == "document":
            Papers.ask(draft, question, turn, self.texts, reply)
        else:
            reply.say(question.question)
        reply.expects_number = question.type == "number"
        for value, title in question.choices:
            reply.offer(f"isi:{question.field}:{value}", title)
        if question.type == "phone" and not (question.field == "hp" and draft.for_another):
            reply.offer(f"isi:{question.field}:{_OWN_NUMBER}", "Pakai nomor ini")
        if question.field in STORIES and (story := turn.slot("cerita")):
            reply.say(self.texts("pakai_cerita", cerita=_shortened(story)))
            reply.offer(f"isi:{question.field}:{_TOLD_BEFORE}", "Ya, pakai itu")
        if question.optional and draft.doubtful is None and not (turn.slot("ubah") or "").startswith(MORE):
            reply.offer(f"isi:{question.field}:", "Lewati")
        again = question.question in turn.heard and question.question in reply.paragraphs
        if again and not turn.slot("tawaran") and len(reply.choices) <= _ROOM_FOR_A_WAY_OUT:
            # It was asked before, so whoever is stuck sees a way out; what another action just offered comes first.
            reply.offer("niat:batal", "Nanti saja")
            reply.offer("niat:bicara_petugas", "Tanya petugas")

    def _offer_known(self, draft: Draft, reply: Reply) -> None:
        assert draft.known is not None
        names = {item.id: item.name for item in draft.items}
        shown = "\n".join(f"- {names[field]}: {value}" for field, value in draft.known.fields.items() if field in names)
        reply.say(self.texts("pakai_data", nomor=draft.known.number, isi=shown))
        reply.offer(f"isi:{_KNOWN_DATA}:ya", "Ya, pakai")
        reply.offer(f"isi:{_KNOWN_DATA}:tidak", "Isi baru")

    def _ask_which(self, draft: Draft, reply: Reply) -> None:
        """At the review everything, before it what was answered already."""
        answered = {*draft.answers, *draft.documents}
        reply.say(self.texts("ubah_yang_mana"))
        for item in draft.items:
            if draft.next is None or item.id in answered:
                reply.offer(f"isi:ubah:{item.id}", item.name)


def _sends(turn: Turn) -> bool:
    return turn.choice == "isi:review:kirim" or (turn.choice is None and is_word("kirim", turn.text))


def _sends_again(turn: Turn) -> bool:
    """Though one for the same person is open."""
    return turn.choice == "isi:review:tetap" or (turn.choice is None and is_word("tetap_kirim", turn.text))


def _leaves_off(question: Question | None, turn: Turn) -> bool:
    """Whether it is to go on later, or not at all: of a filing not sent yet there is nothing to withdraw."""
    if turn.intent == "batalkan_permohonan" and turn.confidence >= _SURE and "nomor_permohonan" not in turn.entities:
        return question is None or question.type not in ("text", "address", "name")
    if question is not None and question.field in STORIES:
        return is_word("nanti", turn.text)
    return puts_off(turn.text)


def _means_story(question: Question, turn: Turn) -> bool:
    if question.field not in STORIES:
        return False
    if turn.choice is not None:
        return turn.choice == f"isi:{question.field}:{_TOLD_BEFORE}"
    return is_word("ya", turn.text)


def _shortened(story: str) -> str:
    return story if len(story) <= _SHOWN_STORY else story[: _SHOWN_STORY - 1].rstrip() + "…"
