"""Whether an office is open at a moment, national holidays and joint leave taken into account (catalogue.md §3.4)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import holidays

from actions.offices import Office
from actions.texts import Texts, indonesian_date

__all__ = ["tell_day", "tell_now"]

_DAYS = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")
_FREE = holidays.country_holidays("ID", categories=("public", "government"), language="id")
_LOOKED_AHEAD = 30


def tell_day(office: Office, day: date, texts: Texts) -> str:
    """Of one day that is asked about."""
    said = indonesian_date(day)
    if (holiday := _FREE.get(day)) is not None:
        return texts("jam_libur", kantor=office.name, hari=said, libur=holiday)
    hours = office.hours_on(_name(day))
    if hours is None:
        return texts("jam_hari_tutup", kantor=office.name, hari=said)
    return texts("jam_hari", kantor=office.name, hari=said, jam=hours)


def tell_now(office: Office, now: datetime, texts: Texts) -> str:
    """`Sekarang buka sampai 16.00.`, or when it opens next."""
    today = _is_working(office, now.date())
    if today and _within(office.breaks.get(_name(now.date())), now.time()):
        return texts("jam_istirahat", jam=_end(office.breaks[_name(now.date())]))
    if today and _within(office.hours[_name(now.date())], now.time()):
        return texts("jam_sekarang_buka", jam=_end(office.hours[_name(now.date())]))
    day = now.date()
    if not today or now.time() >= _moment(_end(office.hours[_name(day)])):
        day = next((d for d in _following(day) if _is_working(office, d)), day)
    return texts("jam_sekarang_tutup", hari=indonesian_date(day), jam=office.hours[_name(day)].partition("-")[0])


def _following(day: date) -> list[date]:
    return [day + timedelta(days=ahead) for ahead in range(1, _LOOKED_AHEAD)]


def _is_working(office: Office, day: date) -> bool:
    return _name(day) in office.hours and day not in _FREE


def _name(day: date) -> str:
    return _DAYS[day.weekday()]


def _within(span: str | None, at: time) -> bool:
    return span is not None and _moment(span.partition("-")[0]) <= at < _moment(_end(span))


def _end(span: str) -> str:
    return span.partition("-")[2]


def _moment(written: str) -> time:
    """`07.30`"""
    hour, _, minute = written.partition(".")
    return time(int(hour), int(minute))
