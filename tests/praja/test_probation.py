from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert

from bot.tables import conversations, frames, inbox, metadata
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


async def test_it_goes_in_the_minute_it_shows() -> None:
    good, bad = Observation(Tally(200, 10), Tally(40, 2), 0), Observation(Tally(200, 10), Tally(80, 40), 0)
    minutes = itertools.count()
    seen = iter([good, good, bad])
    why = await probation(RULES, lambda: next(seen), clock=lambda: next(minutes) * 60.0, pause=0)
    assert why is not None
    assert "40 dari 80" in why


async def test_it_stays_when_its_minutes_are_over() -> None:
    good, minutes = Observation(Tally(200, 10), Tally(40, 2), 0), itertools.count()
    assert await probation(RULES, lambda: good, clock=lambda: next(minutes) * 60.0, pause=0) is None
