"""A backend that doesn't tell of changes is asked, and its news reaches citizens all the same."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.backend import Backend, BackendDown
from bot.news import News
from bot.notifications import Announcer
from bot.poller import Poller
from bot.states import load_states
from tests.bot.conftest import DATA, Room
from tests.bot.fakes import update
from tests.fakes.backend import TOKEN, FakeBackend

NUMBER = "SDA-2611-7K4QXB"
HOUR = timedelta(hours=1)


@pytest.fixture
async def district() -> AsyncIterator[FakeBackend]:
    async with FakeBackend() as fake:
        yield fake


class Watch:
    """A poller, and one citizen with one filing."""

    def __init__(self, room: Room, district: FakeBackend) -> None:
        self.room = room
        self.district = district
        states = load_states(DATA)
        announcer = Announcer(
            room.store,
            room.texts,
            News(room.texts, {}),
            states,
            {"whatsapp": room.channel},
            {},
            "https://praja.example",
        )
        backend = Backend(room.session, district.url, TOKEN)
        self.poller = Poller(room.store, backend, announcer, states, HOUR)
        self.contact = ""

    async def citizen(self) -> None:
        await self.room.receive(update("1", text="halo"))
        await self.room.work_off()
        self.contact = str(await self.room.value("SELECT id FROM bot.conversations"))

    def files(self, state: str, *steps: tuple[str, str | None], at: datetime | None = None, **more: Any) -> None:
        filing = {
            "number": NUMBER,
            "service": "ktp_hilang",
            "state": state,
            "submitted_at": (at or self.room.clock()).isoformat(),
            "chronology": [{"state": name, "note": note} for name, note in steps],
            **more,
        }
        self.district.filings[self.contact] = [filing]

    async def look(self) -> list[str]:
        """What is told after the next hour."""
        self.room.clock.advance(HOUR)
        before = len(self.room.channel.posted)
        while await self.poller.look():
            pass
        await self.room.work_off()
        return self.room.channel.texts()[before:]


@pytest.fixture
async def watch(room: Room, district: FakeBackend) -> Watch:
    watch = Watch(room, district)
    await watch.citizen()
    return watch


async def test_each_change_is_told_once(watch: Watch) -> None:
    watch.files("Baru", ("Baru", None))
    assert await watch.look() == []
    watch.files("Sedang diproses", ("Baru", None), ("Sedang diproses", None))
    (told,) = await watch.look()
    assert NUMBER in told
    assert "sedang diproses petugas" in told
    assert await watch.look() == []
    steps = (("Baru", None), ("Sedang diproses", None), ("Revisi", "Segera."))
    watch.files("Revisi", *steps, fix=[{"document": "kk", "reason": "terpotong"}])
    (told,) = await watch.look()
    assert "- kk: terpotong" in told
    assert "Catatan petugas: Segera." in told
    # Mended and sent back again: the same state, but news.
    watch.files("Revisi", *steps, ("Baru", None), ("Revisi", "Masih kabur."))
    (told,) = await watch.look()
    assert "Masih kabur." in told


async def test_what_was_there_before_we_looked_is_no_news(watch: Watch) -> None:
    watch.files("Ditolak", ("Baru", None), ("Ditolak", None), at=watch.room.clock() - timedelta(days=9))
    assert await watch.look() == []


async def test_a_filing_made_and_done_between_two_looks_is_told(watch: Watch) -> None:
    assert await watch.look() == []
    watch.room.clock.advance(timedelta(minutes=1))
    await watch.room.receive(update("2", text="ajukan"))
    await watch.room.work_off()
    watch.files("Approved", ("Baru", None), ("Approved", None))
    (told,) = await watch.look()
    assert "disetujui" in told


async def test_only_who_has_something_under_way_is_asked_about(watch: Watch) -> None:
    await watch.look()
    assert len(watch.district.asked) == 1
    await watch.look()
    assert len(watch.district.asked) == 1
    await watch.room.receive(update("2", text="lagi"))
    watch.files("Baru", ("Baru", None))
    await watch.look()
    await watch.look()
    assert len(watch.district.asked) == 3
    watch.files("Selesai", ("Baru", None), ("Selesai", None))
    await watch.look()
    await watch.look()
    assert len(watch.district.asked) == 4


async def test_a_backend_in_trouble_is_asked_again(watch: Watch) -> None:
    watch.files("Baru", ("Baru", None))
    await watch.look()
    watch.files("Proses", ("Baru", None), ("Proses", None))
    watch.district.trouble = 503
    with pytest.raises(BackendDown):
        await watch.look()
    watch.district.trouble = None
    assert len(await watch.look()) == 1


async def test_one_in_trouble_keeps_nobody_from_being_told(watch: Watch) -> None:
    """Made since the last look and already further: who isn't asked about then hears of it the next time."""
    others = [f"w{number}" for number in range(8)]
    for number, sender in enumerate(others):
        await watch.room.receive(update(f"b{number}", text="halo", bsuid=sender))
    await watch.room.work_off()
    await watch.look()
    watch.room.clock.advance(timedelta(minutes=1))
    for number, sender in enumerate(others):
        await watch.room.receive(update(f"c{number}", text="ajukan", bsuid=sender))
    await watch.room.work_off()
    people = [str(row[0]) for row in await watch.room.rows("SELECT id FROM bot.conversations ORDER BY created_at")]
    for number, contact in enumerate(people[1:]):
        watch.contact = contact
        watch.files("Approved", ("Baru", None), ("Approved", None), number=f"SDA-2611-7K4QX{number}")
    watch.district.refused = set(people[1:3])
    await watch.look()
    told = "SELECT count(*) FROM bot.outbox WHERE kind = 'notification'"
    assert await watch.room.value(told) == 6
    await watch.room.receive(update("d", text="sudah?", bsuid=others[0]))
    watch.district.refused = set()
    await watch.look()
    assert await watch.room.value(told) == 8


async def test_many_in_trouble_do_not_stand_before_the_others(watch: Watch) -> None:
    """Who can't be asked about comes again after a while; a batch is fifty."""
    for number in range(60):
        await watch.room.receive(update(f"b{number}", text="halo", bsuid=f"w{number}"))
    await watch.room.work_off()
    people = [str(row[0]) for row in await watch.room.rows("SELECT id FROM bot.conversations")]
    watch.district.refused = set(people) - {watch.contact}
    # Asked about once, so behind all the new ones.
    await watch.room.rows("UPDATE bot.conversations SET polled_at = created_at WHERE id = :id", id=watch.contact)
    await watch.room.rows("UPDATE bot.conversations SET last_message_at = created_at + interval '1 second'")
    with contextlib.suppress(BackendDown):
        await watch.look()
    with contextlib.suppress(BackendDown):
        await watch.poller.look()
    assert watch.contact in watch.district.asked


async def test_an_odd_filing_spoils_no_other(watch: Watch) -> None:
    watch.files("Baru", ("Baru", None))
    await watch.look()
    watch.files("Proses", ("Baru", None), ("Proses", None))
    watch.district.filings[watch.contact].insert(0, {"number": 7})
    assert len(await watch.look()) == 1
