from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert

from bot.tables import conversations, frames, inbox, metadata
from learning.live_model import Change, Kind, LiveModel
from praja.database import with_driver
from praja.probation import Comparison, Observation, Probation, Tally, observe, probation
from tests.fakes.tables import empty_tables, make_tables

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
RULES = Probation.read(ROOT / "data")


@pytest.fixture
def engine(postgres_server: str) -> Iterator[Engine]:
    address = make_tables(postgres_server, metadata)
    empty_tables(address, metadata)
    engine = create_engine(with_driver(address))
    yield engine
    engine.dispose()


class Citizens:
    """What came of their messages, each in a conversation of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answered(self, model: str, at: datetime, count: int, lost: int = 0) -> None:
        for number in range(count):
            key = self._write(at, answered_at=at, outcome="answered")
            with self._engine.begin() as connection:
                connection.execute(insert(frames).values(inbox=key, model=model, understood=number >= lost))

    def waiting(self, at: datetime, count: int, attempts: int = 2) -> None:
        for _ in range(count):
            self._write(at, attempts)

    def given_up(self, at: datetime, count: int) -> None:
        for _ in range(count):
            self._write(at, answered_at=at, outcome="given_up")

    def _write(self, at: datetime, attempts: int = 0, **more: object) -> int:
        conversation = uuid.uuid4()
        message = {"channel": "simulator", "conversation": conversation, "received_at": at}
        with self._engine.begin() as connection:
            connection.execute(
                insert(conversations).values(
                    id=conversation, channel="simulator", created_at=at, attempts=attempts, served_at=at
                )
            )
            key: int = connection.execute(
                insert(inbox).values(external_id=str(uuid.uuid4()), **message, **more).returning(inbox.c.id)
            ).scalar_one()
            if attempts:
                # Behind the message that fails: it wasn't tried yet.
                connection.execute(insert(inbox).values(external_id=str(uuid.uuid4()), **message))
        return key


@pytest.fixture
def citizens(engine: Engine) -> Citizens:
    return Citizens(engine)


EARLIER, LATER = NOW - timedelta(minutes=5), NOW + timedelta(minutes=1)


def test_what_is_counted(engine: Engine, citizens: Citizens) -> None:
    citizens.answered("old", EARLIER, 12, lost=3)
    citizens.waiting(EARLIER, 2)
    citizens.given_up(EARLIER, 1)
    # A turn that began before ends with the model before.
    citizens.answered("old", NOW + timedelta(seconds=1), 1, lost=1)
    citizens.waiting(LATER, 1)
    citizens.waiting(LATER, 4, attempts=1)
    citizens.answered("new", LATER, 8, lost=5)
    citizens.waiting(LATER + timedelta(minutes=1), 1)
    assert observe(engine, "new", NOW) == Observation(
        Comparison(Tally(12, 3), Tally(8, 5)), Comparison(Tally(15, 3), Tally(11, 2))
    )


def test_a_model_that_answers_nobody_has_to_go(engine: Engine, citizens: Citizens) -> None:
    citizens.answered("old", EARLIER, 40)
    citizens.waiting(LATER, 7)
    why = observe(engine, "new", NOW).verdict(RULES)
    assert why == "7 dari 7 pesan gagal dijawab berulang kali, sebelumnya 0 dari 30"


def test_a_model_that_answers_some_not_has_to_go(engine: Engine, citizens: Citizens) -> None:
    citizens.answered("old", EARLIER, 80)
    for minute in range(4):
        citizens.answered("new", LATER + timedelta(minutes=minute), 20)
        citizens.waiting(LATER + timedelta(minutes=minute, seconds=20), 3)
    assert observe(engine, "new", NOW).verdict(RULES) is not None


def test_it_may_stay_in_an_outage_of_before(engine: Engine, citizens: Citizens) -> None:
    citizens.answered("old", EARLIER, 80)
    citizens.waiting(EARLIER, 25)
    citizens.given_up(EARLIER, 5)
    citizens.waiting(LATER, 20)
    assert observe(engine, "new", NOW).verdict(RULES) is None


def test_it_may_stay_in_an_outage_that_comes_after_it_has_answered_well(engine: Engine, citizens: Citizens) -> None:
    citizens.answered("old", EARLIER, 40)
    citizens.answered("new", LATER, RULES.fewest)
    citizens.waiting(LATER + timedelta(minutes=1), 20)
    assert observe(engine, "new", NOW).verdict(RULES) is None
    # It's over, and not everything has been tried again yet.
    citizens.answered("new", LATER + timedelta(minutes=2), 5)
    assert observe(engine, "new", NOW).verdict(RULES) is None


LOST, FINE = Comparison(Tally(200, 10), Tally(40, 14)), Comparison(Tally(200, 10), Tally(40, 2))
FAILING = Comparison(Tally(40, 0), Tally(40, RULES.failing + 1))
ANSWERED = Comparison(Tally(40, 0), Tally(40, 0))


@pytest.mark.parametrize(
    ("observation", "why"),
    [
        (Observation(FINE, ANSWERED), None),
        (Observation(LOST, ANSWERED), "14 dari 40 pesan tidak dipahami, sebelumnya 10 dari 200"),
        (Observation(Comparison(Tally(200, 10), Tally(RULES.fewest - 1, 20)), ANSWERED), None),
        # Within chance: so few were asked before.
        (Observation(Comparison(Tally(8, 1), Tally(30, 10)), ANSWERED), None),
        # Nothing to compare with.
        (Observation(Comparison(Tally(0, 0), Tally(40, 30)), ANSWERED), None),
        (Observation(FINE, FAILING), "6 dari 40 pesan gagal dijawab berulang kali, sebelumnya 0 dari 40"),
        (Observation(FINE, Comparison(Tally(40, 0), Tally(40, RULES.failing))), None),
        (Observation(FINE, Comparison(Tally(40, 4), Tally(40, 6))), None),
        (
            Observation(FINE, FAILING, well=RULES.fewest - 1),
            "6 dari 40 pesan gagal dijawab berulang kali, sebelumnya 0 dari 40",
        ),
        (Observation(FINE, FAILING, well=RULES.fewest), None),
        # That nothing is answered now says nothing of what was.
        (Observation(LOST, FAILING, well=RULES.fewest), "14 dari 40 pesan tidak dipahami, sebelumnya 10 dari 200"),
        (Observation(Comparison(Tally(0, 0), Tally(0, 0)), Comparison(Tally(0, 0), Tally(0, 0))), None),
    ],
)
def test_when_it_has_to_go(observation: Observation, why: str | None) -> None:
    assert observation.verdict(RULES) == why


class Watched:
    """A model `new` that went live at NOW for ten minutes, and what is seen of it, a minute at a time."""

    def __init__(self, models: Path, *seen: Observation) -> None:
        self.live = LiveModel(models)
        for name in ("old", "new"):
            (models / f"{name}.tar.gz").touch()
        self.live.set(models / "old.tar.gz", NOW, Kind.FIRST)
        self.live.set(models / "new.tar.gz", NOW, Kind.PROMOTED, watched_until=NOW + timedelta(minutes=10))
        self.seen = iter(seen)
        self.minutes = itertools.count()
        self.sent_back: list[tuple[str, str]] = []

    async def probation(self) -> str | None:
        return await probation(self.live, RULES, lambda change: next(self.seen), self._send_back, self._clock, pause=0)

    def _clock(self) -> datetime:
        return NOW + timedelta(minutes=next(self.minutes))

    async def _send_back(self, change: Change, why: str) -> None:
        self.sent_back.append((change.model, why))


GOOD, BAD = Observation(FINE, ANSWERED), Observation(Comparison(Tally(200, 10), Tally(80, 40)), ANSWERED)


async def test_it_goes_in_the_minute_it_shows(tmp_path: Path) -> None:
    watched = Watched(tmp_path, GOOD, GOOD, BAD)
    why = await watched.probation()
    assert why == "40 dari 80 pesan tidak dipahami, sebelumnya 10 dari 200"
    assert watched.sent_back == [("new.tar.gz", why)]


async def test_it_stays_when_its_minutes_are_over(tmp_path: Path) -> None:
    watched = Watched(tmp_path, *[GOOD] * 10)
    assert await watched.probation() is None
    assert (list(watched.seen), watched.sent_back) == ([], [])


async def test_another_process_goes_on_where_one_has_died(tmp_path: Path) -> None:
    watched = Watched(tmp_path, GOOD, GOOD, BAD)
    first = asyncio.create_task(watched.probation())
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    watched.minutes = itertools.count(5)
    watched.seen = iter([GOOD, BAD])
    assert await watched.probation() is not None


async def test_when_another_model_takes_its_place_nothing_is_left_to_watch(tmp_path: Path) -> None:
    watched = Watched(tmp_path, BAD)
    watched.live.set(tmp_path / "old.tar.gz", NOW, Kind.ROLLED_BACK)
    assert await watched.probation() is None
    assert watched.sent_back == []
