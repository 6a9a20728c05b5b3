"""The one form: it drives every filing from the draft that the backend keeps.

`validate_form_permohonan` gives the answer to the draft and empties the slot; `action_ask_isian` asks what the draft wants
next. Only the confirmed choice on the review submits.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet

from actions.action import FORM, DialogueAction, Resources
from actions.backend import Draft, Filing, Incomplete, OpenFiling, Question, Refused, Unknown
from actions.catalogue import Item, Service
from actions.interpretation import Aside, File, Meaning, Stale, Unfit, Value, interpret, is_aside, match_choice
from actions.turn import IncomingFile, Reply, Turn
from actions.words import fold, is_word, starts_with_word
from identity import mask_digits

__all__ = ["AskNext", "FetchFile", "TakeAnswer"]

FetchFile = Callable[[IncomingFile], Awaitable[bytes]]
"""Gives a file's content; raises BackendDown when it can't be had now."""

_EMPTY = SlotSet("isian", None)
_DONE = SlotSet("isian", "selesai")


_CHANGE_WORDS = 9
_WHICH = "?"
"""In the slot `ubah`: the citizen wants to change something and is asked what."""


class _FormAction(DialogueAction):
    keeps_data = True
    offers_in_form = True

    async def draft(self, turn: Turn) -> Draft:
        """The draft; its `next` is the field being changed from the review, if any. Raises Unknown when it is gone."""
        changing = turn.slot("ubah")
        return await self.backend.draft(turn.slot("draf") or "", ask=None if changing == _WHICH else changing)

    async def service(self, draft: Draft) -> Service:
        service = await self.catalogue.service(draft.service)
        if service is None:
            raise Unknown(draft.service)
        return service


class TakeAnswer(_FormAction):
    def __init__(self, name: str, resources: Resources, fetch: FetchFile) -> None:
        super().__init__(name, resources)
        self._fetch = fetch

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        said = turn.slot("isian")
        if said is None or said == "selesai":
            # Called without an answer: at the start, and again after an aside. It must have no effect.
            return []
        try:
            draft = await self.draft(turn)
        except Unknown:
            reply.say(self.texts("draf_hilang"))
            return [_DONE, SlotSet("draf", None), SlotSet("ubah", None)]
        if turn.slot("ubah") == _WHICH:
            return await self._choose_field(draft, turn, reply)
        if turn.choice is None and is_word("kembali", turn.text):
            return [_EMPTY, SlotSet("ubah", self._last_answered(draft, turn))]
        if turn.choice is None and (wanted := await self._wants_to_change(draft, turn)) is not None:
            return [_EMPTY, SlotSet("ubah", wanted)]
        if draft.next is None:
            return await self._review(draft, turn, reply)
        return await self._answer(draft, draft.next, interpret(draft.next, turn), turn, reply)

    async def _answer(
        self, draft: Draft, question: Question, meaning: Meaning, turn: Turn, reply: Reply
    ) -> list[EventType]:
        try:
            match meaning:
                case Aside():
                    return [_EMPTY, ActionExecutionRejected(FORM)]
                case Stale():
                    reply.say(self.texts("pilihan_lama"))
                case Unfit(reason):
                    reply.say(self.texts(reason))
                    if question.help:
                        reply.say(question.help)
                case Value(value):
                    await self.backend.answer(draft.id, turn.message_id, question.field, value)
                    return [_EMPTY, SlotSet("ubah", None)]
                case File(file):
                    content = await self._fetch(file)
                    await self.backend.add_document(
                        draft.id, turn.message_id, question.field, content, file.content_type
                    )
                    reply.say(self.texts("berkas_diterima"))
                    return [_EMPTY, SlotSet("ubah", None)]
        except Refused as refusal:
            reply.say(str(refusal))
        return [_EMPTY]

    async def _review(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.choice == "isi:review:kirim" or (turn.choice is None and is_word("kirim", turn.text)):
            return await self._submit(draft, reply)
        if turn.choice == "isi:review:ubah" or (turn.choice is None and starts_with_word("ubah", turn.text)):
            return [_EMPTY, SlotSet("ubah", _WHICH)]
        if turn.choice is not None and turn.choice.startswith("isi:"):
            reply.say(self.texts("pilihan_lama"))
            return [_EMPTY]
        if is_aside(turn) or turn.choice is not None:
            return [_EMPTY, ActionExecutionRejected(FORM)]
        reply.say(self.texts("pilih_di_tinjauan"))
        return [_EMPTY]

    def _last_answered(self, draft: Draft, turn: Turn) -> str | None:
        """The field before the one being asked; going back twice goes back two. None at the first."""
        answered = [*draft.answers, *draft.documents]
        changing = turn.slot("ubah")
        earlier = answered[: answered.index(changing)] if changing in answered else answered
        return earlier[-1] if earlier else None

    async def _wants_to_change(self, draft: Draft, turn: Turn) -> str | None:
        """The field meant by "salah, nik yang tadi"."""
        said = fold(turn.text)
        if not starts_with_word("ubah", said) or len(said.split()) > _CHANGE_WORDS:
            return None
        service = await self.service(draft)
        answered = {*draft.answers, *draft.documents}
        return _named_in(said, [item for item in service.items if item.id in answered])

    async def _choose_field(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        service = await self.service(draft)
        names = [(item.id, item.name) for item in service.items]
        chosen = match_choice(turn.text, names) if turn.choice is None else turn.choice.removeprefix("isi:ubah:")
        if chosen in dict(names):
            return [_EMPTY, SlotSet("ubah", chosen)]
        if is_aside(turn):
            return [_EMPTY, ActionExecutionRejected(FORM)]
        if chosen is None and turn.choice is None:
            return [_EMPTY, SlotSet("ubah", _named_in(fold(turn.text), service.items))]
        return [_EMPTY, SlotSet("ubah", None)]

    async def _submit(self, draft: Draft, reply: Reply) -> list[EventType]:
        service = await self.service(draft)
        ended: list[EventType] = [_DONE, SlotSet("draf", None), SlotSet("ubah", None), self.mean(None)]
        try:
            filing = await self.backend.submit(draft.id)
        except Incomplete:
            return [_EMPTY]
        except OpenFiling as other:
            reply.say(self.texts("masih_berjalan", layanan=service.name, nomor=other.number))
            return ended
        reply.say(self._sent(filing, service))
        return ended

    def _sent(self, filing: Filing, service: Service) -> str:
        due = self.due(filing.due_on, service) if filing.due_on else self.texts("batas_waktu_tidak_ada")
        return self.texts("terkirim", layanan=service.name, nomor=filing.number, kantor=filing.office, batas=due)


class AskNext(_FormAction):
    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        try:
            draft = await self.draft(turn)
        except Unknown:
            reply.say(self.texts("draf_hilang"))
            return [SlotSet("draf", None), SlotSet("ubah", None)]
        if turn.slot("ubah") == _WHICH:
            await self._ask_which(draft, reply)
        elif draft.next is None:
            await self._show_review(draft, reply)
        else:
            self._ask(draft.next, reply)
        return [self.mean(None)]

    def _ask(self, question: Question, reply: Reply) -> None:
        reply.say(question.question)
        reply.expects_number = question.type == "number"
        for value, title in question.choices:
            reply.offer(f"isi:{question.field}:{value}", title)
        if question.optional:
            reply.offer(f"isi:{question.field}:", "Lewati")

    async def _show_review(self, draft: Draft, reply: Reply) -> None:
        service = await self.service(draft)
        lines = [
            f"{item.name}: {_shown(draft.answers.get(item.id), item.choices, item.sensitive)}"
            for item in service.fields
        ]
        lines += [f"{item.name}: {_pages(draft.documents.get(item.id, 0))}" for item in service.documents]
        reply.say(self.texts("tinjauan", layanan=service.name, isi="\n".join(lines)))
        reply.offer("isi:review:kirim", "Kirim")
        reply.offer("isi:review:ubah", "Ubah")
        reply.offer("niat:batal", "Batal")

    async def _ask_which(self, draft: Draft, reply: Reply) -> None:
        service = await self.service(draft)
        reply.say(self.texts("ubah_yang_mana"))
        for item in service.items:
            reply.offer(f"isi:ubah:{item.id}", item.name)


def _named_in(said: str, items: Sequence[Item]) -> str | None:
    return next((item.id for item in items if _names(said, item)), None)


def _names(said: str, item: Item) -> bool:
    """Whether a field or document is named, by its id ("hp") or its name ("nomor hp"), with a suffix or without ("nik e")."""
    names = {item.id.replace("_", " "), fold(item.name).removesuffix(" lengkap")}
    return any(re.search(rf"\b{re.escape(name)}(nya|e|ku|mu)?\b", said) for name in names)


def _shown(value: object, choices: object, sensitive: bool) -> str:
    if value is None:
        return "-"
    text = str(value)
    if isinstance(choices, dict) and text in choices:
        return str(choices[text])
    return mask_digits(text) if sensitive else text


def _pages(count: int) -> str:
    return f"{count} berkas" if count else "-"
