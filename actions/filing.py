"""Beginning, going on with and stopping a filing."""

from __future__ import annotations

from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet

from actions.action import FORM, DialogueAction
from actions.backend import Draft
from actions.catalogue import Service
from actions.topic import Choice, find_service
from actions.turn import Reply, Turn

__all__ = ["Agree", "Disagree", "File", "Resume", "Stop"]


class _Starting(DialogueAction):
    """What several wishes end in: a draft is open and the form asks its next question."""

    async def start(self, service: str, turn: Turn) -> list[EventType]:
        draft = await self.backend.open_draft(service, turn.conversation, turn.channel)
        return self.enter(draft)

    def enter(self, draft: Draft) -> list[EventType]:
        return [
            SlotSet("draf", draft.id),
            SlotSet("layanan", draft.service),
            SlotSet("isian", None),
            SlotSet("ubah", None),
            self.mean(None),
            FollowupAction(FORM),
        ]


class File(_Starting):
    """`ajukan_layanan`: says what is needed, then begins when told to."""

    offers_in_form = True

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        found = await find_service(turn, self.catalogue, self.texts, reply)
        if isinstance(found, Choice):
            return [SlotSet("layanan", found.topic)] if found.topic else []
        if found.mode == "permohonan" and (turn.choice or "").startswith("mulai:"):
            reply.say(self.texts("mulai", layanan=found.name))
            return await self.start(found.id, turn)
        if turn.slot("draf") is not None and found.mode == "permohonan":
            reply.say(self.texts("sedang_mengisi", layanan=found.name))
            reply.offer(f"mulai:{found.id}", f"Pindah ke {found.name}")
            return []
        topic = SlotSet("layanan", found.id)
        match found.mode:
            case "permohonan":
                self._offer(found, reply)
                return [topic, self.mean(f"mulai:{found.id}")]
            case "staf":
                reply.say(self.texts("layanan_staf", layanan=found.name, instansi=found.agency))
                reply.handoff = {"reason": "layanan_staf", "service": found.id}
                return [topic, self.mean(None)]
            case _:
                self._refer(found, reply)
                return [topic, self.mean(None)]

    def _offer(self, service: Service, reply: Reply) -> None:
        if "kematian" in service.families:
            reply.say(self.texts("turut_berduka"))
        needed = [
            f"{document.name} ({document.condition or 'bila ada'})" if document.optional else document.name
            for document in service.documents
        ]
        reply.say(
            self.texts(
                "tawarkan",
                layanan=service.name,
                syarat="\n".join(f"- {name}" for name in needed) or "- " + self.texts("tanpa_berkas"),
                biaya=service.fee.text,
                lama=service.time_limit.text,
            )
        )
        if service.fee.needs_warning or service.time_limit.needs_warning:
            reply.say(self.texts("perlu_verifikasi"))
        reply.offer(f"mulai:{service.id}", "Ya, mulai")
        reply.offer(f"niat:tanya_syarat:{service.id}", "Syarat lengkap")
        reply.offer("niat:tidak", "Tidak dulu")

    def _refer(self, service: Service, reply: Reply) -> None:
        steps = "\n".join(f"{i}. {step.text}" for i, step in enumerate(service.steps, 1))
        reply.say(self.texts("rujukan", layanan=service.name, instansi=service.agency, langkah=steps))
        if any(step.needs_warning for step in service.steps):
            reply.say(self.texts("perlu_verifikasi"))
        reply.offer(f"niat:tanya_syarat:{service.id}", "Syarat")
        reply.offer(f"niat:tanya_biaya:{service.id}", "Biaya")


class Resume(_Starting):
    """`lanjutkan_draf`"""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        return await self.resume(turn, reply) or []

    async def resume(self, turn: Turn, reply: Reply) -> list[EventType] | None:
        """None when there is nothing to go on with, which is then said."""
        drafts = await self.backend.drafts(turn.conversation)
        if not drafts:
            reply.say(self.texts("tidak_ada_draf"))
            return None
        if len(drafts) == 1:
            return self.enter(drafts[0])
        summaries = await self.catalogue.summaries()
        reply.say(self.texts("draf_yang_mana"))
        for draft in drafts[:9]:
            name = summaries[draft.service].name if draft.service in summaries else draft.service
            reply.offer(f"mulai:{draft.service}", name)
        return []


class Agree(Resume):
    """`ya`: what was offered last; else the filing left unfinished, if that is what "lanjut" can mean."""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        kind, _, service = (turn.slot("tawaran") or "").partition(":")
        if kind == "mulai":
            reply.say(self.texts("mulai", layanan=await self._service_name(service)))
            return await self.start(service, turn)
        if (kind == "lanjut" or "lanjut" in turn.text.lower()) and (
            events := await self.resume(turn, reply)
        ) is not None:
            return events
        if not reply.paragraphs:
            reply.say(self.texts("ya_apa"))
        return []

    async def _service_name(self, service: str) -> str:
        summaries = await self.catalogue.summaries()
        return summaries[service].name if service in summaries else service


class Disagree(DialogueAction):
    """`tidak`"""

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        reply.say(self.texts("tidak"))
        return [self.mean(None)]


class Stop(DialogueAction):
    """`batal`: the form ends; what was answered is kept until the draft expires."""

    offers_in_form = True

    async def act(self, turn: Turn, reply: Reply) -> list[EventType]:
        if turn.slot("draf") is None:
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
            self.mean("lanjut"),
        ]
