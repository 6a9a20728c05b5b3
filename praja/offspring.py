"""What we start ends with us, however we end: `python -m praja.offspring [--humble] COMMAND…` becomes that command.

As a program, since a fork of a process with threads may do next to nothing before it becomes another one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["humble", "mortal"]

_PR_SET_PDEATHSIG = 1
_HUMBLE = "--humble"
_NICE = 10
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def mortal(command: Sequence[str]) -> Sequence[str]:
    """The same command, ended by the kernel with whoever starts it."""
    return (sys.executable, "-m", "praja.offspring", *command)


def humble(command: Sequence[str]) -> Sequence[str]:
    """And it steps back for whatever answers citizens: for the processor, and where memory runs out."""
    return (sys.executable, "-m", "praja.offspring", _HUMBLE, *command)


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _become(command: list[str]) -> None:
    parent = os.getppid()
    _die_with_parent()
    if os.getppid() != parent:
        # It has ended meanwhile, and its end is announced to nobody twice.
        sys.exit(1)
    if command[0] == _HUMBLE:
        command = command[1:]
        os.nice(_NICE)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    _become(sys.argv[1:])
