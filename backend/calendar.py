"""Working days: without Saturdays, Sundays, national holidays and joint leave (catalogue.md §3.4)."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import holidays

__all__ = ["LOCAL_TIME", "add_working_days", "is_working_day"]

LOCAL_TIME = ZoneInfo("Asia/Jakarta")
_FREE = holidays.country_holidays("ID", categories=("public", "government"))


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _FREE


def add_working_days(start: date, count: int) -> date:
    """The `count`-th working day after `start`, which itself isn't counted."""
    day = start
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day
