"""Dates the way people write them, Indonesian and Javanese; "today" is given, so that nothing depends on the clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Optional

from nlu.normaliser import flatten
from nlu.numerals import in_digits

__all__ = ["FoundDate", "find_dates"]


@dataclass(frozen=True)
class FoundDate:
    start: int
    end: int
    value: date


_MONTHS = {
    "januari|jan|januwari": 1,
    "februari|pebruari|febuari|feb|peb": 2,
    "maret|mrt|mar": 3,
    "april|apr": 4,
    "mei|mai": 5,
    "juni|jun": 6,
    "juli|jul": 7,
    "agustus|agst|agt|ags|agus|agu": 8,
    "september|sept|sep": 9,
    "oktober|okt|oct": 10,
    "november|nopember|nov|nop": 11,
    "desember|des|dec": 12,
}
_WEEKDAYS = {
    "senin|senen": 0,
    "selasa|seloso|slasa": 1,
    "rabu|rebo": 2,
    "kamis|kemis": 3,
    "jum'?at|jemuwah|jemuah|jumuah": 4,
    "sabtu|setu": 5,
    "minggu|ahad|akad": 6,
}
_DAYS_AWAY = {
    r"besok ?lusa|bsk ?lusa|lusa|suk ?emben|sesuk ?emben|emben": 2,
    r"besok|besuk|bsk|mene|sesuk|mbenjing|benjing|benjang": 1,
    r"hari ini|hr ini|dino iki|dina iki|dinten (?:niki|punika|meniko|menika)": 0,
    r"kemarin ?lusa|kmrn ?lusa|wingenane|wingi ?uni": -2,
    r"kolo ?wingi|kala ?wingi|kemarin|kemaren|kmrn|kmaren|wingi": -1,
}
_FORWARD = r"depan|dpn|ngarep|ngajeng|yang akan datang|yad|sing arep teko"
_BACK = r"lalu|yang lalu|yg lalu|kemarin|kemaren|kmrn|wingi|kepungkur|sing kepungkur|ingkang kepengker|kepengker"
_UNITS_OF_DAYS = {"hari|hr|dino|dina|dinten": 1, "minggu|mgg|pekan|peken": 7}
_UNITS_OF_MONTHS = {"bulan|bln|wulan|sasi": 1, "tahun|thn|th|taun|warsa": 12}

_MONTH = "|".join(_MONTHS)
_WEEKDAY = "|".join(_WEEKDAYS)
_WEEKDAY_ALONE = "|".join(pattern for pattern, number in _WEEKDAYS.items() if number < 6)
"""A lone "minggu" is a week."""
_UNIT = "|".join([*_UNITS_OF_DAYS, *_UNITS_OF_MONTHS])
_YEAR = r"(?P<year>(?:19|20) ?\d\d|\d\d)"
_TANGGAL = r"(?:tanggal|tggl|tgl|tanggale|tgle)\.? ?"

_Resolver = Callable[["re.Match[str]", date], Optional[date]]


def find_dates(text: str, today: date) -> Sequence[FoundDate]:
    """In order, without overlaps. A day without a year is the nearest one; two digits of a year are this or the last century."""
    rewritten = in_digits(flatten(text))
    found: list[FoundDate] = []
    taken: list[tuple[int, int]] = []
    for pattern, resolve in _PATTERNS:
        for match in pattern.finditer(rewritten.text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            value = resolve(match, today)
            if value is None:
                continue
            taken.append(match.span())
            if not _is_span(rewritten.text, match):
                written = match.span("date") if "date" in match.re.groupindex else match.span()
                found.append(FoundDate(*rewritten.span(*written), value))
    return sorted(found, key=lambda each: each.start)


def _is_span(text: str, match: re.Match[str]) -> bool:
    """A stretch of time or a habit: "tiap sabtu", "kurang seminggu lagi", "senin sampai jumat", "tahun kemarin"."""
    before, after = text[: match.start()], text[match.end() :]
    return bool(_SPAN_BEFORE.search(before) or (_WEEKDAYS_ONLY.fullmatch(match[0]) and _TO_WEEKDAY.match(after)))


def _iso(match: re.Match[str], today: date) -> Optional[date]:
    return _day(int(match["year"]), int(match["month"]), int(match["day"]))


def _numbers(match: re.Match[str], today: date) -> Optional[date]:
    return _day(_full_year(match["year"], today), int(match["month"]), int(match["day"]))


def _day_and_month(match: re.Match[str], today: date) -> Optional[date]:
    month, day = _key(_MONTHS, match["month"]), int(match["day"])
    if match["year"]:
        return _day(_full_year(match["year"], today), month, day)
    return _nearest((_day(today.year + years, month, day) for years in (-1, 0, 1)), today)


def _day_over_month(match: re.Match[str], today: date) -> Optional[date]:
    return _nearest((_day(today.year + years, int(match["month"]), int(match["day"])) for years in (-1, 0, 1)), today)


def _day_of_near_month(match: re.Match[str], today: date) -> Optional[date]:
    """ "tgl 3 bulan depan", "tanggal 3" """
    day = int(match["day"])
    if match["which"] is None:
        return _nearest((_in_month(today, months, day) for months in (-1, 0, 1)), today)
    return _in_month(today, _direction(match["which"]), day)


def _weekday(match: re.Match[str], today: date) -> Optional[date]:
    weekday = _key(_WEEKDAYS, match["weekday"] or match["alone"])
    this_week = today + timedelta(days=weekday - today.weekday())
    which = match["which"]
    if re.fullmatch("ini|iki|niki", which):
        return this_week
    if match["of_week"]:
        return this_week + timedelta(days=7 * _direction(which))
    if _direction(which) > 0:
        return this_week + timedelta(days=7)
    return this_week if this_week < today else this_week - timedelta(days=7)


def _next_weekday(match: re.Match[str], today: date) -> Optional[date]:
    weekday = _key(_WEEKDAYS, match["weekday"] or match["alone"])
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def _weeks_away(match: re.Match[str], today: date) -> Optional[date]:
    return today + timedelta(days=7 * _direction(match["which"]))


def _some_away(match: re.Match[str], today: date) -> Optional[date]:
    """ "3 hari lagi", "seminggu lalu", "2 bulan lagi" """
    count = 1 if match["count"] in (None, "se", "sak") else int(match["count"])
    if count > 200:
        return None
    sign = 1 if re.fullmatch("lagi|lg|maneh|malih|engkas|kedepan|ke depan", match["which"]) else -1
    days = _key(_UNITS_OF_DAYS, match["unit"])
    if days:
        return today + timedelta(days=sign * count * days)
    return _in_month(today, sign * count * _key(_UNITS_OF_MONTHS, match["unit"]), today.day)


def _days_away(match: re.Match[str], today: date) -> Optional[date]:
    return today + timedelta(days=_key(_DAYS_AWAY, match[0]))


def _key(table: dict[str, int], word: str) -> int:
    return next((value for pattern, value in table.items() if re.fullmatch(pattern, word)), 0)


def _direction(which: str) -> int:
    if re.fullmatch(_FORWARD, which):
        return 1
    return -1 if re.fullmatch(_BACK, which) else 0


def _full_year(written: str, today: date) -> int:
    digits = written.replace(" ", "")
    if len(digits) == 4:
        return int(digits)
    year = int(digits)
    # A few years ahead are plans; what is later is a birth.
    return 2000 + year if year <= today.year % 100 + 5 else 1900 + year


def _in_month(today: date, months: int, day: int) -> Optional[date]:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return _day(year, month + 1, day) or (_day(year, month + 1, 28) if day == today.day and day > 28 else None)


def _nearest(candidates: Iterable[Optional[date]], today: date) -> Optional[date]:
    known = [candidate for candidate in candidates if candidate is not None]
    return min(known, key=lambda candidate: (abs(candidate - today), candidate < today), default=None)


def _day(year: int, month: int, day: int) -> Optional[date]:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'/])(?:{pattern})(?![\w/])")


_SPAN_BEFORE = re.compile(
    r"\b(?:(?:se)?tiap(?: ?2|-tiap)?|saben|sben|kurang|krg|selama|slama|suwene|"
    rf"(?:{_WEEKDAY})(?: ?- ?| (?:sampai|sampe|s/d|sd|nganti|ngantos) )|"
    r"(?:tahun|thn|taun|th|bulan|bln|sasi|wulan)(?= (?!.))|\d+(?= (?!.))) ?(?:hari |hr |dino |dinten )?$"
)
_WEEKDAYS_ONLY = re.compile(rf"(?:(?:hari|hr|dino|dinten) )?(?:{_WEEKDAY})")
_TO_WEEKDAY = re.compile(rf"(?: ?- ?| (?:sampai|sampe|s/d|sd|nganti|ngantos) )(?:hari )?(?:{_WEEKDAY})\b")
_DAY_PREFIX = rf"(?:(?:hari |hr |dino |dinten )?(?:{_WEEKDAY}),? ?)?(?:{_TANGGAL})?"
_PATTERNS: Sequence[tuple[re.Pattern[str], _Resolver]] = (
    (
        _compile(
            rf"(?:lahir|lhr|lair|lahire|laire|lahirnya|kelahiran|ttl|miyos)[ ,:.]*(?:{_TANGGAL})?:? ?"
            r"(?P<date>(?P<day>\d\d)(?P<month>\d\d)(?P<year>(?:19|20)?\d\d))"
        ),
        _numbers,
    ),
    (_compile(r"(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"), _iso),
    (_compile(rf"{_DAY_PREFIX}(?P<day>\d{{1,2}}) ?[-/. ] ?(?P<month>\d{{1,2}}) ?[-/.] ?{_YEAR}"), _numbers),
    (_compile(rf"{_DAY_PREFIX}(?P<day>\d{{1,2}}) (?P<month>\d{{1,2}}) (?P<year>(?:19|20)\d\d)"), _numbers),
    (
        _compile(rf"{_DAY_PREFIX}(?P<day>\d{{1,2}}) ?[-/. ] ?(?P<month>\d{{1,2}}) ?(?:tahun|thn|th|taun) ?{_YEAR}"),
        _numbers,
    ),
    (
        _compile(
            rf"{_DAY_PREFIX}(?P<day>\d{{1,2}})[-/. ]*(?:bulan |bln )?(?P<month>{_MONTH})\.?"
            rf"(?:[-/., ]*(?:tahun |thn |th |taun )?'?{_YEAR})?"
        ),
        _day_and_month,
    ),
    (
        _compile(
            rf"{_TANGGAL}(?P<day>\d{{1,2}})(?: ?(?:bulan|bln|wulan|sasi) ?(?P<which>ini|iki|niki|{_FORWARD}|{_BACK}))?"
            r"(?! ?[-/.]? ?\d)"
        ),
        _day_of_near_month,
    ),
    (_compile(rf"{_TANGGAL}(?P<day>\d{{1,2}})[-/](?P<month>\d{{1,2}})"), _day_over_month),
    (
        _compile(
            rf"(?:(?:hari|hr|dino|dinten) (?P<weekday>{_WEEKDAY})|(?P<alone>{_WEEKDAY_ALONE}))"
            rf"(?P<of_week> (?:minggu|mgg|pekan))?(?: (?P<which>ini|iki|niki|{_FORWARD}|{_BACK}))"
        ),
        _weekday,
    ),
    (_compile(rf"minggu (?P<which>{_FORWARD}|{_BACK})"), _weeks_away),
    (
        _compile(
            rf"(?P<count>\d{{1,3}}|se|sak) ?(?P<unit>{_UNIT}) ?"
            r"(?P<which>lagi|lg|maneh|malih|engkas|kedepan|ke depan|yang lalu|yg lalu|lalu|kepungkur|kepengker|silam)"
        ),
        _some_away,
    ),
    (_compile(rf"(?:hari|hr|dino|dinten) (?P<weekday>{_WEEKDAY})|(?P<alone>{_WEEKDAY_ALONE})"), _next_weekday),
    (_compile("|".join(_DAYS_AWAY)), _days_away),
)
