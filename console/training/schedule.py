"""When models are trained by themselves, and what a training may take: `data/latihan.yml`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.desk.hours import DAYS, LOCAL_TIME

__all__ = ["Limits", "Schedule", "ScheduleUnfit", "read_schedule"]

_LATE = timedelta(hours=1)
"""So late it may still begin: another run was under way, or nobody was there."""


class ScheduleUnfit(Exception):
    """The file can't be used; the message says what to mend."""


@dataclass(frozen=True)
class Limits:
    minutes: float
    megabytes: float
    """of memory that is really used, by all of its processes together"""


@dataclass(frozen=True)
class Schedule:
    active: bool
    days: Collection[int]
    """0 = Monday"""
    at: time
    limits: Limits

    def slot(self, now: datetime) -> str | None:
        """The name of what is due now, the same for whoever asks: `2026-11-29 02.00`. None where nothing is."""
        local = now.astimezone(LOCAL_TIME)
        begin = datetime.combine(local.date(), self.at, LOCAL_TIME)
        if not self.active or begin.weekday() not in self.days or not begin <= local < begin + _LATE:
            return None
        return f"{begin:%Y-%m-%d %H.%M}"

    @property
    def sentence(self) -> str:
        """In Indonesian."""
        if not self.active:
            return "Tidak ada jadwal (data/latihan.yml)."
        named = ", ".join(DAYS[day] for day in sorted(self.days))
        return f"Terjadwal: {named} pukul {self.at:%H.%M} WIB."


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    menit: float = Field(gt=0)
    memori_mb: float = Field(gt=0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    aktif: bool
    hari: list[str] = Field(min_length=1)
    jam: str = Field(pattern=r"^([01]\d|2[0-3])[.:][0-5]\d$")
    batas: _Limits

    @field_validator("hari")
    @classmethod
    def _known(cls, days: list[str]) -> list[str]:
        if unknown := set(days) - set(DAYS):
            raise ValueError(f"hari '{unknown.pop()}' tidak dikenal; tulis {', '.join(DAYS)}")
        return days


def read_schedule(data: Path) -> Schedule:
    """Raises ScheduleUnfit."""
    path = data / "latihan.yml"
    try:
        read = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ScheduleUnfit(
            f"{path} harus berisi aktif, hari, jam (02.00) dan batas (menit, memori_mb): {error}"
        ) from None
    at = time.fromisoformat(read.jam.replace(".", ":"))
    limits = Limits(read.batas.menit, read.batas.memori_mb)
    return Schedule(read.aktif, {DAYS.index(day) for day in read.hari}, at, limits)
