"""Beginning, going on with and stopping a filing."""

from __future__ import annotations

from collections.abc import Mapping

from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet

from actions.action import FORM, DialogueAction, Resources
from actions.backend import BackendDown, Draft, Refused
from actions.catalogue import Service
from actions.confirmation import Confirmation
from actions.consent import Consents
from actions.offer import ask_to_begin, tell_offer
from actions.order import Order, order_in
from actions.topic import Choice, find_service
from actions.turn import Reply, Turn
from actions.withdrawal import Withdraw
from actions.words import represents, wonders

__all__ = ["Agree", "Complain", "Disagree", "File", "Greet", "Resume", "Stop"]

_COMPLAINT = "pengaduan"
_WORDS_OF_A_STORY = 4
_GREETING_CHOICES = 3
_BEGINNINGS: Mapping[str, str] = {"permohonan": "mulai", "pengaduan": "mulai_laporan", "staf": "mulai_pertanyaan"}


class _Starting(DialogueAction):
    """What several wishes end in: a draft is open and the form asks its next question."""

    def __init__(self, name: str, resources: Resources) -> None:
        super().__init__(name, resources)
        self._consents = Consents(self.backend, self.texts)

    async def offer(self, service: Service, turn: Turn, reply: Reply) -> list[EventType]:
        notice = None if await self._consents.is_given(turn) else self._consents.notice
        helper = service.may_be_represented and represents(turn.text)
        order = tell_offer(service, helper=helper, notice=notice, texts=self.texts, reply=reply)
        story = turn.text if _tells_already(service, turn.text) else None
        return [SlotSet("layanan", service.id), SlotSet("cerita", story), self.mean(order.choice)]

    async def begin(self, order: Order, service: Service, turn: Turn, reply: Reply) -> list[EventType]:
        """Nothing is asked, and nothing gone on with, before there is consent."""
        if order.agreed:
            await self._consents.give(turn)
        elif not await self._consents.is_given(turn):
            notice = self._consents.notice
            asked = ask_to_begin(
                service, helper=order.helper, notice=notice, heard=turn.heard, texts=self.texts, reply=reply
            )
            return [SlotSet("layanan", service.id), self.mean(asked.choice)]
        try:
            draft = await self.backend.open_draft(service.id, turn.conversation, turn.channel, helper=order.helper)
        except Refused as refusal:
            own = Order(service.id)
            reply.say(str(refusal))
            reply.offer(own.choice, "Untuk saya sendiri")
            return [SlotSet("layanan", service.id), self.mean(own.choice)]
        begun = "melanjutkan" if draft.answers else _BEGINNINGS[service.mode]
        reply.say(self.texts(begun, layanan=service.name))
        reached = [SlotSet("berikutnya", None)] if turn.slot("berikutnya") == service.id else []
        return [*reached, *self._enter(draft, turn, reply)]

    def _enter(self, draft: Draft, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slots.get("halaman"):
            reply.say(self.texts("perbaiki_halaman_lepas"))
        return [
            SlotSet("draf", draft.id),
            SlotSet("perbaikan", None),
            SlotSet("halaman", None),
            SlotSet("layanan", draft.service),
            SlotSet("isian", None),
            SlotSet("ubah", None),
            SlotSet("ditinjau", None),
            self.mean(None),
            FollowupAction(FORM),
        ]


def _tells_already(service: Service, text: str) -> bool:
    """Whether the complaint, or the question to an officer, was told with the wish to tell it."""
    if len(text.split()) < _WORDS_OF_A_STORY:
        return False
    return service.mode == _COMPLAINT or (service.mode == "staf" and wonders(text))


class File(_Starting):
    """`ajukan_layanan`: says what is needed, then begins when told to."""

    offers_in_form = True

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        events = await self._wish(turn, reply)
        return [*events, *await self._note_second(turn, reply)]

    async def _note_second(self, turn: Turn, reply: Reply) -> list[EventType]:
        """Of two services in one message the second is offered once the first is filed."""
        if turn.choice is not None or turn.slot("draf") is not None:
            return []
        name = await self.catalogue.name(turn.besides) if turn.besides is not None else None
        if name is None:
            return [SlotSet("berikutnya", None)]
        reply.say(self.texts("layanan_berikutnya", layanan=name))
        return [SlotSet("berikutnya", turn.besides)]

    async def _wish(self, turn: Turn, reply: Reply) -> list[EventType]:
        found = await find_service(turn, self.catalogue, self.texts, reply)
        if isinstance(found, Choice):
            return [SlotSet("layanan", found.topic)] if found.topic else []
        if not found.is_filed:
            self._explain(found, reply)
            return [SlotSet("layanan", found.id), self.mean(None)]
        if (order := order_in(turn.choice)) is not None:
            return await self.begin(order, found, turn, reply)
        if turn.slot("draf") is not None:
            reply.say(self.texts("sedang_mengisi", layanan=found.name))
            reply.offer(Order(found.id).choice, f"Pindah ke {found.name}")
            other = [SlotSet("berikutnya", found.id)] if found.id != turn.slot("layanan") else []
            return [*other, self.mean(Order(found.id).choice)]
        return await self.offer(found, turn, reply)

    def _explain(self, service: Service, reply: Reply) -> None:
        if service.mode == "staf":
            reply.say(self.texts("layanan_staf", layanan=service.name, instansi=service.agency))
            reply.handoff = {"reason": "layanan_staf", "service": service.id}
            return
        steps = "\n".join(f"{i}. {step.text}" for i, step in enumerate(service.steps, 1))
        told = steps or self.texts("rujukan_langkah_tidak_ada")
        reply.say(self.texts("rujukan", layanan=service.name, instansi=service.agency, langkah=told))
        if any(step.needs_warning for step in service.steps):
            reply.say(self.texts("perlu_verifikasi"))
        reply.offer(f"niat:tanya_syarat:{service.id}", "Syarat")
        reply.offer(f"niat:tanya_biaya:{service.id}", "Biaya")


class Complain(_Starting):
    """`pengaduan`: offers to write it down, and points to SP4N-LAPOR! where the backend takes no complaints."""

    offers_in_form = True

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        try:
            form = await self.catalogue.service(_COMPLAINT)
        except BackendDown:
            form = None
        if form is None:
            reply.say(self.texts("pengaduan"))
            return []
        if turn.slot("draf") is not None:
            reply.say(self.texts("sedang_mengisi", layanan=form.name))
            reply.offer(Order(form.id).choice, f"Pindah ke {form.name}")
            return [SlotSet("cerita", turn.text or None), self.mean(Order(form.id).choice)]
        return await self.offer(form, turn, reply)


class Greet(DialogueAction):
    """`salam`: what can be done here, and a filing left unfinished is offered first."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        reply.say(self.texts("salam"))
        if turn.slot("draf") is None and await self._left_one(turn):
            reply.offer("niat:lanjutkan_draf", "Lanjutkan isian")
        reply.offer("niat:daftar_layanan", "Daftar layanan")
        reply.offer("niat:cek_status", "Cek status")
        if len(reply.choices) < _GREETING_CHOICES:
            reply.offer("niat:bicara_petugas", "Petugas")
        return []

    async def _left_one(self, turn: Turn) -> bool:
        try:
            return any([await self.backend.drafts(contact) for contact in turn.contacts])
        except BackendDown:
            return False


class Resume(_Starting):
    """`lanjutkan_draf`, those of the same person's other channels included."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        return await self.resume(turn, reply) or []

    async def resume(self, turn: Turn, reply: Reply) -> list[EventType] | None:
        """None when there is nothing to go on with, which is then said."""
        await self._adopt(turn)
        drafts = await self.backend.drafts(turn.conversation)
        if not drafts:
            reply.say(self.texts("tidak_ada_draf"))
            return None
        if len(drafts) == 1 and (service := await self.catalogue.service(drafts[0].service)) is not None:
            return await self.begin(_order(drafts[0]), service, turn, reply)
        summaries = await self.catalogue.summaries()
        reply.say(self.texts("draf_yang_mana"))
        for draft in drafts[:9]:
            name = summaries[draft.service].name if draft.service in summaries else draft.service
            reply.offer(_order(draft).choice, f"{name} (orang lain)" if draft.for_another else name)
        return []

    async def _adopt(self, turn: Turn) -> None:
        """A service open in both conversations stays as it is here."""
        for other in turn.linked:
            for draft in await self.backend.drafts(other):
                await self.backend.adopt_draft(draft.id, turn.conversation, turn.channel, turn.message_id)


def _order(draft: Draft) -> Order:
    return Order(draft.service, helper=draft.for_another)


class Agree(Resume):
    """`ya`: what was offered last; else the filing left unfinished, if that is what "lanjut" can mean.

    `after` has the actions for what is offered about filings already sent, by the kind of the choice.
    """

    def __init__(self, name: str, resources: Resources, after: Mapping[str, DialogueAction]) -> None:
        super().__init__(name, resources)
        self._after = after
        self._confirmation = Confirmation(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if (confirmed := await self._confirmation.take_word(turn, reply)) is not None:
            return confirmed
        offered = turn.slot("tawaran")
        if offered is not None and (action := self._after.get(offered.partition(":")[0])) is not None:
            return await action.act(turn.choosing(offered), reply)
        order = order_in(offered)
        service = await self.catalogue.service(order.service) if order is not None else None
        if order is not None and service is not None:
            return await self.begin(order, service, turn, reply)
        if (offered == "lanjut" or "lanjut" in turn.text.lower()) and (
            events := await self.resume(turn, reply)
        ) is not None:
            return events
        if not reply.paragraphs:
            reply.say(self.texts("ya_apa"))
        return []


class Disagree(DialogueAction):
    """`tidak`: to "sudah beres?" that is an answer, whose action is in `after`."""

    def __init__(self, name: str, resources: Resources, after: Mapping[str, DialogueAction]) -> None:
        super().__init__(name, resources)
        self._after = after
        self._confirmation = Confirmation(resources)

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if (confirmed := await self._confirmation.take_word(turn, reply)) is not None:
            return confirmed
        kind, _, about = (turn.slot("tawaran") or "").partition(":")
        if kind == "konfirmasi" and (action := self._after.get(kind)) is not None:
            return await action.act(turn.choosing(f"{kind}:{about.partition(':')[0]}:belum"), reply)
        reply.say(self.texts("tidak"))
        return [self.mean(None)]


class Stop(DialogueAction):
    """`batal`: the form ends; what was answered is kept until the draft expires.

    Where none is open and nothing was offered, the filing that was sent is meant.
    """

    offers_in_form = True

    def __init__(self, name: str, resources: Resources, withdraw: Withdraw) -> None:
        super().__init__(name, resources)
        self._withdraw = withdraw

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slot("draf") is None:
            if turn.slot("tawaran") is None and await self._withdraw.is_possible(turn):
                return await self._withdraw.act(turn, reply)
            reply.say(self.texts("tidak_ada_yang_dibatalkan"))
            return [self.mean(None)]
        reply.say(self.texts("dihentikan"))
        reply.offer("niat:lanjutkan_draf", "Lanjutkan")
        return [
            ActiveLoop(None),
            SlotSet("requested_slot", None),
            SlotSet("draf", None),
            SlotSet("isian", None),
            SlotSet("ubah", None),
            SlotSet("ditinjau", None),
            SlotSet("cerita", None),
            self.mean("lanjut"),
        ]
