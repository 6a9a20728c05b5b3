"""The people: some ask one thing after the other without waiting, some file and answer what they are asked."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from backend.catalogue import Catalogue, Service
from praja.rehearsal import NUMBER, Lost, Person, Photograph, Rehearsal, Say, Tap, sheet
from tests.chaos.phones import Bubble, Phone
from tests.chaos.stand import Stand
from tests.stack.citizen import is_title

__all__ = ["Asker", "Filer", "Officer", "Question", "asks_to_come_back", "is_sorry", "learn"]

_SHORTEST_MARK = 12
_SETTLED = 1.5
_ANSWERED_WITHIN = 300.0
_MOST_MOVES = 60
_BACK_AFTER = 10.0
_STEPS = ("DIPROSES", "DISETUJUI")


@dataclass(frozen=True)
class Question:
    text: str
    mark: str
    """what only its answer says"""


def asks_to_come_back(text: str) -> bool:
    """`backend_mati` of data/teks/percakapan.yml: what answers a question while the backend fails (docs/decisions/0001)."""
    return "sistem pencatatan sedang tidak bisa dihubungi" in text


def is_sorry(text: str) -> bool:
    """The sentence that says the message is kept and will be answered."""
    return "tersimpan" in text and "terganggu" in text


async def learn(phones: Sequence[Phone], services: Sequence[Service]) -> Mapping[str, list[Question]]:
    """By channel: what can be asked, and by which words its answer is known, found out while nothing is broken."""
    return dict(await asyncio.gather(*(_learn(phone, services) for phone in phones)))


async def _learn(phone: Phone, services: Sequence[Service]) -> tuple[str, list[Question]]:
    answers = {f"apa saja syarat {service.name}?": "" for service in services}
    for text in answers:
        seen = len(phone.bubbles())
        await phone.say(text)
        answers[text] = "\n".join(bubble.text for bubble in await _heard(phone, seen, 30))
    lines = Counter(line for answer in answers.values() for line in set(answer.splitlines()))
    return phone.channel, [
        Question(text, mark)
        for text, answer in answers.items()
        if (mark := next((m for m in answer.splitlines() if len(m) >= _SHORTEST_MARK and lines[m] == 1), None))
    ]


async def _heard(phone: Phone, seen: int, seconds: float, settled: float = 0.4) -> list[Bubble]:
    """What came after the first `seen` bubbles, once no more comes."""
    deadline, known, since = time.monotonic() + seconds, seen, time.monotonic()
    while time.monotonic() < deadline:
        if len(phone.bubbles()) > known:
            known, since = len(phone.bubbles()), time.monotonic()
        if known > seen and time.monotonic() - since > settled:
            break
        await asyncio.sleep(0.05)
    return phone.bubbles()[seen:]


@dataclass
class Asker:
    phone: Phone
    questions: Sequence[Question]
    """each once, in this order"""
    asked: list[tuple[str, Question]] = field(default_factory=list)
    """external ids of what was accepted"""

    async def live(self, seconds: float, chance: random.Random) -> None:
        """Asks at any time within `seconds`, by no means evenly, and some of it comes twice."""
        times = sorted(chance.uniform(0, seconds) for _ in self.questions)
        begun = time.monotonic()
        for at, question in zip(times, self.questions, strict=True):
            await asyncio.sleep(max(0.0, begun + at - time.monotonic()))
            self.asked.append((await self.phone.say(question.text), question))
            if chance.random() < 0.05:
                await self.phone.say_again()


@dataclass
class Filer:
    phone: Phone
    service: Service
    catalogue: Catalogue
    nik: str
    number: str = ""
    seen: int = 0
    stuck: str = ""
    """what kept them from a number"""

    async def live(self, after: float) -> None:
        """From the first wish to the number, however long it takes."""
        await asyncio.sleep(after)
        rehearsal = Rehearsal.of(self.catalogue, [self.service], Person(nik=self.nik))
        await self.phone.say(f"saya mau mengurus {self.service.name}")
        for _ in range(_MOST_MOVES):
            heard = await self._answer()
            if not heard:
                self.stuck = "silence"
                return
            said = "\n".join(bubble.text for bubble in heard)
            if found := NUMBER.search(said):
                self.number = found.group()
                return
            titles = [title for bubble in heard for title in bubble.titles]
            try:
                await self._move(rehearsal, said, titles)
            except Lost:
                if asks_to_come_back(said):
                    await asyncio.sleep(_BACK_AFTER)
                    await self.phone.say(f"saya mau mengurus {self.service.name}")
                    continue
                self.stuck = f"lost: {said[:300]!r} {titles}"
                return
        self.stuck = "no number after so many moves"

    async def _move(self, rehearsal: Rehearsal, said: str, titles: Sequence[str]) -> None:
        is_offered = any(is_title(title, self.service.name) for title in titles)
        if is_offered and not rehearsal.asked(said):
            await self.phone.tap(self.service.name)
            return
        match rehearsal.next(said, titles):
            case Say(text):
                await self.phone.say(text)
            case Tap(title):
                await self.phone.tap(title)
            case Photograph(label):
                await self.phone.send_photo(sheet(label))

    async def _answer(self) -> list[Bubble]:
        """What is new: not a copy of what was shown already, and not that it will be answered later."""
        deadline = time.monotonic() + _ANSWERED_WITHIN
        while time.monotonic() < deadline:
            known = {_copy(bubble) for bubble in self.phone.bubbles()[: self.seen][-4:]}
            heard = await _heard(self.phone, self.seen, max(0.1, deadline - time.monotonic()), _SETTLED)
            self.seen += len(heard)
            # Told a second time to come back is no copy: the backend was away again.
            heard = [bubble for bubble in heard if _copy(bubble) not in known or asks_to_come_back(bubble.text)]
            if new := [bubble for bubble in heard if not is_sorry(bubble.text)]:
                return new
        return []


@dataclass
class Officer:
    """Moves every filing on, at the backend itself, for as long as there are people without a number."""

    stand: Stand

    async def live(self, filers: Sequence[Filer]) -> None:
        reached: Counter[str] = Counter()
        while True:
            over = all(filer.number or filer.stuck for filer in filers)
            numbers = [filer.number for filer in filers if filer.number]
            for number in numbers:
                if reached[number] < len(_STEPS) and await self._move(number, _STEPS[reached[number]]):
                    reached[number] += 1
            if over and all(reached[number] == len(_STEPS) for number in numbers):
                return
            await asyncio.sleep(1)

    async def _move(self, number: str, to: str) -> bool:
        """Whether it is there, by this or by an earlier try that we know nothing of."""
        try:
            await self.stand.of_officer(
                "POST", f"filings/{number}/transitions", json={"to": to, "note": "", "officer": "petugas-uji"}
            )
        except aiohttp.ClientResponseError as refused:
            return refused.status == 409
        except (aiohttp.ClientError, TimeoutError):
            return False
        return True


def _copy(bubble: Bubble) -> str | int:
    return bubble.outbox if bubble.outbox is not None else re.sub(r"\s+", " ", bubble.text)
