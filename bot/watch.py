"""What is looked at now and then for the operators: parts, disks, the end of a token, and what must always hold."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.fault import fault
from bot.health import Health
from bot.metrics import Metrics

__all__ = ["Inspect", "TokenHolder", "Watch"]

Inspect = Callable[[], Mapping[tuple[str, str], int]]
"""(invariant, severity) → how often it is broken; blocking, and it may take minutes"""
_EVERY = 15.0
_HOURLY = 3600.0
_INSPECT_EVERY = 900.0
_logger = logging.getLogger(__name__)


class TokenHolder(Protocol):
    name: str

    async def token_ends(self) -> datetime | None:
        """None: never, or it isn't known."""


class Watch:
    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        *,
        folders: Mapping[str, Path],
        holders: tuple[TokenHolder, ...] = (),
        inspect: Inspect | None = None,
    ) -> None:
        """`folders`: whose free space is told, by name."""
        self._metrics = metrics
        self._health = health
        self._folders = folders
        self._holders = holders
        self._inspect = inspect

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_again(self.look_around, _EVERY))
            group.create_task(_again(self.look_at_tokens, _HOURLY))
            group.create_task(_again(self.look_at_invariants, _INSPECT_EVERY))

    async def look_around(self) -> None:
        for part, answers in (await self._health.parts()).items():
            self._metrics.part_up.labels(part).set(answers)
        for name, folder in self._folders.items():
            self._metrics.disk_free.labels(name).set(shutil.disk_usage(folder).free)

    async def look_at_tokens(self) -> None:
        for holder in self._holders:
            ends = await holder.token_ends()
            self._metrics.token_ends.labels(holder.name).set(ends.timestamp() if ends else float("inf"))

    async def look_at_invariants(self) -> None:
        if self._inspect is not None:
            for (invariant, severity), count in (await asyncio.to_thread(self._inspect)).items():
                self._metrics.broken.labels(invariant, severity).set(count)


async def _again(look: Callable[[], Awaitable[None]], pause: float) -> None:
    while True:
        try:
            await look()
        except Exception as error:
            _logger.warning("%s failed: %s", getattr(look, "__name__", "a look"), fault(error))
        await asyncio.sleep(pause)
