"""`praja bench`: how fast a turn is with every part running, what each part weighs, and what a filing costs in bubbles.

It starts a stack of its own, in a folder and on ports of its own, so that a running Praja is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import cycle

import aiohttp
import psutil

from backend.catalogue import load_catalogue
from praja.benchmarks.bubbles import AllowedBubbles, BubbleMeter, average_service
from praja.benchmarks.load import TALK, at_once, paced
from praja.benchmarks.measured import Measured
from praja.benchmarks.stack import stack
from praja.ports import free_ports
from praja.settings import ROOT

__all__ = ["bench", "memory", "processor_time", "turn"]

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
_DATABASE = "postgres"


async def bench(seconds: int) -> int:
    """Not 0 when a filing takes more bubbles than it may."""
    allowed, catalogue = AllowedBubbles(), load_catalogue(ROOT / "data")
    async with (
        BubbleMeter(*free_ports(1)) as meter,
        stack(meter.settings) as praja,
        aiohttp.ClientSession(base_url=praja.url) as session,
    ):
        await _warm_up(session)

        async def citizen(person: int, text: str) -> float:
            return await turn(session, f"orang-{person}", text)

        filing = await meter.file(praja.url, catalogue, average_service(catalogue))
        print(filing.line(allowed), flush=True)
        print((await paced(citizen, _RATE, seconds)).line(), flush=True)
        before = processor_time(praja.supervisor)
        many = await at_once(citizen, _AT_ONCE, seconds)
        after = processor_time(praja.supervisor)
        print(many.line(), flush=True)
        for name, used in after.items():
            each = 1000 * (used - before.get(name, 0.0)) / len(many.turns)
            print(f"{f'  waktu prosesor, {name}':<42} {each:5.1f} ms/giliran", flush=True)
        print((await _filing(session)).line(), flush=True)
        long = await _one_person(session)
        first, last = long[5:55], long[-50:]
        print(Measured("satu orang, pesan 6-55", sum(first), first).line())
        print(Measured(f"satu orang, pesan {_LONG - 49}-{_LONG}", sum(last), last).line())
        print(memory(praja.supervisor))
    return 0 if filing.fits(allowed) else 1


async def _filing(session: aiohttp.ClientSession) -> Measured:
    started = time.monotonic()
    turns = [await turn(session, f"isian-{person}", text) for person in range(10) for text in _FILING]
    return Measured("mengisi permohonan, satu per satu", time.monotonic() - started, turns)


async def _one_person(session: aiohttp.ClientSession) -> list[float]:
    texts = cycle(TALK)
    return [await turn(session, "panjang", next(texts)) for _ in range(_LONG)]


async def _warm_up(session: aiohttp.ClientSession) -> None:
    for number, text in enumerate(TALK):
        await turn(session, f"pemanasan-{number}", text)


async def turn(session: aiohttp.ClientSession, sender: str, text: str, bot: str = "") -> float:
    """Seconds of one through the simulator of `bot`, which may be the session's own address."""
    started = time.perf_counter()
    async with session.post(f"{bot}/simulator/messages", json={"sender": sender, "text": text}) as response:
        body = await response.json()
        if response.status != 200 or not body["replies"]:
            raise RuntimeError(f"giliran gagal: {response.status} {body}")
    return time.perf_counter() - started


def memory(supervisor: psutil.Process) -> str:
    return "\n".join(
        f"{name:<12} {sum(p.memory_info().rss for p in family) / 1024**2:6.0f} MB"
        if name != _DATABASE
        else f"{name:<12} {sum(p.memory_full_info().uss for p in family) / 1024**2:6.0f} MB (semua proses)"
        for name, family in _parts(supervisor).items()
    )


def processor_time(supervisor: psutil.Process) -> Mapping[str, float]:
    """Seconds of a processor that each part has used since it began."""
    return {
        name: sum(times.user + times.system for times in (p.cpu_times() for p in family))
        for name, family in _parts(supervisor).items()
    }


def _parts(supervisor: psutil.Process) -> Mapping[str, Sequence[psutil.Process]]:
    found = {"supervisor": [supervisor]}
    for child in supervisor.children():
        command = " ".join(child.cmdline())
        name = next((part for part in ("backend", "actions", "nlu.server", "bot") if part in command), child.name())
        found[name] = [child, *child.children(recursive=True)]
    return {**found, _DATABASE: [p for p in psutil.process_iter(["name"]) if p.info["name"] == _DATABASE]}
