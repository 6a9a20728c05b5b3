"""One part of Praja as a process of its own, as on a machine of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import psutil

from praja.settings import ROOT

__all__ = ["Process", "answers", "part"]

_PATIENCE = 180.0
"""seconds"""


@dataclass(frozen=True)
class Process:
    process: psutil.Process
    seconds: float
    """from the start until it answers; 0 for one that nobody can ask"""


@contextlib.asynccontextmanager
async def part(role: str, settings: Mapping[str, str], health: str | None = None) -> AsyncIterator[Process]:
    """`praja run ROLE`, ready within the block. `health` answers 200 once it can work; None: it takes no connections."""
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "praja.command", "run", role),
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if health is not None:
            await answers(health)
        yield Process(psutil.Process(process.pid), time.monotonic() - started if health else 0.0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def answers(health: str) -> None:
    """Raises TimeoutError when it doesn't answer 200 in time."""
    async with asyncio.timeout(_PATIENCE), aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(health) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
