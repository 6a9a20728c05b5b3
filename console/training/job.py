"""A command of `praja` as a process group of its own: its lines as they come, its end when time or memory is used up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from console.training.schedule import Limits

__all__ = ["Job", "Outcome"]

_ONE_THREAD = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
    **{f"TF_NUM_{kind}_THREADS": "1" for kind in ("INTEROP", "INTRAOP")},
}
_KEPT_LINES = 300
_LONGEST_LINE = 2**20
_LOOK = 1.0
"""seconds between two looks at the memory"""
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    code: int
    results: Sequence[str]
    """what it printed on its standard output"""


@dataclass
class Job:
    command: Sequence[str]
    root: Path
    limits: Limits
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    """the last lines of both outputs, and why it was ended, where it was"""

    async def run(self) -> Outcome:
        """Nothing of it is left however this ends, cancelling among it."""
        folder = tempfile.mkdtemp(prefix="praja-latih-")
        process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=self.root,
            env={**os.environ, **_ONE_THREAD, "TMPDIR": folder},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
        watching = asyncio.create_task(self._watch(process))
        results: list[str] = []
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            await asyncio.gather(self._read(process.stdout, results), self._read(process.stderr, []))
            return Outcome(await process.wait(), results)
        finally:
            watching.cancel()
            _kill(process)
            await process.wait()
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _read(self, output: asyncio.StreamReader, lines: list[str]) -> None:
        async for raw in output:
            if line := raw.decode(errors="replace").rstrip():
                lines.append(line)
                self.said.append(line)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.limits.minutes * 60
        while True:
            if clock() >= deadline:
                self.said.append(f"Dihentikan: melewati {self.limits.minutes:g} menit (data/latihan.yml).")
                return _kill(process)
            if await asyncio.to_thread(_memory, process.pid) > self.limits.megabytes * _MEGABYTE:
                self.said.append(f"Dihentikan: memakai lebih dari {self.limits.megabytes:g} MB (data/latihan.yml).")
                return _kill(process)
            await asyncio.sleep(_LOOK)


def _memory(process: int) -> int:
    """Bytes that it and all that it started hold; 0 when it has ended."""
    held = 0
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(process)
        for one in [first, *first.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                held += one.memory_info().rss
    return held


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
