"""What every part of training works with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store import Store
from console.settings import ConsoleSettings
from console.training.lesson import Lessons
from console.training.schedule import Schedule, read_schedule
from identity import Seal
from learning.live_model import LiveModel

__all__ = ["TrainingRoom"]


@dataclass(frozen=True)
class TrainingRoom:
    store: Store
    seal: Seal
    schedule: Schedule
    lessons: Lessons
    models: Path
    command: Sequence[str]
    """how `praja` is started"""
    root: Path
    """where"""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """set where something was asked for in this process: its keeper needn't wait"""

    @classmethod
    def open(cls, store: Store, settings: ConsoleSettings) -> TrainingRoom:
        """Raises ScheduleUnfit."""
        return cls(
            store,
            Seal(settings.secret_key, "console.training"),
            read_schedule(settings.data),
            Lessons(settings.data, settings.frozen),
            settings.models,
            settings.command,
            settings.root,
        )

    @property
    def engine(self) -> AsyncEngine:
        return self.store.engine

    @property
    def live(self) -> LiveModel:
        return LiveModel(self.models)

    def clock(self) -> datetime:
        return self.store.clock()
