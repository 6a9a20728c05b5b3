"""The standard of the desk, in `data/standar.yml`: how long a citizen may wait for an officer, in working minutes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.desk.agencies import DeskUnfit
from bot.desk.hours import Hours

__all__ = ["Level", "Standard", "read_standard"]


class Level(enum.StrEnum):
    FINE = "fine"
    SOON = "soon"
    LATE = "late"
    """longer than the standard"""
    RAISED = "raised"
    """a supervisor's matter now"""


@dataclass(frozen=True)
class Standard:
    first_reply: timedelta
    nudge: timedelta
    escalate: timedelta

    def level(self, waited: timedelta) -> Level:
        if waited >= self.escalate:
            return Level.RAISED
        if waited >= self.first_reply:
            return Level.LATE
        return Level.SOON if waited >= self.nudge else Level.FINE

    def judge(self, hours: Hours, since: datetime | None, now: datetime) -> tuple[timedelta, Level]:
        """How long somebody has waited in working time; nobody waits where `since` is None."""
        waited = timedelta(0) if since is None else hours.open_between(since, now)
        return waited, self.level(waited)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    balasan_pertama: int = Field(gt=0)
    ingatkan: int = Field(gt=0)
    naikkan: int = Field(gt=0)


def read_standard(data: Path) -> Standard:
    """Raises DeskUnfit."""
    path = data / "standar.yml"
    try:
        read = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise DeskUnfit(f"{path} harus berisi balasan_pertama, ingatkan, naikkan (menit): {error}") from None
    if not read.ingatkan <= read.balasan_pertama <= read.naikkan:
        raise DeskUnfit(f"{path}: ingatkan ≤ balasan_pertama ≤ naikkan")
    return Standard(*(timedelta(minutes=n) for n in (read.balasan_pertama, read.ingatkan, read.naikkan)))
