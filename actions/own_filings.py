"""A citizen's filings, here and in their other conversations, and which of them a message means."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

from actions.action import Resources
from actions.backend import NotYours, Unknown
from actions.filed import Filing
from actions.states import said_state
from actions.turn import Reply, Turn

__all__ = ["Own", "OwnFilings", "is_issued"]

_LISTED = 9
_TELLS_NOTHING = re.compile(r"^(surat )?(keterangan|pernyataan|pengantar|rekomendasi) ", re.IGNORECASE)
"""what half the services begin with"""
_TITLE = 20
"""characters: what a button of WhatsApp holds"""


@dataclass(frozen=True)
class Own:
    filing: Filing
    contact: str
    """the conversation it was filed from"""


class OwnFilings:
    def __init__(self, resources: Resources) -> None:
        self._backend = resources.backend
        self._catalogue = resources.catalogue
        self._texts = resources.texts

    async def all(self, turn: Turn) -> list[Own]:
        """Newest first."""
        found = [Own(filing, contact) for contact in turn.contacts for filing in await self._backend.filings(contact)]
        return sorted(found, key=lambda each: each.filing.submitted_at, reverse=True)

    async def by_number(self, number: str, turn: Turn, *, message_id: str | None = None) -> Own | None:
        """None for another person's, and for one that there isn't: nobody learns which. `message_id` as of a draft."""
        for contact in turn.contacts:
            try:
                return Own(await self._backend.filing(number, contact, message_id=message_id), contact)
            except (NotYours, Unknown):
                continue
        return None

    async def choose(
        self, turn: Turn, reply: Reply, *, kind: str, suits: Callable[[Filing], bool], question: str
    ) -> Own | None:
        """The filing that is meant; else None, and why or the question which one is in the reply.

        One that doesn't suit is given too when it is named or the only one, so that its own reason can be told. The
        choices offered are `kind:NUMBER`, under the sentence `question`.
        """
        number = turn.entities.get("nomor_permohonan")
        if number is not None:
            return await self._named(number, turn, reply)
        owned = await self.meant(await self.all(turn), turn)
        if not owned:
            reply.say(self._texts("belum_ada_permohonan"))
            return None
        fitting = [each for each in owned if suits(each.filing)] or owned[:1]
        if len(fitting) == 1:
            return fitting[0]
        await self.offer([each.filing for each in fitting], reply, kind=kind, question=question)
        return None

    async def meant(self, owned: Sequence[Own], turn: Turn) -> list[Own]:
        """Those of the service that the message names, if there are any; else all."""
        if not turn.services:
            return list(owned)
        named, summaries = turn.services[0].name, await self._catalogue.summaries()
        of_service = [
            each
            for each in owned
            if each.filing.service == named
            or (each.filing.service in summaries and named in summaries[each.filing.service].families)
        ]
        return of_service or list(owned)

    async def offer(self, filings: Sequence[Filing], reply: Reply, *, kind: str, question: str) -> None:
        shown = filings[:_LISTED]
        names = [await self.service_name(filing.service) for filing in shown]
        lines = [
            f"- {filing.number}: {name}, {self.state_name(filing)}" for filing, name in zip(shown, names, strict=True)
        ]
        reply.say(self._texts(question, isi="\n".join(lines)))
        for filing, title in zip(shown, _titles(shown, names), strict=True):
            reply.offer(f"{kind}:{filing.number}", title)

    async def service_name(self, service: str) -> str:
        summaries = await self._catalogue.summaries()
        if service in summaries:
            return summaries[service].name
        other = await self._catalogue.service(service)
        return other.name if other else service.replace("_", " ")

    def state_name(self, filing: Filing) -> str:
        return said_state(filing.state, self._texts)

    async def _named(self, number: str, turn: Turn, reply: Reply) -> Own | None:
        if not is_issued(number):
            reply.say(self._texts("nomor_salah_ketik", nomor=number))
            return None
        found = await self.by_number(number, turn)
        if found is None:
            reply.say(self._texts("nomor_orang_lain"))
        return found


def is_issued(number: str) -> bool:
    """Whether the check character fits: a slip of the finger is told at once."""
    try:
        mod_37_36.validate(number.replace("-", "")[3:])
    except ValidationError:
        return False
    return True


def _titles(filings: Sequence[Filing], names: Sequence[str]) -> list[str]:
    """The service, and where it is there twice the end of the number too."""
    titles = []
    for filing, name in zip(filings, names, strict=True):
        ending = "" if names.count(name) == 1 else f" {filing.number[-6:]}"
        room = _TITLE - len(ending)
        telling = name if len(name) <= room else _TELLS_NOTHING.sub("", name)
        short = telling if len(telling) <= room else telling[: room - 1].rstrip() + "…"
        titles.append(short[:1].upper() + short[1:] + ending)
    return titles
