"""Board and reports."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from bot.desk.hours import LOCAL_TIME, Hours, read_week
from bot.desk.standard import Level, Standard
from bot.tables import conversations, handoffs, inbox
from console.accounts import Account
from console.workspace import Workspace
from tests.backend.conftest import Client
from tests.bot.fakes import Clock
from tests.console.conftest import Visit, sign_in
from tests.console.test_desk import waiting

WEEKDAYS = dict.fromkeys(("senin", "selasa", "rabu", "kamis", "jumat"), "07.30-16.00")
NOON = dict.fromkeys(WEEKDAYS, "12.00-13.00")


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-11-24T09:00+07:00", "2026-11-24T09:20+07:00", 20),
        ("2026-11-24T11:50+07:00", "2026-11-24T13:10+07:00", 20),
        ("2026-11-24T15:50+07:00", "2026-11-25T07:40+07:00", 20),
        ("2026-11-27T15:50+07:00", "2026-11-30T07:40+07:00", 20),
        ("2026-12-23T15:50+07:00", "2026-12-28T07:40+07:00", 20),
        ("2026-11-28T09:00+07:00", "2026-11-29T09:00+07:00", 0),
        ("2026-11-24T10:00+07:00", "2026-11-24T09:00+07:00", 0),
    ],
)
def test_working_time_leaves_out_noon_nights_weekends_and_holidays(start: str, end: str, minutes: int) -> None:
    hours = Hours(read_week(WEEKDAYS), read_week(NOON))
    between = hours.open_between(datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert between == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "level"), [(0, Level.FINE), (20, Level.SOON), (30, Level.LATE), (60, Level.RAISED)]
)
def test_levels_of_the_standard(minutes: int, level: Level) -> None:
    standard = Standard(*(timedelta(minutes=n) for n in (30, 20, 60)))
    assert standard.level(timedelta(minutes=minutes)) is level


async def test_the_board_shows_who_waits_and_only_to_supervisors(
    visit: Visit, officer: Account, supervisor: Account, workspace: Workspace, clock: Clock
) -> None:
    await waiting(workspace)
    mine, hers = await visit(), await visit()
    await sign_in(mine, "rina", clock)
    assert (await mine.get("/console/papan")).status == 403
    assert (await mine.get("/console/laporan")).status == 403
    await sign_in(hers, "bos", clock)
    assert "Minta petugas" in await (await hers.get("/console/papan")).text()


async def test_a_report_of_what_happened(visit: Visit, supervisor: Account, workspace: Workspace, clock: Clock) -> None:
    morning = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    clock.advance(morning + timedelta(hours=5) - clock())
    ids = [uuid.uuid4() for _ in range(4)]
    async with workspace.engine.begin() as connection:
        await connection.execute(
            insert(conversations), [{"id": one, "channel": "whatsapp", "created_at": morning} for one in ids]
        )
        await connection.execute(
            insert(inbox),
            [
                {
                    "channel": "whatsapp",
                    "external_id": str(one),
                    "conversation": one,
                    "raw": b"",
                    "received_at": morning,
                }
                for one in ids
            ],
        )
        await connection.execute(
            insert(handoffs).values(
                conversation=ids[0], reason="marah", agency="dispendukcapil", requested_at=morning,
                claimed_at=morning, answered_at=morning + timedelta(minutes=12),
                closed_at=morning + timedelta(minutes=30),
            )
        )  # fmt: skip
    visitor = await visit()
    await sign_in(visitor, "bos", clock)
    page = await (await visitor.get("/console/laporan?days=7")).text()
    assert "<strong>75 %</strong>" in page
    assert "12 menit" in page
    exported = await visitor.get("/console/laporan.csv?days=7")
    assert exported.content_type == "text/csv"
    _, line = (await exported.text()).splitlines()
    assert line.endswith(",1,1,12.0,12.0,1.000,30.0")
    daily = (await (await visitor.get("/console/laporan-harian.csv?days=7")).text()).splitlines()
    assert daily[1:] == [f"{morning.astimezone(LOCAL_TIME).date()},4,1"]


async def test_every_table_of_the_reports_can_be_taken_along(
    visit: Visit, officer: Account, supervisor: Account, workspace: Workspace, channel: Client, clock: Clock
) -> None:
    await channel.file(contact="orang-1")
    hers, his = await visit(), await visit()
    await sign_in(hers, "bos", clock)
    await sign_in(his, "rina", clock)
    page = await (await hers.get("/console/laporan")).text()
    links = re.findall(r'href="(/console/laporan[-a-z]*\.csv[^"]*)"', page)
    assert len(links) == 3
    for link in (*links, "/console/laporan-harian.csv?days=7"):
        assert (await hers.get(link)).content_type == "text/csv"
        assert (await his.get(link)).status == 403
    satisfaction = await (await hers.get("/console/laporan-kepuasan.csv")).text()
    assert satisfaction.splitlines()[:2] == ["instansi,penilai,ikm,mutu", "Semua,0,,"]
    abandoned = await (await hers.get("/console/laporan-pengisian.csv")).text()
    assert abandoned.splitlines()[1:] == ["Surat uji,1,1,0,,0"]


async def test_reports_of_a_backend_that_is_down_say_so(visit: Visit, supervisor: Account, clock: Clock) -> None:
    visitor = await visit()
    await sign_in(visitor, "bos", clock)
    assert (await visitor.get("/console/laporan")).status == 200
    assert (await visitor.get("/console/laporan-kepuasan.csv")).status == 503
