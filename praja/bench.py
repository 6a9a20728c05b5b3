"""`praja bench`: how fast a turn is with every part running, what each part weighs, and what a filing costs in bubbles.

It starts a stack of its own, in a folder and on ports of its own, so that a running Praja is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import aiohttp
import psutil

from backend.catalogue import load_catalogue
from praja.bubble_meter import AllowedBubbles, BubbleMeter, average_service
from praja.settings import ROOT

__all__ = ["bench", "free_ports"]

_TALK = (
    "assalamualaikum min",
    "ktp saya hilang, ngurusnya gimana",
    "syaratnya apa aja",
    "bayar ga?",
    "berapa hari jadinya",
    "ngurusnya di mana",
    "yok opo carane nggawe akte lahir",
    "suwun yo",
)
_FILING = (
    "mau bikin surat keterangan umum desa",
    "ya mulai",
    "3515085708909999",
    "Siti Aminah",
    "081234567890",
    "candi",
)
_RATE = 5
_AT_ONCE = 8
_LONG = 500


@dataclass(frozen=True)
class _Measured:
    name: str
    seconds: float
    turns: Sequence[float]

    def line(self) -> str:
        p50, p95, p99 = (1000 * _quantile(self.turns, q) for q in (0.50, 0.95, 0.99))
        rate = len(self.turns) / self.seconds
        return f"{self.name:<42} {len(self.turns):>5} giliran {rate:6.1f}/s  p50 {p50:5.0f}  p95 {p95:5.0f}  p99 {p99:5.0f} ms"


async def bench(seconds: int) -> int:
    """Not 0 when a filing takes more bubbles than it may."""
    allowed, catalogue = AllowedBubbles(), load_catalogue(ROOT / "data")
    async with (
        BubbleMeter(*free_ports(1)) as meter,
        _stack(meter.settings) as (url, supervisor),
        aiohttp.ClientSession(base_url=url) as session,
    ):
        await _warm_up(session)
        filing = await meter.file(url, catalogue, average_service(catalogue))
        print(filing.line(allowed), flush=True)
        for measured in (
            await _paced(session, seconds),
            await _at_once(session, seconds),
            await _filing(session),
        ):
            print(measured.line(), flush=True)
        long = await _one_person(session)
        first, last = long[5:55], long[-50:]
        print(_Measured("satu orang, pesan 6-55", sum(first), first).line())
        print(_Measured(f"satu orang, pesan {_LONG - 49}-{_LONG}", sum(last), last).line())
        print(_memory(supervisor))
    return 0 if filing.fits(allowed) else 1


async def _paced(session: aiohttp.ClientSession, seconds: int) -> _Measured:
    """New turns begin on time however long earlier ones take, each by another person than the one before."""
    turns: list[float] = []
    texts = cycle(_TALK)
    started = time.monotonic()
    tasks: list[asyncio.Task[float]] = []
    for number in range(seconds * _RATE):
        await asyncio.sleep(max(0.0, started + number / _RATE - time.monotonic()))
        tasks.append(asyncio.create_task(_turn(session, f"laju-{number % 40}", next(texts))))
    turns = list(await asyncio.gather(*tasks))
    return _Measured(f"{_RATE} giliran baru per detik", time.monotonic() - started, turns)


async def _at_once(session: aiohttp.ClientSession, seconds: int) -> _Measured:
    started = time.monotonic()

    async def talk(person: int) -> list[float]:
        texts = cycle(_TALK)
        turns: list[float] = []
        while time.monotonic() - started < seconds:
            turns.append(await _turn(session, f"serentak-{person}-{len(turns) // 20}", next(texts)))
        return turns

    turns = [turn for one in await asyncio.gather(*map(talk, range(_AT_ONCE))) for turn in one]
    return _Measured(f"{_AT_ONCE} orang serentak", time.monotonic() - started, turns)


async def _filing(session: aiohttp.ClientSession) -> _Measured:
    started = time.monotonic()
    turns = [await _turn(session, f"isian-{person}", text) for person in range(10) for text in _FILING]
    return _Measured("mengisi permohonan, satu per satu", time.monotonic() - started, turns)


async def _one_person(session: aiohttp.ClientSession) -> list[float]:
    texts = cycle(_TALK)
    return [await _turn(session, "panjang", next(texts)) for _ in range(_LONG)]


async def _warm_up(session: aiohttp.ClientSession) -> None:
    for number, text in enumerate(_TALK):
        await _turn(session, f"pemanasan-{number}", text)


async def _turn(session: aiohttp.ClientSession, sender: str, text: str) -> float:
    started = time.perf_counter()
    async with session.post("/simulator/messages", json={"sender": sender, "text": text}) as response:
        body = await response.json()
        if response.status != 200 or not body["replies"]:
            raise RuntimeError(f"giliran gagal: {response.status} {body}")
    return time.perf_counter() - started


@contextlib.asynccontextmanager
async def _stack(settings: Mapping[str, str]) -> AsyncIterator[tuple[str, psutil.Process]]:
    with tempfile.TemporaryDirectory(prefix="praja-bench-", ignore_cleanup_errors=True) as home:
        await asyncio.to_thread(os.chmod, home, 0o755)  # the embedded database runs as a user of its own
        names = ("PRAJA_HTTP_PORT", "PRAJA_BACKEND_PORT", "PRAJA_ACTIONS_PORT", "PRAJA_RASA_PORT")
        ports = {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
        environment = {**os.environ, **ports, "PRAJA_HOME": str(Path(home) / "home"), **settings}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "praja.command", "up"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode().strip()
            if not line.startswith("siap: "):
                raise RuntimeError("stack tidak menyala")
            yield line.removeprefix("siap: "), psutil.Process(process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _memory(supervisor: psutil.Process) -> str:
    lines = [f"{'supervisor':<12} {supervisor.memory_info().rss / 1024**2:6.0f} MB"]
    for child in supervisor.children():
        family = [child, *child.children(recursive=True)]
        command = " ".join(child.cmdline())
        name = next((part for part in ("backend", "actions", "nlu.server", "bot") if part in command), child.name())
        lines.append(f"{name:<12} {sum(p.memory_info().rss for p in family) / 1024**2:6.0f} MB")
    database = [p for p in psutil.process_iter(["name"]) if p.info["name"] == "postgres"]
    with contextlib.suppress(psutil.Error):
        lines.append(
            f"{'postgres':<12} {sum(p.memory_full_info().uss for p in database) / 1024**2:6.0f} MB (semua proses)"
        )
    return "\n".join(lines)


def _quantile(values: Sequence[float], q: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(q * 100) - 1] if len(values) > 1 else values[0]
