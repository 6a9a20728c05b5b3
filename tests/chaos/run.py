"""A run: people write, everything is broken, all of it recovers, and what came of it is judged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from backend.catalogue import load_catalogue
from tests.chaos.clock import WrongClock
from tests.chaos.faults import Breaker, Fault, draw
from tests.chaos.people import Asker, Filer, Officer, learn
from tests.chaos.phones import Phone, TelegramPhone, WhatsAppPhone
from tests.chaos.stand import Stand, standing
from tests.chaos.verdict import Verdict, judge
from tests.stack.running import ROOT

__all__ = ["Size", "run"]

_MESSAGES_OF_A_FILING = 12
_FILERS = 5
"""one in so many people"""
_DISK = "900m"
_CALM_WITHIN = 240.0
_LEARNT = 32
_FILED = "sk_umum"


@dataclass(frozen=True)
class Size:
    messages: int
    people: int
    seconds: float
    faults: float
    only: tuple[str, ...] = ()
    """kinds of faults; none: all"""
    understands: bool = True
    """with Rasa; else without filings, since nothing is understood"""


async def run(size: Size, chance: random.Random, folder: Path, tell: Callable[[str], None]) -> Verdict:
    catalogue = load_catalogue(ROOT / "data")
    with _small_disk(folder / "disk") as disk:
        async with standing(disk, WrongClock(folder / "clock"), understands=size.understands) as stand:
            tell(f"ready at {stand.bot_url}")
            begun = time.monotonic()
            known = await learn(
                [_phone(stand, "whatsapp", 0), _phone(stand, "telegram", 0)],
                [service for service in catalogue.services.values() if service.is_filed_here][:_LEARNT],
            )
            counts = {channel: len(questions) for channel, questions in known.items()}
            tell(f"learnt {counts} questions in {time.monotonic() - begun:.0f} s")
            people = [_phone(stand, ("whatsapp", "telegram")[i % 2], i + 1) for i in range(size.people)]
            filing = people[::_FILERS] if size.understands else []
            filers = [
                Filer(phone, catalogue.services[_FILED], catalogue, f"351508570890{1000 + i}")
                for i, phone in enumerate(filing)
            ]
            rest = [phone for i, phone in enumerate(people) if i % _FILERS or not size.understands]
            each = max(1, round((size.messages - len(filers) * _MESSAGES_OF_A_FILING) / len(rest)))
            askers = [Asker(phone, chance.sample(known[phone.channel], each)) for phone in rest]
            plan = [fault for fault in draw(chance, size.seconds, size.faults) if _happens(fault, size)]
            breaker = Breaker(stand)
            begun = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for asker in askers:
                    group.create_task(asker.live(size.seconds, random.Random(chance.random())))
                for filer in filers:
                    group.create_task(filer.live(chance.uniform(0, size.seconds / 2)))
                group.create_task(Officer(stand).live(filers))
                group.create_task(breaker.carry_out(plan, tell))
            written = time.monotonic() - begun
            tell(f"all is written and broken after {written:.0f} s; waiting for calm")
            calm = await _calm(stand)
            tell(f"calm {calm:.0f} s later" if calm is not None else "no calm")
            verdict = await judge(stand, askers, filers)
            if calm is None:
                verdict.wrong.append(f"not calm within {_CALM_WITHIN:.0f} s")
            kills = sum(breaker.done[f"kill {target}"] for target in ("bot", "up"))
            verdict.figures |= {
                "copies per kill of the bot": round(sum(verdict.figures["copies"].values()) / max(kills, 1), 2),
                "written in s": round(written),
                "calm after s": calm and round(calm),
                "faults": dict(sorted(breaker.done.items())),
                "faults missed": dict(breaker.missed),
                "failed at the proxy": dict(stand.proxy.failed),
                "praja up started": stand.started,
            }
            if stand.notes:
                tell("notes: " + " | ".join(stand.notes[-6:]))
            return verdict


def _happens(fault: Fault, size: Size) -> bool:
    """Without Rasa there is none to break, and nobody asks the backend."""
    missing = not size.understands and (fault.target == "rasa" or fault.kind == "backend")
    return not missing and (not size.only or fault.kind in size.only)


def _phone(stand: Stand, channel: str, number: int) -> Phone:
    if channel == "whatsapp":
        return WhatsAppPhone(stand.meta, f"+62812777{number:05d}")
    return TelegramPhone(stand.telegram, 70_000 + number)


async def _calm(stand: Stand) -> float | None:
    """Seconds until nothing waits any more for five in a row; None when that doesn't come."""
    begun, quiet = time.monotonic(), 0
    while time.monotonic() - begun < _CALM_WITHIN:
        try:
            (waiting,) = await stand.rows(
                "SELECT (SELECT count(*) FROM bot.inbox WHERE answered_at IS NULL)"
                " + (SELECT count(*) FROM bot.outbox WHERE state = 'queued')"
                " + (SELECT count(*) FROM backend.chronology WHERE delivered_at IS NULL) AS count"
            )
            still = waiting["count"] == 0 and not stand.telegram.pending and await stand.is_ready()
        except (psycopg.Error, OSError, IndexError):
            still = False
        quiet = quiet + 1 if still else 0
        if quiet == 5:
            return time.monotonic() - begun
        await asyncio.sleep(1)
    return None


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A disk that can be filled, where we may mount one; else the folder itself, and the disk is never full."""
    folder.mkdir(mode=0o755)
    mounted = (
        os.geteuid() == 0
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=755", "praja-chaos", str(folder)], check=False
        ).returncode
        == 0
    )
    try:
        yield folder
    finally:
        if mounted:
            shutil.copytree(folder, folder.with_name("kept"), ignore_dangling_symlinks=True, dirs_exist_ok=True)
            subprocess.run(["umount", "-l", str(folder)], check=False)
