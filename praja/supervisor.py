"""One supervisor: starts the parts, sees that each answers, restarts one that dies, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import aiohttp

from praja.offspring import mortal
from praja.parts import Part

__all__ = ["PartFailed", "PortTaken", "Supervisor", "check_ports"]

_READY_WITHIN = 180.0
_STOP_WITHIN = 10.0
_QUICK_DEATH = 10.0
_QUICK_DEATHS_ALLOWED = 5
_LONGEST_PAUSE = 5.0
_PATIENCE = 120.0
_LOOKS = 12
"""in the time of one patience"""
_LARGEST_LOG = 10 * 1024 * 1024


class PartFailed(Exception):
    """A part doesn't come up; the message says which, and shows the end of its log."""


class PortTaken(Exception):
    """A port is in use; the message says which and how to move it."""


def check_ports(parts: Sequence[Part]) -> None:
    """Raises PortTaken before anything is started."""
    for part in parts:
        with socket.socket(socket.AF_INET6 if ":" in part.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((part.host, part.port))
            except OSError as error:
                raise PortTaken(
                    f"Port {part.port} ({part.name}) tidak bisa dipakai: {error.strerror}. "
                    f"Hentikan program yang memakainya, atau pilih port lain dengan {part.setting}."
                ) from None


class Supervisor:
    """Runs parts until `stop` is called."""

    def __init__(
        self,
        parts: Sequence[Part],
        environment: Mapping[str, str],
        logs: Path,
        tell: Callable[[str], None],
        *,
        patience: float = _PATIENCE,
    ) -> None:
        """`patience` is for how many seconds a part may take connections and answer none of them."""
        self._parts = parts
        self._environment = environment
        self._logs = logs
        self._tell = tell
        self._patience = patience
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._has_started = False
        self._watchers: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Start all and wait until each answers. Raises PartFailed."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for part in self._parts:
            self._running[part.name] = await self._spawn(part)
            self._watchers.append(asyncio.create_task(self._watch(part)))
        for part in self._parts:
            self._tell(f"menunggu {part.name} …")
            ready = asyncio.create_task(self._wait_until_ready(part))
            await asyncio.wait({ready, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                ready.cancel()
                await self._failure
            await ready
        self._has_started = True
        self._watchers += [asyncio.create_task(self._watch_over(part)) for part in self._parts]

    async def failed(self) -> None:
        """Waits until a part can't be kept running. Raises PartFailed."""
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for part in reversed(self._parts):
            if process := self._running.get(part.name):
                await _end(process)
        if not self._failure.done():
            self._failure.cancel()

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        path = self._logs / f"{part.name}.log"
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *mortal(part.command),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _watch(self, part: Part) -> None:
        deaths, pause = 0, 0.2
        while True:
            started = time.monotonic()
            code = await self._running[part.name].wait()
            # Whatever it started would keep its port.
            _kill_group(self._running[part.name])
            if time.monotonic() - started > _QUICK_DEATH:
                deaths, pause = 0, 0.2
            deaths += 1
            # What has worked once is never given up: a citizen waits for it.
            if deaths > _QUICK_DEATHS_ALLOWED and not self._has_started:
                if not self._failure.done():
                    self._failure.set_exception(
                        PartFailed(self._obituary(part, f"berhenti berulang kali (kode {code})"))
                    )
                return
            self._tell(f"{part.name} berhenti (kode {code}), dinyalakan lagi")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._running[part.name] = await self._spawn(part)

    async def _watch_over(self, part: Part) -> None:
        """A part that hangs doesn't die by itself, and nobody would start it again."""
        silent, pause = 0, self._patience / _LOOKS / 2
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=pause)) as session:
            while True:
                await asyncio.sleep(pause)
                silent = silent + 1 if await _hangs(session, part.health) else 0
                if silent == _LOOKS:
                    self._tell(f"{part.name} tidak menjawab selama {self._patience:.0f} detik, dinyalakan lagi")
                    _kill_group(self._running[part.name])
                    silent = 0

    async def _wait_until_ready(self, part: Part) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while time.monotonic() < deadline:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(part.health) as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise PartFailed(self._obituary(part, f"tidak menjawab dalam {_READY_WITHIN:.0f} detik"))

    def _obituary(self, part: Part, what: str) -> str:
        path = self._logs / f"{part.name}.log"
        with contextlib.suppress(OSError):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            return f"{part.name} {what}. Akhir catatannya ({path}):\n" + "\n".join(lines[-8:])
        return f"{part.name} {what}; catatannya di {path}."


async def _hangs(session: aiohttp.ClientSession, url: str) -> bool:
    """One that is coming up refuses connections, and one in trouble says so: neither hangs."""
    try:
        async with session.get(url):
            return False
    except TimeoutError:
        return True
    except aiohttp.ClientError:
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN)
    except TimeoutError:
        pass
    finally:
        _kill_group(process)
        await process.wait()


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
