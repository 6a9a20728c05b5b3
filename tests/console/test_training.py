"""Models from the desk: trained, measured, made live and sent back by `praja` as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from bot.desk.hours import LOCAL_TIME
from console.accounts import Account, Role, add_account
from console.tables import audit
from console.training.keeper import see_probation_through, work
from console.training.room import TrainingRoom
from console.training.runs import (
    Kind,
    Order,
    Run,
    State,
    ask,
    cancel,
    claim,
    current,
    end,
    give_up_the_dead,
    keep,
    recent,
)
from console.training.schedule import Limits, ScheduleUnfit, read_schedule
from console.workspace import Workspace
from learning.live_model import Kind as Change
from learning.live_model import LiveModel
from tests.bot.fakes import Clock
from tests.console.conftest import DATA, PASSWORD, Visit, Visitor, sign_in


@pytest.fixture
def room(workspace: Workspace, tmp_path: Path) -> TrainingRoom:
    """`m1` is live."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "m1.tar.gz").touch()
    LiveModel(models).set(models / "m1.tar.gz", datetime.now(UTC), Change.FIRST)
    return workspace.training


async def worked(room: TrainingRoom) -> Run:
    await work(room)
    return (await recent(room))[0]


def asked_of_praja(room: TrainingRoom) -> list[str]:
    path = room.root / "asked.txt"
    return path.read_text().splitlines() if path.exists() else []


async def under_way(room: TrainingRoom, running: asyncio.Task[None]) -> None:
    """Until it has said something."""
    for _ in range(400):
        run = await current(room)
        if running.done() or (run is not None and run.said):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it says nothing")


async def test_a_training_is_measured_at_once(workspace: Workspace, room: TrainingRoom, admin: Account) -> None:
    assert await ask(workspace, admin, Order(Kind.TRAIN))
    run = await worked(room)
    assert (run.state, run.order.model, run.who) == (State.DONE, "m2.tar.gz", "Kepala Admin")
    assert asked_of_praja(room) == ["train", f"evaluate --candidate {room.models / 'm2.tar.gz'}"]
    assert "melatih model … 0 detik" in run.said


async def test_a_model_that_the_gate_refuses_was_measured(
    workspace: Workspace, room: TrainingRoom, admin: Account
) -> None:
    (room.root / "how.txt").write_text("refuses")
    await ask(workspace, admin, Order(Kind.TRAIN))
    assert (await worked(room)).state is State.DONE


async def test_a_failure_says_why(workspace: Workspace, room: TrainingRoom, admin: Account) -> None:
    (room.root / "how.txt").write_text("fails")
    await ask(workspace, admin, Order(Kind.TRAIN))
    run = await worked(room)
    assert (run.state, run.said[-1], len(asked_of_praja(room))) == (State.FAILED, "Data perlu diperbaiki dulu", 1)


async def test_there_is_one_at_a_time(workspace: Workspace, room: TrainingRoom, admin: Account) -> None:
    asked = await asyncio.gather(*(ask(workspace, admin, Order(Kind.TRAIN)) for _ in range(3)))
    assert sorted(asked) == [False, False, True]
    claimed = await asyncio.gather(*(claim(room, f"proses-{n}") for n in range(3)))
    assert sum(run is not None for run in claimed) == 1
    assert not await ask(workspace, admin, Order(Kind.SEND_BACK))


async def test_cancelled_it_ends_with_all_that_it_started(
    workspace: Workspace, room: TrainingRoom, admin: Account
) -> None:
    (room.root / "how.txt").write_text("slow")
    await ask(workspace, admin, Order(Kind.TRAIN))
    running = asyncio.create_task(work(room))
    await under_way(room, running)
    assert _children() != []
    assert await cancel(workspace, admin)
    await running
    run = (await recent(room))[0]
    assert (run.state, run.is_cancelled, _children()) == (State.CANCELLED, True, [])
    assert not await cancel(workspace, admin)


