"""Whatever citizens, officers, workers and time do, in whatever order and at once: one holder, a silent bot, nothing lost."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Row

from bot.channel import Address, Outgoing
from bot.desk import states
from bot.desk.keeper import Keeper
from bot.desk.officer import DeskRefused, Officer
from bot.desk.room import DeskRoom
from bot.desk.speech import say
from bot.desk.transcript import transcript
from bot.tables import metadata
from tests.bot.conftest import Room
from tests.bot.desk.people import DEWI, wants_person
from tests.bot.fakes import PaperChannel, update
from tests.fakes.rasa import FakeRasa
from tests.fakes.tables import empty_tables

PEOPLE = ("ID.1", "ID.2")
OFFICERS = tuple(Officer(name, name.capitalize(), None) for name in ("ani", "beni", "citra"))
ACTS = ("claim", "renew", "release", "transfer", "hand_to", "reassign", "requeue", "close", "say", "take_over")

person = st.sampled_from(PEOPLE)
officer = st.sampled_from(OFFICERS)
act = st.tuples(st.sampled_from(ACTS), officer, person)


@dataclass
class Watched(PaperChannel):
    looks: Callable[[int], Awaitable[None]] | None = None

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        if self.looks and message.tag:
            await self.looks(int(message.tag))
        return await super().send(to, message)


class DeskMachine(RuleBasedStateMachine):
    url: str

    @initialize()
    def start(self) -> None:
        empty_tables(self.url, metadata)
        self.loop = asyncio.Runner()
        self.count = 0
        self.spoke_over: list[str] = []
        self.loop.run(self._open())

    async def _open(self) -> None:
        self.session = aiohttp.ClientSession()
        self.rasa = await FakeRasa().__aenter__()
        self.rasa.answer = wants_person
        self.room = Room(self.url, self.session, self.rasa.url)
        self.room.channel = Watched()
        self.room.channel.looks = self._look
        self.desk: DeskRoom = self.room.desk()
        self.keeper = Keeper(self.desk)
        self.known: dict[str, uuid.UUID] = {}

    async def _look(self, message: int) -> None:
        """Nothing changes hands while this machine's sender runs, so the bot may speak only where it has the conversation."""
        over = await self.room.rows(
            "SELECT o.id FROM bot.outbox o JOIN bot.conversations c ON c.id = o.conversation"
            " WHERE o.id = :message AND o.kind = 'bot' AND c.handler <> 'bot'",
            message=message,
        )
        self.spoke_over += [str(row) for row in over]

    # What happens.

    @rule(name=person, text=st.sampled_from(["halo", "halo", "petugas", "petugas", "bot"]), times=st.integers(1, 3))
    def citizen_writes(self, name: str, text: str, times: int) -> None:
        self.loop.run(self._write(name, *[text] * times))

    async def _write(self, name: str, *texts: str) -> None:
        updates = []
        for text in texts:
            self.count += 1
            updates.append(update(f"m{self.count}", bsuid=name, text=text))
        await self.room.receive(*updates)
        self.known[name] = await self.room.value(
            "SELECT conversation FROM bot.inbox WHERE external_id = :last", last=f"m{self.count}"
        )

    @rule(name=person, who=st.permutations(OFFICERS))
    def citizen_asks_and_all_claim(self, name: str, who: list[Officer]) -> None:
        self.loop.run(self._asked_and_claimed(name, who))

    async def _asked_and_claimed(self, name: str, who: list[Officer]) -> None:
        await self._write(name, "petugas")
        await self._answer()
        await self._race(self.known[name], who)

    @rule(name=person, one=officer)
    def taken_over_before_the_answer_is_sent(self, name: str, one: Officer) -> None:
        self.loop.run(self._taken_over(name, one))

    async def _taken_over(self, name: str, one: Officer) -> None:
        await self._write(name, "halo")
        await self._answer()
        await self._act("take_over", one, name)
        await self._send()

    @rule()
    def workers_answer(self) -> None:
        self.loop.run(self._answer())

    async def _answer(self) -> None:
        """Two of them, so that they too compete."""
        async with self.room.at_work(self.room.worker(self.desk), self.room.worker(self.desk)):
            await self.room.until(self._answered)

    async def _answered(self) -> bool:
        return bool(await self.room.value("SELECT count(*) = 0 FROM bot.inbox WHERE answered_at IS NULL"))

    @rule()
    def sender_sends(self) -> None:
        self.loop.run(self._send())

    async def _send(self) -> None:
        async with self.room.at_work(self.room.sender()):
            await self.room.until(self._sent)

    async def _sent(self) -> bool:
        return bool(await self.room.value("SELECT count(*) = 0 FROM bot.outbox WHERE state = 'queued'"))

    @rule(acts=st.lists(act, min_size=2, max_size=6), answering=st.booleans())
    def officers_act_at_once(self, acts: list[tuple[str, Officer, str]], answering: bool) -> None:
        self.loop.run(self._at_once(acts, answering=answering))

    async def _at_once(self, acts: list[tuple[str, Officer, str]], *, answering: bool) -> None:
        works: list[Awaitable[object]] = [self._act(*one) for one in acts if one[2] in self.known]
        if answering:
            works.append(self._answer())
        await asyncio.gather(*works, self.keeper.once())

    async def _race(self, conversation: uuid.UUID, who: list[Officer]) -> None:
        results = await asyncio.gather(
            *(states.claim(self.desk, one, conversation) for one in who), return_exceptions=True
        )
        assert sum(isinstance(result, states.Lease) for result in results) <= 1
        assert all(isinstance(result, states.Lease | DeskRefused) for result in results)

    async def _act(self, act: str, officer: Officer, name: str) -> None:
        conversation = self.known[name]
        colleague = OFFICERS[(OFFICERS.index(officer) + 1) % len(OFFICERS)]
        match act:
            case "claim":
                work: Awaitable[Any] = states.claim(self.desk, officer, conversation)
            case "renew":
                work = states.renew(self.desk, officer, conversation)
            case "release":
                work = states.release(self.desk, officer, conversation)
            case "transfer":
                work = states.transfer(self.desk, officer, conversation, agency="dinsos", note="")
            case "hand_to":
                work = states.hand_to(self.desk, officer, conversation, colleague=colleague, note="")
            case "reassign":
                work = states.reassign(self.desk, officer, conversation, colleague=colleague, note="")
            case "requeue":
                work = states.reassign(self.desk, officer, conversation, colleague=None, note="")
            case "close":
                work = states.close(self.desk, officer, conversation)
            case "say":
                work = say(self.desk, officer, conversation, f"kata {officer.id}")
            case _:
                work = states.take_over(self.desk, officer, conversation, agency="umum")
        try:
            await work
        except DeskRefused as refused:
            assert refused.sentence  # noqa: PT017 to be refused is no failure

    @rule(seconds=st.sampled_from([20, 61, 400, 3700]))
    def time_passes(self, seconds: int) -> None:
        self.room.clock.advance(timedelta(seconds=seconds))
        self.loop.run(self._keep())

    async def _keep(self) -> None:
        while await self.keeper.once():
            pass

    # What always holds.

    @invariant()
    def states_agree(self) -> None:
        if hasattr(self, "room"):
            self.loop.run(self._states_agree())

    async def _states_agree(self) -> None:
        for row in await self.room.rows("SELECT handler, officer, handoff, officer_lease_until FROM bot.conversations"):
            assert (row.handler != "bot") == (row.handoff is not None), row
            assert (row.handler == "officer") == (row.officer is not None), row
            assert (row.handler == "officer") == (row.officer_lease_until is not None), row
        adrift = await self.room.rows(
            "SELECT h.id FROM bot.handoffs h JOIN bot.conversations c ON c.id = h.conversation"
            " WHERE (h.closed_at IS NULL) <> (c.handoff IS NOT DISTINCT FROM h.id)"
        )
        assert adrift == []

    @invariant()
    def there_is_one_holder(self) -> None:
        if hasattr(self, "room"):
            holders: dict[int, str | None] = {}
            for event in self.loop.run(self.room.rows("SELECT * FROM bot.handoff_events ORDER BY id")):
                holders[event.handoff] = _holder_after(event, holders.get(event.handoff))

    @invariant()
    def the_bot_spoke_over_nobody(self) -> None:
        assert not getattr(self, "spoke_over", [])

    @invariant()
    def every_message_is_in_the_transcript(self) -> None:
        if hasattr(self, "room"):
            self.loop.run(self._all_visible())

    async def _all_visible(self) -> None:
        written = Counter(
            {row[0]: row[1] for row in await self.room.rows("SELECT conversation, count(*) FROM bot.inbox GROUP BY 1")}
        )
        for conversation, count in written.items():
            lines = await transcript(self.desk, DEWI, conversation, most=1000)
            assert sum(line.side == "citizen" for line in lines) == count

    # How it ends: everybody comes back to the bot.

    def teardown(self) -> None:
        if hasattr(self, "room"):
            try:
                self.loop.run(self._everybody_comes_back())
            finally:
                self.loop.run(self._close())
                self.loop.close()

    async def _everybody_comes_back(self) -> None:
        await self.room.work_off()
        self.room.clock.advance(timedelta(hours=1))
        await self._keep()
        self.room.clock.advance(timedelta(days=8))
        await self._keep()
        assert await self.room.rows("SELECT id FROM bot.conversations WHERE handler <> 'bot'") == []
        await self.room.work_off()
        self.room.channel.posted.clear()
        for name in self.known:
            await self._write(name, "apa kabar")
        await self.room.work_off()
        assert self.room.channel.texts().count("Jawaban: apa kabar") == len(self.known)

    async def _close(self) -> None:
        await self.room.store.engine.dispose()
        await self.rasa.__aexit__(None, None, None)
        await self.session.close()


def _holder_after(event: Row[Any], holder: str | None) -> str | None:
    match event.kind:
        case "claimed":
            assert holder is None, "claimed while somebody held it"
            return str(event.officer)
        case "released" | "transferred" | "lapsed":
            assert holder == event.officer, "given back by somebody else"
            return None
        case "handed_over":
            assert holder == event.officer, "handed over by somebody else"
            return str(event.colleague)
        case "reassigned":
            return event.colleague and str(event.colleague)
        case "closed":
            assert event.officer in (holder, None), "closed by somebody else"
            return None
    return holder


def _run(url: str, examples: int, steps: int, *, derandomize: bool) -> None:
    """A failure is shown as found: to shrink one takes many minutes."""

    class Machine(DeskMachine):
        pass

    Machine.url = url
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=derandomize,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_desk_never_goes_wrong(bot_database: str) -> None:
    _run(bot_database, examples=6, steps=10, derandomize=True)


@pytest.mark.verify
def test_the_desk_never_goes_wrong_for_long(bot_database: str) -> None:
    _run(bot_database, examples=40, steps=20, derandomize=False)
