from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.health import Health
from bot.metrics import Metrics
from bot.store import Store
from bot.watch import Inspect, TokenHolder, Watch

ENDS = datetime(2026, 12, 24, 6, 0, tzinfo=UTC)


class Holder:
    name = "whatsapp"

    def __init__(self, ends: datetime | None) -> None:
        self.ends = ends

    async def token_ends(self) -> datetime | None:
        return self.ends


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


async def _watch(
    metrics: Metrics,
    *,
    folders: Mapping[str, Path] | None = None,
    holders: tuple[TokenHolder, ...] = (),
    inspect: Inspect | None = None,
) -> None:
    """One look at everything, with no part there."""
    store = Store.open("postgresql://praja@127.0.0.1:9/praja", "kunci-uji")
    async with aiohttp.ClientSession() as session:
        health = Health(store, session, {"rasa": ["http://127.0.0.1:9/status"]})
        watch = Watch(metrics, health, folders=folders or {}, holders=holders, inspect=inspect)
        await watch.look_around()
        await watch.look_at_tokens()
        await watch.look_at_invariants()
    await store.engine.dispose()


def _value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_parts_that_do_not_answer_are_named(metrics: Metrics) -> None:
    await _watch(metrics)
    assert {part: _value(metrics, "praja_part_up", part=part) for part in ("database", "rasa")} == {
        "database": 0.0,
        "rasa": 0.0,
    }


async def test_free_space_is_told_by_folder(metrics: Metrics, tmp_path: Path) -> None:
    await _watch(metrics, folders={"home": tmp_path})
    assert (_value(metrics, "praja_disk_free_bytes", folder="home") or 0) > 0


@pytest.mark.parametrize(("ends", "told"), [(ENDS, ENDS.timestamp()), (None, float("inf"))])
async def test_the_end_of_a_token_is_told(metrics: Metrics, ends: datetime | None, told: float) -> None:
    await _watch(metrics, holders=(Holder(ends),))
    assert _value(metrics, "praja_token_ends_timestamp_seconds", channel="whatsapp") == told


async def test_what_may_never_be_is_counted_and_its_end_too(metrics: Metrics) -> None:
    for count in (3, 0):
        await _watch(metrics, inspect=lambda count=count: {("event_lost", "rusak"): count})  # type: ignore[misc]
        assert _value(metrics, "praja_invariant_broken", invariant="event_lost", severity="rusak") == count