async def test_what_waits_is_cancelled_at_once(workspace: Workspace, room: TrainingRoom, admin: Account) -> None:
    await ask(workspace, admin, Order(Kind.PROMOTE, "m1.tar.gz"))
    assert await cancel(workspace, admin)
    assert ((await recent(room))[0].state, await claim(room, "x")) == (State.CANCELLED, None)


async def test_a_change_of_the_live_model_is_not_cut_in_the_middle(
    workspace: Workspace, room: TrainingRoom, admin: Account
) -> None:
    await ask(workspace, admin, Order(Kind.PROMOTE, "m1.tar.gz"))
    await claim(room, "x")
    assert not await cancel(workspace, admin)


@pytest.mark.parametrize(
    ("how", "limits", "said"),
    [
        ("hungry", Limits(minutes=1, megabytes=200), "memakai lebih dari 200 MB"),
        ("slow", Limits(minutes=0.01, megabytes=4000), "melewati 0.01 menit"),
    ],
)
async def test_what_takes_too_much_is_ended(
    workspace: Workspace, room: TrainingRoom, admin: Account, how: str, limits: Limits, said: str
) -> None:
    (room.root / "how.txt").write_text(how)
    await ask(workspace, admin, Order(Kind.TRAIN))
    run = await worked(replace(room, schedule=replace(room.schedule, limits=limits)))
    assert (run.state, _children()) == (State.FAILED, [])
    assert said in run.said[-1]


async def test_what_a_dead_process_held_is_cut_off(
    workspace: Workspace, room: TrainingRoom, admin: Account, clock: Clock
) -> None:
    await ask(workspace, admin, Order(Kind.TRAIN))
    run = await claim(room, "mati")
    assert run is not None
    clock.advance(timedelta(seconds=29))
    assert await keep(room, "mati", run.id, ["masih"])
    clock.advance(timedelta(seconds=29))
    await give_up_the_dead(room)
    assert await current(room) is not None
    clock.advance(timedelta(seconds=2))
    await give_up_the_dead(room)
    assert ((await recent(room))[0].state, await current(room)) == (State.CUT_OFF, None)
    # Back from wherever it was, it has nothing to say any more.
    assert not await keep(room, "mati", run.id, ["aku hidup"])
    await end(room, "mati", run.id, State.DONE, [], "m2.tar.gz")
    assert (await recent(room))[0].state is State.CUT_OFF
    assert await ask(workspace, admin, Order(Kind.TRAIN))


async def test_a_console_that_stops_says_so_at_once(workspace: Workspace, room: TrainingRoom, admin: Account) -> None:
    (room.root / "how.txt").write_text("slow")
    await ask(workspace, admin, Order(Kind.TRAIN))
    running = asyncio.create_task(work(room))
    await under_way(room, running)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert ((await recent(room))[0].state, _children()) == (State.CUT_OFF, [])


async def test_the_schedule_asks_once_whoever_looks(room: TrainingRoom, clock: Clock) -> None:
    # A Sunday, 02.10 in Jakarta.
    local = clock().astimezone(LOCAL_TIME)
    sunday = local.date() + timedelta(days=7 - local.weekday() - 1 or 7)
    clock.advance(datetime.combine(sunday, time(2, 10), LOCAL_TIME) - local)
    due = replace(room, schedule=replace(room.schedule, active=True))
    await asyncio.gather(*(work(due) for _ in range(3)))
    await work(due)
    runs = await recent(room)
    assert [(run.state, run.who) for run in runs] == [(State.DONE, None)]


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        (datetime(2026, 11, 28, 18, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 28, 19, 0, tzinfo=UTC), "2026-11-29 02.00"),
        (datetime(2026, 11, 28, 19, 59, tzinfo=UTC), "2026-11-29 02.00"),
        (datetime(2026, 11, 28, 20, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 27, 19, 0, tzinfo=UTC), None),
    ],
)
def test_when_it_is_due(at: datetime, slot: str | None) -> None:
    schedule = replace(read_schedule(DATA), active=True)
    assert schedule.slot(at) == slot
    assert replace(schedule, active=False).slot(at) is None


