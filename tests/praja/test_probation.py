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
from praja.probation import Observation, Probation, Tally, observe, probation
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


def write(engine: Engine, model: str, at: datetime, count: int, lost: int, attempts: int = 0) -> None:
    with engine.begin() as connection:
        conversation = uuid.uuid4()
        connection.execute(
            insert(conversations).values(id=conversation, channel="simulator", created_at=at, attempts=attempts)
        )
        for number in range(count):
            key = connection.execute(
                insert(inbox)
                .values(
                    channel="simulator", external_id=str(uuid.uuid4()), conversation=conversation, received_at=at,
                    answered_at=at,
                )
                .returning(inbox.c.id)
            ).scalar_one()  # fmt: skip
            connection.execute(insert(frames).values(inbox=key, model=model, understood=number >= lost))


def test_what_is_counted(engine: Engine) -> None:
    write(engine, "old", NOW - timedelta(hours=1), 12, 3)
    write(engine, "new", NOW + timedelta(minutes=1), 8, 5, attempts=2)
    # A turn that began before ends with the model before.
    write(engine, "old", NOW + timedelta(seconds=1), 1, 1)
    assert observe(engine, "new", NOW) == Observation(Tally(12, 3), Tally(8, 5), 1)


@pytest.mark.parametrize(
    ("observation", "why"),
    [
        (Observation(Tally(200, 10), Tally(40, 2), 0), None),
        (Observation(Tally(200, 10), Tally(40, 14), 0), "14 dari 40 pesan tidak dipahami, sebelumnya 10 dari 200"),
        (Observation(Tally(200, 10), Tally(RULES.fewest - 1, 20), 0), None),
        # Within chance: so few were asked before.
        (Observation(Tally(8, 1), Tally(30, 10), 0), None),
        # Nothing to compare with.
        (Observation(Tally(0, 0), Tally(40, 30), 0), None),
        (Observation(Tally(200, 10), Tally(0, 0), RULES.failing), None),
        (Observation(Tally(200, 10), Tally(0, 0), RULES.failing + 1), "6 percakapan gagal dijawab berulang kali"),
        (Observation(Tally(0, 0), Tally(0, 0), 0), None),
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


GOOD, BAD = Observation(Tally(200, 10), Tally(40, 2), 0), Observation(Tally(200, 10), Tally(80, 40), 0)


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
