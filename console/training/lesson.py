"""What the next model would learn, and what is wrong with it: seen before anything is trained."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.data_set import REVIEWED, WRITTEN, examine, learned, measured_files, measured_texts
from learning.dataset_check import Findings
from learning.reviewed_set import ReviewedSet
from learning.training_file import read_folder

__all__ = ["Lesson", "Lessons"]


@dataclass(frozen=True)
class Lesson:
    version: str
    """of the reviewed set; "" while there is none"""
    examples: int
    reviewed: int
    """of these from the reviewed set"""
    intents: int
    services: int
    measured: Sequence[tuple[str, int]]
    """the sets that it will be measured by, and how many messages each has"""
    findings: Findings


class Lessons:
    """Read again after a file has changed, since checking ten thousand messages takes a while."""

    def __init__(self, data: Path, frozen: Path | None) -> None:
        self._data = data
        self._frozen = frozen
        self._read: tuple[object, Lesson] | None = None
        self._reading = asyncio.Lock()

    async def next(self) -> Lesson:
        """Raises TrainingFileUnfit."""
        async with self._reading:
            version = await asyncio.to_thread(self._version)
            if self._read is None or self._read[0] != version:
                self._read = version, await asyncio.to_thread(self._load)
            return self._read[1]

    def _version(self) -> object:
        taught = [path for folder in (WRITTEN, REVIEWED) for path in (self._data / folder).glob("*.yml")]
        files = sorted([*taught, *measured_files(self._data, self._frozen)])
        return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)

    def _load(self) -> Lesson:
        taught, reviewed = learned(self._data), self._data / REVIEWED
        measured = measured_files(self._data, self._frozen)
        return Lesson(
            version=ReviewedSet(reviewed).version(),
            examples=len(taught),
            reviewed=len(read_folder(reviewed)),
            intents=len({example.intent for example in taught}),
            services=len({example.service for example in taught if example.service}),
            measured=[(path.name, len(measured_texts(path))) for path in measured],
            findings=examine(self._data, self._frozen),
        )
