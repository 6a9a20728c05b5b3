"""When somebody is there: hours of an office without its breaks, weekends, national holidays and joint leave."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

__all__ = ["DAYS", "LOCAL_TIME", "Hours", "Span", "read_week"]

LOCAL_TIME = ZoneInfo("Asia/Jakarta")
DAYS = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")
_FREE = holidays.country_holidays("ID", categories=("public", "government"))
_SPAN = re.compile(r"(\d{1,2})[.:](\d{2})\s*-\s*(\d{1,2})[.:](\d{2})")
_FARTHEST = 40
"""days; the longest row of holidays and joint leave is under two weeks"""

Span = tuple[time, time]
Week = Mapping[int, Span]
"""0 = Monday"""


def read_week(days: Mapping[str, str]) -> Week:
    """From `{senin: 07.30-16.00, …}`. Raises ValueError, in the editor's language."""
    week: dict[int, Span] = {}
    for day, span in days.items():
        if day not in DAYS:
            raise ValueError(f"hari '{day}' tidak dikenal; tulis {', '.join(DAYS)}")
        found = _SPAN.fullmatch(span.strip())
        if found is None:
            raise ValueError(f"jam '{span}' harus seperti 07.30-16.00")
        try:
            opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        except ValueError:
            raise ValueError(f"jam '{span}' tidak ada") from None
        if opens >= closes:
            raise ValueError(f"jam '{span}' tutup sebelum buka")
        week[DAYS.index(day)] = opens, closes
    return week


@dataclass(frozen=True)
class Hours:
    week: Week
    breaks: Week
    closed_on: Collection[date] = ()
    """local holidays"""

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(LOCAL_TIME)
        return any(opens <= local.time() < closes for opens, closes in self._spans(local.date()))

    def next_opening(self, at: datetime) -> datetime | None:
        """When it is open next, `at` itself if it is; None when it never is."""
        if self.is_open(at):
            return at
        local = at.astimezone(LOCAL_TIME)
        for ahead in range(_FARTHEST):
            day = local.date() + timedelta(days=ahead)
            for opens, _ in self._spans(day):
                opening = datetime.combine(day, opens, LOCAL_TIME)
                if opening > local:
                    return opening
        return None

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """How much of that time it was open."""
        first, last = start.astimezone(LOCAL_TIME), end.astimezone(LOCAL_TIME)
        total = timedelta(0)
        for ahead in range((last.date() - first.date()).days + 1):
            day = first.date() + timedelta(days=ahead)
            for opens, closes in self._spans(day):
                begins = max(datetime.combine(day, opens, LOCAL_TIME), first)
                ends = min(datetime.combine(day, closes, LOCAL_TIME), last)
                total += max(ends - begins, timedelta(0))
        return total

    def _spans(self, day: date) -> Sequence[Span]:
        if day in _FREE or day in self.closed_on or day.weekday() not in self.week:
            return ()
        opens, closes = self.week[day.weekday()]
        if day.weekday() not in self.breaks:
            return ((opens, closes),)
        begins, ends = self.breaks[day.weekday()]
        if not opens < begins < ends < closes:
            return ((opens, closes),)
        return ((opens, begins), (ends, closes))
