"""A candidate reads along: what it is given, what becomes of where it differs, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from bot.tables import frames
from console.accounts import Account, Role, add_account
from console.review.label_changes import merge
from console.review.opinions import Label, decide
from console.review.reader import read_along
from console.review.selection import Why, pick
from console.review.shadow import (
    Settled,
    Shadow,
    ShadowRefused,
    compare,
    forget_shadows,
    newest_shadow,
    running,
    start_shadow,
    stop_shadow,
)
from console.tables import reviews
from console.workspace import Workspace
from learning.label_changes import Subject
from tests.bot.fakes import Clock
from tests.console.conftest import PASSWORD, Visit, sign_in
from tests.console.test_review import Talk, reasons

FAKE = Path(__file__).with_name("fake_shadow.py")
NIK = "3515085708909999"


@pytest.fixture
def shadowed(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The same console where a shadow can be started, with models that do well and badly."""
    models = tmp_path / "candidates"
    models.mkdir()
    for name in ("good", "foreign", "broken", "dies"):
        (models / f"{name}.tar.gz").touch()
    settings = replace(workspace.settings, models=models, root=tmp_path, shadow=(sys.executable, str(FAKE)))
    return replace(workspace, settings=settings)


@contextlib.asynccontextmanager
async def reading(
    workspace: Workspace,
) -> AsyncIterator[Callable[[Callable[[Shadow | None], Awaitable[bool]]], Awaitable[None]]]:
    """The console's task runs; what it gives waits for the newest shadow to be as asked."""
    task = asyncio.create_task(read_along(workspace, pause=0.02))

    async def until(holds: Callable[[Shadow | None], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await holds(await newest_shadow(workspace.review)):
                assert not task.done()
                await asyncio.sleep(0.02)

    yield until
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def read(workspace: Workspace, count: int) -> Callable[[Shadow | None], Awaitable[bool]]:
    async def holds(shadow: Shadow | None) -> bool:
        assert shadow is not None
        assert shadow.fault is None
        return (await compare(workspace.review, shadow)).agreed.of == count

    return holds


async def ended(shadow: Shadow | None) -> bool:
    return shadow is not None and shadow.ended_at is not None


async def test_differences_come_to_review_and_nothing_else_does(
    shadowed: Workspace, admin: Account, clock: Clock
) -> None:
    talk = Talk(shadowed)
    await talk.say("sebelum ia mulai", "salam")
    await start_shadow(shadowed, admin, "good.tar.gz")
    same = await talk.say("biaya ktp", "tanya_biaya")
    other = await talk.say(f"NIK saya {NIK} mau ambil", "ambil_hasil", service="ktp_hilang", service_confidence=0.9)
    await talk.say("Siti Aminah", "salam", in_form=True)
    lines = await talk.say("halo\nmin", "salam")
    async with reading(shadowed) as until:
        await until(read(shadowed, 3))
    shadow = await running(shadowed.review)
    assert shadow is not None
    found = await compare(shadowed.review, shadow)
    assert (found.agreed.right, found.agreed.of) == (2, 3)
    assert [(intent, one.right) for intent, one in found.by_intent] == [
        ("ambil_hasil", 0), ("salam", 1), ("tanya_biaya", 1),
    ]  # fmt: skip
    (difference,) = found.differences
    assert difference.text == "NIK saya <nomor> mau ambil"
    assert (difference.live, difference.candidate) == (Label("ambil_hasil", "ktp_hilang"), Label("salam", None))
    await pick(shadowed.review)
    assert await reasons(shadowed, other) == {Why.SHADOW}
    assert await reasons(shadowed, same) == set()
    assert await reasons(shadowed, lines) == set()
    async with shadowed.engine.begin() as connection:
        await connection.execute(update(reviews).values(twice=False))
    await decide(shadowed, admin, [other], Label("salam", None))
    assert (await compare(shadowed.review, shadow)).settled == Settled(candidate_right=1, live_right=0, neither=0)


async def test_the_words_are_forgotten_with_the_message(shadowed: Workspace, admin: Account) -> None:
    await start_shadow(shadowed, admin, "good.tar.gz")
    message = await Talk(shadowed).say("alamat saya rahasia", "ambil_hasil")
    async with reading(shadowed) as until:
        await until(read(shadowed, 1))
    async with shadowed.engine.begin() as connection:
        await connection.execute(update(frames).where(frames.c.inbox == message).values(text=None, entities=None))
        kept = (await connection.execute(text("SELECT * FROM console.shadow_answers"))).mappings().one()
    assert "rahasia" not in str(dict(kept))
    shadow = await running(shadowed.review)
    assert shadow is not None
    (difference,) = (await compare(shadowed.review, shadow)).differences
    assert difference.text is None


async def test_a_merged_label_is_no_difference(shadowed: Workspace, admin: Account) -> None:
    await merge(shadowed, admin, Subject.INTENT, "pamit", "salam")
    await start_shadow(shadowed, admin, "good.tar.gz")
    await Talk(shadowed).say("dadah", "pamit")
    async with reading(shadowed) as until:
        await until(read(shadowed, 1))
    shadow = await running(shadowed.review)
    assert shadow is not None
    assert (await compare(shadowed.review, shadow)).agreed.right == 1


@pytest.mark.parametrize(
    ("model", "fault"),
    [("foreign", "program yang lain"), ("broken", "berhenti sendiri"), ("dies", "berhenti sendiri")],
)
async def test_one_that_fails_says_so_and_is_not_started_again(
    shadowed: Workspace, admin: Account, model: str, fault: str
) -> None:
    await start_shadow(shadowed, admin, f"{model}.tar.gz")
    await Talk(shadowed).say("halo", "salam")
    async with reading(shadowed) as until:
        await until(ended)
    shadow = await newest_shadow(shadowed.review)
    assert shadow is not None
    assert fault in str(shadow.fault)


async def test_one_that_has_gone_live_ends(shadowed: Workspace, admin: Account) -> None:
    await start_shadow(shadowed, admin, "good.tar.gz")
    await Talk(shadowed).say("halo", "salam", model="good.tar.gz")
    async with reading(shadowed) as until:
        await until(ended)
    shadow = await newest_shadow(shadowed.review)
    assert shadow is not None
    assert shadow.fault == "Model ini sudah menjawab warga sendiri."


async def test_of_two_consoles_one_reads(shadowed: Workspace, admin: Account) -> None:
    await start_shadow(shadowed, admin, "good.tar.gz")
    await Talk(shadowed).say("halo", "salam")
    async with reading(shadowed) as until, reading(shadowed):
        await until(read(shadowed, 1))
        await stop_shadow(shadowed, admin)
        await until(ended)
    assert await running(shadowed.review) is None


async def test_long_after_its_end_it_is_forgotten(shadowed: Workspace, admin: Account, clock: Clock) -> None:
    await start_shadow(shadowed, admin, "good.tar.gz")
    await stop_shadow(shadowed, admin)
    await forget_shadows(shadowed.review)
    assert await newest_shadow(shadowed.review) is not None
    clock.advance(timedelta(days=91))
    await forget_shadows(shadowed.review)
    assert await newest_shadow(shadowed.review) is None


@pytest.mark.parametrize("model", ["", "none.tar.gz", "../fake_shadow.py"])
async def test_what_is_no_model_is_refused(shadowed: Workspace, admin: Account, model: str) -> None:
    with pytest.raises(ShadowRefused):
        await start_shadow(shadowed, admin, model)


async def test_an_admin_starts_and_ends_it(visit: Visit, workspace: Workspace, admin: Account, clock: Clock) -> None:
    await add_account(workspace, "bos", "Bu Penyelia", Role.SUPERVISOR, ["dispendukcapil"], PASSWORD)
    visitor = await visit()
    token = await sign_in(visitor, "bos", clock)
    assert "Belum ada calon" in await (await visitor.get("/console/tinjauan/bayangan")).text()
    assert (await visitor.post("/console/tinjauan/bayangan/mulai", data={"csrf": token, "model": "x"})).status == 403
    visitor = await visit()
    token = await sign_in(visitor, "kepala", clock)
    refused = await visitor.post("/console/tinjauan/bayangan/mulai", data={"csrf": token, "model": "x"})
    assert (refused.status, 'role="alert"' in await refused.text()) == (409, True)
    assert (await visitor.post("/console/tinjauan/bayangan/berhenti", data={"csrf": token})).status == 200