@pytest.mark.parametrize("line", ["hari: [senen]", "jam: 25.00", "aktif: kadang", "batas: {menit: 0, memori_mb: 1}"])
def test_a_schedule_that_cannot_be_is_a_sentence(tmp_path: Path, line: str) -> None:
    name = line.partition(":")[0]
    text = re.sub(rf"(?m)^{name}:.*$", line, (DATA / "latihan.yml").read_text())
    (tmp_path / "latihan.yml").write_text(text)
    with pytest.raises(ScheduleUnfit, match=re.escape("latihan.yml")):
        read_schedule(tmp_path)


async def test_a_probation_goes_on_whoever_has_died(room: TrainingRoom, clock: Clock) -> None:
    await see_probation_through(room)
    assert asked_of_praja(room) == []
    live = room.live
    live.set(room.models / "m1.tar.gz", clock(), Change.PROMOTED, watched_until=clock() + timedelta(minutes=10))
    await see_probation_through(room)
    assert asked_of_praja(room) == ["watch"]
    clock.advance(timedelta(minutes=11))
    await see_probation_through(room)
    assert asked_of_praja(room) == ["watch"]


async def test_a_change_that_was_cut_off_is_settled(room: TrainingRoom) -> None:
    room.live.unsettle()
    await see_probation_through(room)
    assert (asked_of_praja(room), room.live.is_unsettled) == (["watch"], False)


# Pages.


class Desk:
    def __init__(self, visitor: Visitor, token: str) -> None:
        self._visitor = visitor
        self._token = token

    async def read(self, path: str = "") -> str:
        return await (await self._visitor.get(f"/console/latihan{path}")).text()

    async def press(self, path: str, **form: str) -> tuple[int, str]:
        answer = await self._visitor.post(f"/console/latihan/{path}", data={"csrf": self._token, **form})
        return answer.status, await answer.text()


@pytest.fixture
async def desk(visit: Visit, room: TrainingRoom, admin: Account, clock: Clock) -> Desk:
    visitor = await visit()
    return Desk(visitor, await sign_in(visitor, "kepala", clock))


async def until(desk: Desk, shown: str) -> str:
    """Until the page shows it and nothing is under way: a verdict is there a moment before its run has ended."""
    for _ in range(100):
        if shown in (text := await desk.read()) and 'id="run"' not in text:
            return text
        await asyncio.sleep(0.2)
    raise AssertionError(f"{shown} isn't shown")


def _children() -> list[int]:
    """What this process has started and not ended, but for the database."""
    return [child.pid for child in psutil.Process(os.getpid()).children() if "praja.py" in " ".join(child.cmdline())]


async def test_the_whole_way_by_pages(desk: Desk, room: TrainingRoom, workspace: Workspace) -> None:
    text = await desk.read()
    assert ("Latih model baru" in text, "0 bocor, 0 bertentangan" in text, "m1.tar.gz" in text) == (True, True, True)
    assert (await desk.press("mulai"))[0] == 200
    await until(desk, "lulus gerbang")
    text = await desk.read("/model/m2.tar.gz")
    assert ("biaya (F1)" in text, "98,0 %" in text, "+1,0 poin, bisa kebetulan" in text, "aaaaaaaaaaaa" in text) == (
        True, True, True, True,
    )  # fmt: skip
    assert (await desk.press("model/m2.tar.gz/hidupkan"))[0] == 200
    await until(desk, "Kembali ke m1.tar.gz")
    assert room.live.current() == room.models / "m2.tar.gz"
    assert (await desk.press("kembali", live="m2.tar.gz"))[0] == 200
    text = await until(desk, "hidup lagi")
    assert "dari konsol oleh Kepala Admin" in text
    assert asked_of_praja(room)[-1] == "rollback --reason dari konsol oleh Kepala Admin --only m2.tar.gz"
    assert room.live.current() == room.models / "m1.tar.gz"
    assert await acts(workspace) >= {"memulai pelatihan", "menghidupkan model", "mengembalikan model", "membaca"}


