"""Which service a message is about: the one it names, else the one talked about before."""

from __future__ import annotations

from dataclasses import dataclass

from actions.catalogue import Catalogue, Service, Summary
from actions.texts import Texts
from actions.turn import Reply, Turn

__all__ = ["FAMILIES_OFFERED", "Choice", "find_service", "offer_next_best"]

_SURE = 0.5
_VERY_SURE = 0.75
"""Below it, the answer is given and the next best services are offered beside it."""
_NEXT_BEST = 2
_PLAUSIBLE = 0.1
_CHOICES = 3
_FAMILY_CHOICES = 9

FAMILIES_OFFERED = ("ktp", "kk", "kelahiran", "kematian", "pindah", "nikah", "sktm", "surat_keterangan", "bpjs")
"""asked for most; with one more choice they fill a WhatsApp list"""


@dataclass(frozen=True)
class Choice:
    """The citizen was asked which of several services is meant; `topic` is the family they share, where there is one."""

    topic: str | None


async def find_service(turn: Turn, catalogue: Catalogue, texts: Texts, reply: Reply) -> Service | Choice:
    """The service, or the question which one, already put into the reply with the same intent as its choices."""
    before = turn.slot("layanan")
    if not turn.services:
        if before is None:
            return await _ask_any(turn, catalogue, texts, reply)
        return await _resolve(before, turn, catalogue, texts, reply)
    best = turn.services[0]
    if before is not None and await _belongs(before, best.name, catalogue):
        return await _resolve(before, turn, catalogue, texts, reply)
    if best.confidence < _SURE and len(turn.services) > 1:
        return await _ask_likely(turn, catalogue, texts, reply)
    return await _resolve(best.name, turn, catalogue, texts, reply)


async def offer_next_best(answered: Service, turn: Turn, catalogue: Catalogue, reply: Reply) -> None:
    """The same question about the services that may have been meant instead."""
    if not turn.services or turn.services[0].confidence >= _VERY_SURE:
        return
    summaries = await catalogue.summaries()
    others = [g for g in turn.services if g.name in summaries and g.name != answered.id and g.confidence >= _PLAUSIBLE]
    for guess in others[:_NEXT_BEST]:
        reply.offer(f"niat:{turn.intent}:{guess.name}", summaries[guess.name].name)


async def _belongs(service: str, family: str, catalogue: Catalogue) -> bool:
    known = (await catalogue.summaries()).get(service)
    return known is not None and service != family and family in known.families


async def _resolve(name: str, turn: Turn, catalogue: Catalogue, texts: Texts, reply: Reply) -> Service | Choice:
    service = await catalogue.service(name)
    if service is not None:
        return service
    members = await catalogue.family(name)
    if len(members) == 1 and (only := await catalogue.service(members[0].id)) is not None:
        return only
    if not members:
        return await _ask_any(turn, catalogue, texts, reply)
    reply.say(texts("yang_mana_keluarga", keluarga=catalogue.family_name(name) or name))
    _offer(members[:_FAMILY_CHOICES], turn, reply)
    return Choice(topic=name)


async def _ask_likely(turn: Turn, catalogue: Catalogue, texts: Texts, reply: Reply) -> Choice:
    summaries = await catalogue.summaries()
    reply.say(texts("yang_mana"))
    for guess in turn.services[:_CHOICES]:
        if guess.name in summaries:
            reply.offer(f"niat:{turn.intent}:{guess.name}", summaries[guess.name].name)
        elif name := catalogue.family_name(guess.name):
            reply.offer(f"niat:{turn.intent}:{guess.name}", name)
    reply.offer("niat:daftar_layanan", "Layanan lain")
    return Choice(topic=None)


async def _ask_any(turn: Turn, catalogue: Catalogue, texts: Texts, reply: Reply) -> Choice:
    reply.say(texts("layanan_apa"))
    for family in FAMILIES_OFFERED:
        if name := catalogue.family_name(family):
            reply.offer(f"niat:{turn.intent}:{family}", name)
    return Choice(topic=None)


def _offer(services: list[Summary], turn: Turn, reply: Reply) -> None:
    for service in services:
        reply.offer(f"niat:{turn.intent}:{service.id}", service.name)
