"""What is broken, when, and for how long: a plan drawn from a seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import psutil
import psycopg

from tests.chaos.proxy import Failing
from tests.chaos.stand import Stand

__all__ = ["KINDS", "Breaker", "Fault", "draw"]

PAST_THE_LEASE = 70.0
"""seconds; a claim's lease is 60"""


@dataclass(frozen=True)
class Fault:
    at: float
    """seconds since the people began"""
    kind: str
    target: str
    seconds: float = 0.0


@dataclass(frozen=True)
class _Kind:
    """How often a target is broken in the full run, and for how long."""

    name: str
    targets: Sequence[str]
    times: int
    shortest: float = 0.0
    longest: float = 0.0


KINDS = (
    _Kind("kill", ("bot", "actions", "backend"), 5),
    _Kind("kill", ("rasa", "database"), 2),
    _Kind("kill", ("up",), 1),
    _Kind("pause", ("bot", "rasa", "actions", "backend", "database"), 2, 2, 9),
    _Kind("cut", ("database",), 4),
    _Kind("backend", tuple(Failing), 2, 3, 12),
    _Kind("whatsapp", ("429", "500", "131056", "lost"), 2),
    _Kind("telegram", ("429", "500", "lost"), 2),
    _Kind("disk", ("full",), 2, 4, 8),
    _Kind("clock", ("+3600", "-7200"), 2, 5, 15),
)
_AT_THE_PROVIDER = 3
"""requests that fail at a time"""


def draw(chance: random.Random, seconds: float, share: float) -> list[Fault]:
    """A plan for so long; `share` of the full run's faults, at least one of each kind and target."""
    plan = [
        Fault(
            chance.uniform(2, seconds),
            kind.name,
            str(target),
            round(chance.uniform(kind.shortest, kind.longest), 1),
        )
        for kind in KINDS
        for target in kind.targets
        for _ in range(max(1, round(kind.times * share)))
    ]
    # Rasa hangs for longer than a claim lasts, once.
    plan.append(Fault(chance.uniform(2, seconds / 3), "pause", "rasa", PAST_THE_LEASE))
    return sorted(plan, key=lambda fault: fault.at)


@dataclass
class Breaker:
    """Carries a plan out; what is down already is left until it is up."""

    stand: Stand
    done: Counter[str] = field(default_factory=Counter)
    """by kind and target"""
    missed: Counter[str] = field(default_factory=Counter)
    """there was nothing to break at that moment"""
    kills: list[tuple[float, str]] = field(default_factory=list)
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def carry_out(self, plan: Sequence[Fault], tell: Callable[[str], None]) -> None:
        begun = time.monotonic()

        async def one(fault: Fault) -> None:
            await asyncio.sleep(max(0.0, begun + fault.at - time.monotonic()))
            name = f"{fault.kind} {fault.target}"
            async with self._locks[fault.target if fault.kind in ("kill", "pause") else fault.kind]:
                happened = await self._break(fault)
            (self.done if happened else self.missed)[name] += 1
            tell(f"{fault.at:6.1f} s {name} {fault.seconds or ''}{'' if happened else ' (not there)'}")

        async with asyncio.TaskGroup() as group:
            for fault in plan:
                group.create_task(one(fault))

    def _break(self, fault: Fault) -> Awaitable[bool]:
        match fault.kind:
            case "kill" if fault.target == "up":
                return self._kill_up()
            case "kill":
                return self._kill(fault.target)
            case "pause":
                return self._pause(fault.target, fault.seconds)
            case "cut":
                return self._cut()
            case "backend":
                return self._fail_backend(Failing(fault.target), fault.seconds)
            case "whatsapp":
                return self._fail_whatsapp(fault.target)
            case "telegram":
                return self._fail_telegram(fault.target)
            case "disk":
                return self._fill_disk(fault.seconds)
            case "clock":
                return self._jump(int(fault.target), fault.seconds)
        raise ValueError(fault.kind)

    async def _kill(self, target: str) -> bool:
        """Only what is up: else nothing is tried but starting."""
        for _ in range(100):
            if await self._is_up(target):
                break
            await asyncio.sleep(0.3)
        family = self.stand.family(target)
        if not family:
            return False
        self.kills.append((time.time(), target))
        with contextlib.suppress(psutil.NoSuchProcess):
            family[0].kill()
            return True
        return False

    async def _is_up(self, target: str) -> bool:
        if not self.stand.family(target):
            return False
        if target == "database":
            try:
                await self.stand.rows("SELECT 1")
            except (psycopg.Error, OSError, IndexError):
                return False
            return True
        return True if target != "rasa" else await self.stand.is_ready()

    async def _kill_up(self) -> bool:
        """The supervisor, and with it all its parts; somebody starts it anew, as systemd would."""
        up = self.stand.up
        if up is None or up.poll() is not None:
            return False
        self.kills.append((time.time(), "up"))
        up.kill()
        await asyncio.to_thread(up.wait)
        for _ in range(20):
            try:
                await self.stand.start()
            except RuntimeError as error:
                self.stand.notes.append(str(error)[-600:])
                await asyncio.sleep(2)
            else:
                return True
        return False

    async def _pause(self, target: str, seconds: float) -> bool:
        stopped: list[psutil.Process] = []
        for process in self.stand.family(target):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
                stopped.append(process)
        await asyncio.sleep(seconds)
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        return bool(stopped)

    async def _cut(self) -> bool:
        try:
            await self.stand.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        except (psycopg.Error, OSError, IndexError):
            return False
        return True

    async def _fail_backend(self, failing: Failing, seconds: float) -> bool:
        before = self.stand.proxy.failed[failing]
        self.stand.proxy.failing = failing
        await asyncio.sleep(seconds)
        self.stand.proxy.failing = None
        return self.stand.proxy.failed[failing] > before

    async def _fail_whatsapp(self, how: str) -> bool:
        meta = self.stand.meta
        match how:
            case "429":
                meta.fail(130429, status=429, times=_AT_THE_PROVIDER)
            case "500":
                meta.fail(status=500, times=_AT_THE_PROVIDER)
            case "131056":
                meta.fail(131056, times=_AT_THE_PROVIDER)
            case "lost":
                meta.hang(times=1)
        return True

    async def _fail_telegram(self, how: str) -> bool:
        telegram = self.stand.telegram
        match how:
            case "429":
                telegram.fail(429, "Too Many Requests: retry after 2", retry_after=2, times=_AT_THE_PROVIDER)
            case "500":
                telegram.fail(500, "Internal Server Error", times=_AT_THE_PROVIDER)
            case "lost":
                telegram.hang(times=1)
        return True

    async def _fill_disk(self, seconds: float) -> bool:
        """Database and documents lie on it."""
        ballast = self.stand.home / "ballast"
        try:
            await asyncio.to_thread(_fill, ballast)
            await asyncio.sleep(seconds)
        finally:
            ballast.unlink(missing_ok=True)
        return True

    async def _jump(self, offset: int, seconds: float) -> bool:
        """Of every part and the database, and back again: it goes forward once and backward once."""
        try:
            if not self.stand.clock.put(offset):
                return False
            await asyncio.sleep(seconds)
        finally:
            self.stand.clock.put(0)
        return True


def _fill(path: object) -> None:
    block = bytes(1024 * 1024)
    with contextlib.suppress(OSError), open(str(path), "wb", buffering=0) as file:
        for _ in range(4096):
            file.write(block)
    with contextlib.suppress(OSError), open(str(path), "ab", buffering=0) as file:
        for _ in range(256):
            file.write(block[:4096])