async def test_against_the_gate_only_with_a_reason(desk: Desk, room: TrainingRoom, workspace: Workspace) -> None:
    (room.root / "how.txt").write_text("refuses")
    await desk.press("mulai")
    await until(desk, "ditolak gerbang")
    text = await desk.read("/model/m2.tar.gz")
    assert "lebih buruk, −56,0 poin" in text
    status, text = await desk.press("model/m2.tar.gz/hidupkan")
    assert (status, "belum meluluskan" in text) == (409, True)
    status, text = await desk.press("model/m2.tar.gz/hidupkan", override="1", reason=" ya ")
    assert (status, "Tulis alasannya" in text) == (422, True)
    assert room.live.current() == room.models / "m1.tar.gz"
    await desk.press("model/m2.tar.gz/hidupkan", override="1", reason="layanan baru mendesak")
    await until(desk, "dipaksa: layanan baru mendesak")
    assert room.live.current() == room.models / "m2.tar.gz"
    assert asked_of_praja(room)[-1].endswith("--leave --override layanan baru mendesak")
    assert "memaksa model hidup" in await acts(workspace)


@pytest.mark.parametrize("shown", ["m3.tar.gz", "", None])
async def test_only_back_from_the_model_that_was_shown(
    desk: Desk, room: TrainingRoom, clock: Clock, shown: str | None
) -> None:
    m2, m3 = (room.models / f"{name}.tar.gz" for name in ("m2", "m3"))
    for model in (m2, m3):
        model.touch()
        room.live.set(model, clock(), Change.PROMOTED)
    assert '<input type="hidden" name="live" value="m3.tar.gz">' in await desk.read()
    # By itself, or by a colleague, while the page was being read.
    room.live.set(m2, clock(), Change.ROLLED_BACK)
    status, text = await desk.press("kembali", **({} if shown is None else {"live": shown}))
    assert (status, "Model yang hidup sudah berganti" in text) == (409, True)
    assert (await current(room), room.live.current()) == (None, m2)


async def test_the_part_that_is_asked_for_again_is_empty_while_nothing_differs(desk: Desk) -> None:
    text = await desk.read()
    found = re.search(r"keadaan\?seen=([0-9a-f]{16})", text)
    assert found is not None
    assert await desk.read(f"/keadaan?seen={found[1]}") == ""
    assert found[1] in await desk.read("/keadaan?seen=x")


async def test_a_broken_pointer_is_shown(desk: Desk, room: TrainingRoom) -> None:
    (room.models / "live.json").write_text("{")
    assert "live.json rusak" in await desk.read()


@pytest.mark.parametrize("path", ["model/../../rahasia/ukur", "model/nihil.tar.gz/ukur", "model/nihil.tar.gz/hidupkan"])
async def test_only_what_lies_there_can_be_asked_about(desk: Desk, room: TrainingRoom, path: str) -> None:
    assert (await desk.press(path))[0] in (404, 405)
    assert asked_of_praja(room) == []


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_models_are_the_admins_matter(
    visit: Visit, workspace: Workspace, room: TrainingRoom, clock: Clock, role: Role
) -> None:
    await add_account(workspace, "bukan", "Bukan Admin", role, ["dispendukcapil"], PASSWORD)
    visitor = await visit()
    desk = Desk(visitor, await sign_in(visitor, "bukan", clock))
    assert "Halaman ini untuk admin" in await desk.read()
    for path in ("mulai", "batal", "kembali", "model/m1.tar.gz/ukur", "model/m1.tar.gz/hidupkan"):
        assert (await desk.press(path))[0] == 403
    assert await current(room) is None


async def acts(workspace: Workspace) -> set[str]:
    async with workspace.engine.connect() as connection:
        return set((await connection.scalars(select(audit.c.act))).all())
