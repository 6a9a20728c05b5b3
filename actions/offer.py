"""What is told before a filing begins: what to have ready, what it costs, by when it would be done, where originals go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actions.catalogue import Item, Service
from actions.order import Order
from actions.texts import Texts, indonesian_date
from actions.turn import Reply

__all__ = ["ask_to_begin", "tell_offer"]


@dataclass(frozen=True)
class _Saying:
    """The keys of an offer's sentences, by the mode of what is offered."""

    offer: str
    agree: str


_SAYINGS: Mapping[str, _Saying] = {
    "permohonan": _Saying("tawarkan", "Ya, mulai"),
    "pengaduan": _Saying("tawarkan_laporan", "Ya, catat"),
    "staf": _Saying("tawarkan_pertanyaan", "Ya, tulis pertanyaan"),
}


def tell_offer(service: Service, *, helper: bool, notice: str | None, texts: Texts, reply: Reply) -> Order:
    """Says it and gives the choices; what a bare "ya" then means. `notice` is there while consent is still needed."""
    if "kematian" in service.families:
        reply.say(texts("turut_berduka"))
    reply.say(_told(service, texts))
    return ask_to_begin(service, helper=helper, notice=notice, texts=texts, reply=reply)


def ask_to_begin(
    service: Service, *, helper: bool, notice: str | None, texts: Texts, reply: Reply, heard: str = ""
) -> Order:
    """The question alone, for who has been told the rest. `heard` is what was said last: a notice in it isn't repeated."""
    order = Order(service.id, helper=helper, agreed=notice is not None)
    if helper:
        reply.say(texts("tawarkan_wakil"))
    if notice is not None:
        reminder = texts("persetujuan_tadi")
        reply.say(reminder if notice in heard or reminder in heard else notice)
    reply.offer(order.choice, "Setuju, mulai" if notice is not None else _SAYINGS[service.mode].agree)
    if service.may_be_represented:
        other = Order(service.id, helper=not helper)
        reply.offer(other.choice, "Untuk saya sendiri" if helper else "Untuk orang lain")
    reply.offer("niat:tidak", "Tidak dulu")
    return order


def _told(service: Service, texts: Texts) -> str:
    if service.mode != "permohonan":
        return texts(_SAYINGS[service.mode].offer, layanan=service.name, instansi=service.agency)
    lines = [
        texts("tawarkan", layanan=service.name, syarat=_checklist(service, texts)),
        texts("tawarkan_biaya", biaya=service.fee.text, waktu=_time(service, texts)),
    ]
    if service.originals is not None:
        lines.append(f"{service.originals.text}.")
    facts = (service.fee, service.time_limit, *((service.originals,) if service.originals else ()))
    if any(fact.needs_warning for fact in facts):
        lines.append(texts("perlu_verifikasi"))
    return "\n".join(lines)


def _checklist(service: Service, texts: Texts) -> str:
    if service.documents is None:
        papers = [fact.text for fact in service.requirements]
    else:
        papers = [f"{document.name}{_condition(document)}" for document in service.documents]
    if not papers:
        return "- " + texts("berkas_belum_tahu" if service.documents is None else "tanpa_berkas")
    return "\n".join([*(f"☐ {paper}" for paper in papers), texts("boleh_menyusul")])


def _condition(document: Item) -> str:
    if document.condition is not None:
        return f" ({document.condition})"
    if document.depends:
        return " (tergantung jawaban Anda)"
    return " (bila ada)" if document.optional else ""


def _time(service: Service, texts: Texts) -> str:
    if service.due_if_today is None:
        return texts("tawarkan_lama", lama=service.time_limit.text)
    return texts("tawarkan_tanggal", tanggal=indonesian_date(service.due_if_today))
