"""A clock that every part of a stand goes by, and that can be put forward and back."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

__all__ = ["WrongClock"]

_SOURCE = Path(__file__).with_name("wrong_clock.c")


class WrongClock:
    """In a folder of its own. Where there is no C compiler it is always right."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self._file = folder / "seconds"
        self._file.write_bytes(struct.pack("l", 0))
        compiler = shutil.which("cc")
        self._library = folder / "wrong_clock.so" if compiler else None
        if compiler:
            subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SOURCE)], check=True)

    @property
    def environment(self) -> Mapping[str, str]:
        if self._library is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "PRAJA_CHAOS_CLOCK": str(self._file)}

    def put(self, seconds: int) -> bool:
        """By how many seconds it is wrong from now on; whether anything goes by it."""
        # In place: a file cut short would end those who look at it.
        with self._file.open("r+b") as file:
            file.write(struct.pack("l", seconds))
        return self._library is not None
