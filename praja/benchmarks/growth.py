"""`praja bench growth`: more bots, workers and Rasa servers on one PostgreSQL, as on several machines.

Here they share the cores of one machine, so what is seen is that nothing is done twice and where one more stops helping.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import aiohttp
import psycopg

from praja.benchmarks.load import TALK, at_once
from praja.benchmarks.measured import Measured
from praja.benchmarks.processes import part
from praja.benchmarks.turns import turn
from praja.check import check
from praja.database import migrate
from praja.ports import free_ports
from praja.postgres import create_database, embedded_postgres

__all__ = ["growth"]

_AT_ONCE = 24
_SERVER = "PRAJA_BENCH_POSTGRES"
"""address of a server to measure on, `postgresql://…`, where the embedded one isn't wanted; a database is made and left there"""


@dataclass(frozen=True)
class _Size:
    bots: int
    workers: int
    """beside the one that each bot has"""
    rasas: int

    def __str__(self) -> str:
        return f"{self.bots} bot, {self.workers} pekerja, {self.rasas} Rasa"


_SIZES = (_Size(1, 0, 1), _Size(1, 1, 2), _Size(2, 2, 2), _Size(3, 4, 3))


async def growth(seconds: int) -> int:
    """Not 0 when anything was answered twice or an invariant is broken."""
    broken = 0
    for number, size in enumerate(_SIZES):
        with tempfile.TemporaryDirectory(prefix="praja-bench-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            await asyncio.to_thread(os.chmod, folder, 0o755)
            with _server(folder) as server:
                url = create_database(server, f"growth_{number}_{int(time.time())}")
                await asyncio.to_thread(migrate, url)
                async with _running(size, folder, url) as bots:
                    print((await _load(str(size), bots, seconds)).line(), flush=True)
                twice = _answered_twice(url)
                findings = await asyncio.to_thread(check, url, datetime.now(UTC))
                print(f"{'':<42} dijawab dua kali {twice}, yang dilanggar {len(findings)}", flush=True)
                broken += twice + len(findings)
    return 1 if broken else 0


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    if given := os.environ.get(_SERVER):
        yield given
        return
    with embedded_postgres(folder / "db") as server:
        yield server


@asynccontextmanager
async def _running(size: _Size, folder: Path, url: str) -> AsyncIterator[Sequence[str]]:
    """Addresses of the bots."""
    backend, actions, *others = free_ports(2 + size.bots + size.rasas)
    bots, rasas = others[: size.bots], others[size.bots :]
    common = {
        "PRAJA_HOME": str(folder / "home"),
        "PRAJA_DATABASE_URL": url,
        "PRAJA_BACKEND_PORT": str(backend),
        "PRAJA_ACTIONS_PORT": str(actions),
        "PRAJA_HTTP_PORT": str(bots[0]),
        "PRAJA_PUBLIC_URL": f"http://127.0.0.1:{bots[0]}",
        "PRAJA_RASA_URLS": ",".join(f"http://127.0.0.1:{port}" for port in rasas),
        "PRAJA_RASA_TOKEN": "bench",
        "PRAJA_SECRET_KEY": "bench",
    }
    async with AsyncExitStack() as stack:

        async def start(role: str, more: Mapping[str, str], health: str | None = None) -> None:
            await stack.enter_async_context(part(role, {**common, **more}, health))

        await start("backend", {}, f"http://127.0.0.1:{backend}/healthz")
        await start("actions", {}, f"http://127.0.0.1:{actions}/health")
        for port in rasas:
            await start("rasa", {"PRAJA_RASA_PORT": str(port)}, f"http://127.0.0.1:{port}/status?token=bench")
        for port in bots:
            await start("bot", {"PRAJA_HTTP_PORT": str(port)}, f"http://127.0.0.1:{port}/readyz")
        for _ in range(size.workers):
            await start("worker", {})
        yield [f"http://127.0.0.1:{port}" for port in bots]


async def _load(name: str, bots: Sequence[str], seconds: int) -> Measured:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for bot in bots:
            for number, text in enumerate(TALK):
                await turn(session, f"pemanasan-{number}", text, bot)

        async def citizen(person: int, text: str) -> float:
            # Each message comes in at another bot than the one before.
            return await turn(session, f"orang-{person}", text, next(doors))

        doors = cycle(bots)
        return await at_once(citizen, _AT_ONCE, seconds, name)


def _answered_twice(url: str) -> int:
    """Messages with more replies than the two bubbles that a turn may have."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM (SELECT inbox FROM bot.outbox WHERE inbox IS NOT NULL GROUP BY inbox HAVING count(*) > 2) AS many"
        ).fetchone()
    assert row is not None
    return int(row[0])
