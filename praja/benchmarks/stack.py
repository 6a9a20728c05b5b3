"""A Praja of its own to measure: in a folder and on ports of its own, so that a running one is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from praja.ports import free_ports
from praja.settings import ROOT

__all__ = ["PORTS", "Stack", "stack"]

PORTS = ("PRAJA_HTTP_PORT", "PRAJA_BACKEND_PORT", "PRAJA_ACTIONS_PORT", "PRAJA_RASA_PORT")


@dataclass(frozen=True)
class Stack:
    url: str
    supervisor: psutil.Process
    environment: Mapping[str, str]
    """what it was started with"""
    seconds: float
    """from the start to `siap`"""

    def port(self, setting: str) -> int:
        return int(self.environment[setting])


@contextlib.asynccontextmanager
async def stack(settings: Mapping[str, str], home: Path | None = None) -> AsyncIterator[Stack]:
    """`praja up` with these settings, ready; gone at the end of the block, and its folder too unless `home` is given."""
    with tempfile.TemporaryDirectory(prefix="praja-bench-", ignore_cleanup_errors=True) as folder:
        await asyncio.to_thread(os.chmod, folder, 0o755)  # the embedded database runs as a user of its own
        ports = {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
        public = {"PRAJA_PUBLIC_URL": f"http://127.0.0.1:{ports['PRAJA_HTTP_PORT']}"}
        place = {"PRAJA_HOME": str(home or Path(folder) / "home")}
        environment = {**os.environ, **ports, **public, **place, **settings}
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "praja.command", "up"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode().strip()
            if not line.startswith("siap: "):
                raise RuntimeError("stack tidak menyala")
            ready = time.monotonic() - started
            yield Stack(line.removeprefix("siap: "), psutil.Process(process.pid), environment, ready)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
