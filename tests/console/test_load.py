"""Twenty officers on five hundred conversations: how long pages take, and a citizen's word to reach the screen."""

from __future__ import annotations

import asyncio
import random
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psutil
import pytest
from sqlalchemy import text

from bot.desk.states import claim, heard, open_handoff
from bot.inbox import receive
from console.accounts import Role, add_account
from console.scope import officer_of
from console.workspace import Workspace
from tests.bot.fakes import Clock, update
from tests.console.conftest import PASSWORD, Visit, Visitor, sign_in

CONVERSATIONS, OFFICERS, HELD, ROUNDS = 500, 20, 10, 6
PAUSE = 1.0
"""seconds between an officer's pages, and between citizens' messages"""


@pytest.mark.verify
async def test_twenty_officers_on_five_hundred_conversations(
    visit: Visit, workspace: Workspace, backend: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = [
        await add_account(workspace, f"petugas{n}", f"Petugas {n}", Role.OFFICER, ["dispendukcapil"], PASSWORD)
        for n in range(OFFICERS)
    ]
    people = [await _wait(workspace, f"ID.{n}") for n in range(CONVERSATIONS)]
    held = [people[n * HELD : (n + 1) * HELD] for n in range(OFFICERS)]
    for account, mine in zip(accounts, held, strict=True):
        for conversation in mine:
            await claim(workspace.room, officer_of(account), conversation)
    async with workspace.store.single.connect() as connection:
        # As the database does by itself after a while.
        await connection.execute(text("ANALYZE"))
    visitors = [await visit() for _ in accounts]
    for visitor, account in zip(visitors, accounts, strict=True):
        await sign_in(visitor, account.username, clock)

    spent: dict[str, list[float]] = defaultdict(list)
    written: dict[uuid.UUID, float] = {}
    seen: list[float] = []
    screens = [
        asyncio.create_task(_screen(visitor, mine[0], spent, written, seen))
        for visitor, mine in zip(visitors, held, strict=True)
    ]
    await asyncio.sleep(1)
    citizens = asyncio.create_task(_citizens(workspace, [mine[0] for mine in held], written))
    await asyncio.gather(*(_work(visitor, mine, spent) for visitor, mine in zip(visitors, held, strict=True)))
    citizens.cancel()
    await asyncio.sleep(2)
    for screen in screens:
        screen.cancel()
    await asyncio.gather(citizens, *screens, return_exceptions=True)

    memory = psutil.Process().memory_info().rss / 2**20
    table = [f"{'halaman':12} {'banyaknya':>9} {'median':>8} {'p95':>8}  (ms)"]
    for name, times in [*sorted(spent.items()), ("ke layar", seen)]:
        table.append(f"{name:12} {len(times):9} {_ms(times, 0.5):8} {_ms(times, 0.95):8}")
    table.append(f"paling lama ke layar {_ms(seen, 1)} ms; memori {memory:.0f} MiB (server, backend, peramban tiruan)")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(table) + "\n")
    assert len(seen) >= ROUNDS - 3
    assert max(seen) < 1
    for name, times in spent.items():
        assert _ms(times, 0.95) < 200, name


async def _wait(workspace: Workspace, who: str) -> uuid.UUID:
    """Somebody who wrote three messages, and waits."""
    room = workspace.room
    words = ("min, ktp saya hilang", "mau ngurus lagi gimana ya", "tolong petugas")
    await receive(
        room.store, "whatsapp", [update(f"wamid.{uuid.uuid4()}", bsuid=who, text=sentence) for sentence in words]
    )
    async with room.store.engine.begin() as connection:
        conversation = await connection.scalar(text("SELECT conversation FROM bot.inbox ORDER BY id DESC LIMIT 1"))
        assert isinstance(conversation, uuid.UUID)
        await open_handoff(
            connection, room, conversation, reason="diminta", service="ktp_hilang", since=room.store.clock()
        )
    return conversation


async def _citizens(workspace: Workspace, held: Sequence[uuid.UUID], written: dict[uuid.UUID, float]) -> None:
    """One after the other they write to their officers, whose pages are open."""
    room = workspace.room
    while True:
        for number, conversation in enumerate(held):
            await asyncio.sleep(PAUSE)
            who = f"ID.{number * HELD}"
            await receive(room.store, "whatsapp", [update(f"wamid.{uuid.uuid4()}", bsuid=who, text="halo bu?")])
            async with room.store.engine.begin() as connection:
                await heard(connection, room, conversation, room.store.clock())
            written[conversation] = time.perf_counter()


async def _screen(
    visitor: Visitor,
    conversation: uuid.UUID,
    spent: dict[str, list[float]],
    written: dict[uuid.UUID, float],
    seen: list[float],
) -> None:
    """An open page: it fetches again what the stream says has changed."""
    async with visitor.get(f"/console/siaran?conversation={conversation}") as stream:
        async for line in stream.content:
            if line == b"event: percakapan\n":
                await _get(visitor, f"/console/percakapan/{conversation}/naskah", "naskah", spent)
                if (since := written.pop(conversation, None)) is not None:
                    seen.append(time.perf_counter() - since)
            elif line == b"event: antrean\n":
                await _get(visitor, "/console/antrean?view=queued", "antrean", spent)


async def _work(visitor: Visitor, mine: Sequence[uuid.UUID], spent: dict[str, list[float]]) -> None:
    await asyncio.sleep(random.uniform(0, PAUSE))
    for number in range(ROUNDS):
        await _get(visitor, "/console/?view=queued", "beranda", spent)
        await asyncio.sleep(PAUSE)
        one = f"/console/percakapan/{mine[number % len(mine)]}"
        await _get(visitor, one, "percakapan", spent)
        await _get(visitor, f"{one}/warga?service=ktp_hilang", "permohonan", spent)
        await asyncio.sleep(PAUSE)


async def _get(visitor: Visitor, path: str, name: str, spent: dict[str, list[float]]) -> None:
    started = time.perf_counter()
    async with visitor.get(path) as answer:
        assert answer.status == 200
        await answer.read()
    spent[name].append(time.perf_counter() - started)


def _ms(times: Sequence[float], share: float) -> int:
    ordered = sorted(times)
    return round(1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)])
