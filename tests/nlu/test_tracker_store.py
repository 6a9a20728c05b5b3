from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SessionStarted, UserUttered

from identity import SealBroken
from nlu.tracker_store import SealedTrackerStore, TurnOutdated


@pytest.fixture
def store(database: str, monkeypatch: pytest.MonkeyPatch) -> SealedTrackerStore:
    monkeypatch.setenv("PRAJA_SECRET_KEY", "a-secret")
    return SealedTrackerStore(host=database, domain=Domain.empty())


@pytest.fixture
def sender() -> str:
    return str(uuid.uuid4())


def exchange(text: str) -> list[Event]:
    return [UserUttered(text, {"name": "salam"}), BotUttered(f"re {text}")]


def spoken(events: Any) -> list[Any]:
    return [event.text for event in events if isinstance(event, (UserUttered, BotUttered))]


async def test_only_the_latest_session_is_read(store: SealedTrackerStore, sender: str) -> None:
    await store.append(sender, [SessionStarted(), *exchange("a")], after=0, message_id="1")
    stored = await store.read(sender)
    await store.append(sender, [SessionStarted(), *exchange("b")], after=stored.last_event, message_id="2")
    latest = (await store.read(sender, "3")).tracker
    assert latest is not None
    assert spoken(latest.events) == ["b", "re b"]
    full = await store.retrieve_full_tracker(sender)
    assert full is not None
    assert spoken(full.events) == ["a", "re a", "b", "re b"]


async def test_an_answered_turn_is_found_in_any_session(store: SealedTrackerStore, sender: str) -> None:
    await store.append(sender, [SessionStarted(), *exchange("a")], after=0, message_id="1")
    stored = await store.read(sender)
    await store.append(sender, [SessionStarted(), *exchange("b")], after=stored.last_event, message_id="2")
    answered = (await store.read(sender, "1")).answered
    assert answered is not None
    assert spoken(answered) == ["a", "re a"]


async def test_a_late_second_run_fails(store: SealedTrackerStore, sender: str) -> None:
    await store.append(sender, exchange("a"), after=0, message_id="1")
    with pytest.raises(TurnOutdated):
        await store.append(sender, exchange("a"), after=0, message_id="1")
    stored = await store.read(sender)
    with pytest.raises(TurnOutdated):
        await store.append(sender, exchange("a"), after=stored.last_event, message_id="1")
    assert stored.tracker is not None
    assert len(stored.tracker.events) == 2


async def test_of_several_that_go_on_from_the_same_place_one_does(store: SealedTrackerStore, sender: str) -> None:
    going_on = (store.append(sender, exchange(text), after=0, message_id=text) for text in "abcdefgh")
    outcomes = await asyncio.gather(*going_on, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [TurnOutdated] * 7
    tracker = (await store.read(sender)).tracker
    assert tracker is not None
    assert len(tracker.events) == 2


async def test_a_database_started_anew_is_read_at_once(store: SealedTrackerStore, sender: str) -> None:
    await store.append(sender, exchange("a"), after=0)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid"
    with store.engine.connect() as connection:
        mine = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    another = sa.create_engine(store.engine.url)
    with another.connect() as connection:
        assert connection.execute(sa.text(others), {"pid": mine}).scalar_one()
    another.dispose()
    assert (await store.read(sender)).last_event > 0


async def test_rasas_own_interface(store: SealedTrackerStore, sender: str) -> None:
    tracker = await store.create_tracker(sender)
    tracker.update_with_events(exchange("a"), None)
    await store.save(tracker)
    await store.save(tracker)
    again = await store.retrieve(sender)
    assert again == tracker
    assert sender in await store.keys()


async def test_erase(store: SealedTrackerStore, sender: str) -> None:
    await store.append(sender, exchange("a"), after=0, message_id="1")
    await store.erase(sender)
    stored = await store.read(sender, "1")
    assert (stored.tracker, stored.answered, stored.last_event) == (None, None, 0)


async def test_what_is_older_is_forgotten_in_every_conversation(store: SealedTrackerStore, sender: str) -> None:
    old, new = exchange("a"), exchange("b")
    for events, at in ((old, 1000.0), (new, 2000.0)):
        for event in events:
            event.timestamp = at
    await store.append(sender, [*old], after=0, message_id="1")
    await store.append(sender, [*new], after=(await store.read(sender)).last_event, message_id="2")
    await store.erase_before(1500.0)
    stored = await store.read(sender, "1")
    assert stored.answered is None
    assert stored.tracker is not None
    assert spoken(stored.tracker.events) == ["b", "re b"]
    again = (await store.read(sender, "2")).answered
    assert again is not None
    assert spoken(again) == ["b", "re b"]


async def test_much_that_is_older_is_forgotten_a_part_at_a_time(store: SealedTrackerStore, sender: str) -> None:
    many = """
        INSERT INTO rasa.events (sender_id, type_name, timestamp, data)
        SELECT :sender, 'user', CASE WHEN number < 11000 THEN 1000 ELSE 2000 END, '-' FROM generate_series(1, 12000) AS number
    """
    with store.engine.connect() as connection:
        connection.execute(sa.text(many), {"sender": sender})
        await store.erase_before(1500.0)
        left = connection.execute(
            sa.text("SELECT count(*) FROM rasa.events WHERE sender_id = :sender"), {"sender": sender}
        )
        assert left.scalar_one() == 1001
    await store.erase(sender)


async def test_what_forgetting_looks_for_is_found_by_an_index(store: SealedTrackerStore) -> None:
    """Also in tables that an earlier version made."""
    with store.engine.connect() as connection:
        connection.execute(sa.text("DROP INDEX rasa.events_timestamp"))
        SealedTrackerStore(host=store.engine.url.render_as_string(hide_password=False), domain=Domain.empty())
        names = connection.execute(sa.text("SELECT indexname FROM pg_indexes WHERE schemaname = 'rasa'")).scalars()
        assert "events_timestamp" in set(names)


async def test_another_key_opens_nothing(
    store: SealedTrackerStore, sender: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(sender, exchange("a"), after=0)
    monkeypatch.setenv("PRAJA_SECRET_KEY", "another")
    with pytest.raises(SealBroken):
        await SealedTrackerStore(host=database, domain=Domain.empty()).retrieve(sender)


def test_no_key_no_store(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRAJA_SECRET_KEY", raising=False)
    with pytest.raises(RuntimeError, match="PRAJA_SECRET_KEY"):
        SealedTrackerStore(host=database)
