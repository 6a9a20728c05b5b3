"""Hours: breaks, weekends, holidays, and which agency a service belongs to."""

from __future__ import annotations

import shutil
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.agencies import GENERAL, Agencies, DeskUnfit
from bot.desk.hours import LOCAL_TIME, Hours, read_week
from tests.bot.conftest import AGENCIES, DATA

WEEK = read_week({"senin": "07.30-16.00", "jumat": "07.30-16.30"})
BREAKS = read_week({"senin": "12.00-13.00", "jumat": "11.30-13.00"})


def _local(day: int, hour: int, minute: int = 0, *, month: int = 4, year: int = 2027) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LOCAL_TIME)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (_local(5, 7, 29), False),
        (_local(5, 7, 30), True),
        (_local(5, 12), False),
        (_local(5, 13), True),
        (_local(5, 16), False),
        (_local(6, 9), False),
        (_local(10, 9), False),
        (_local(17, 9, month=8, year=2026), False),
    ],
    ids=["before", "opens", "break", "after the break", "closes", "no hours that day", "Saturday", "independence day"],
)
def test_open(moment: datetime, is_open: bool) -> None:
    assert Hours(WEEK, BREAKS).is_open(moment) is is_open


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        (_local(5, 6), _local(5, 7, 30)),
        (_local(5, 9), _local(5, 9)),
        (_local(5, 12, 15), _local(5, 13)),
        (_local(5, 17), _local(9, 7, 30)),
        (_local(9, 17), _local(12, 7, 30)),
    ],
)
def test_next_opening(moment: datetime, opening: datetime) -> None:
    assert Hours(WEEK, BREAKS).next_opening(moment) == opening


def test_a_local_holiday_is_one_more_day_closed() -> None:
    hours = Hours(WEEK, BREAKS, frozenset({date(2027, 4, 9)}))
    assert hours.next_opening(_local(5, 17)) == _local(12, 7, 30)


def test_an_office_without_hours_never_opens() -> None:
    assert Hours({}, {}).next_opening(_local(5, 9)) is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)))  # noqa: DTZ001 the zone follows
def test_the_next_opening_is_the_first_open_moment(naive: datetime) -> None:
    moment = naive.replace(tzinfo=LOCAL_TIME)
    hours = AGENCIES[GENERAL].hours
    opening = hours.next_opening(moment)
    assert opening is not None
    assert opening >= moment
    assert hours.is_open(opening)
    assert opening == moment or not hours.is_open(opening - timedelta(minutes=1))
    assert opening == moment or opening.timetz().replace(tzinfo=None) in {time(7, 30), time(13, 0)}


@pytest.mark.parametrize(
    ("service", "agency"),
    [
        ("ktp_hilang", "dispendukcapil"),
        ("konsultasi_hukum", "kejari"),
        ("sk_domisili", "desa"),
        ("ktp", "dispendukcapil"),
        (None, GENERAL),
        ("tidak_ada", GENERAL),
        ("../../etc/passwd", GENERAL),
    ],
)
def test_the_agency_of_a_service(service: str | None, agency: str) -> None:
    assert AGENCIES.of_service(service) == agency


def test_every_service_has_an_agency_of_its_own() -> None:
    for file in (DATA / "layanan").glob("*.yml"):
        assert AGENCIES.of_service(file.stem) != GENERAL, file.stem


@pytest.mark.parametrize(
    ("file", "change", "complaint"),
    [
        ("meja.yml", {"prioritas": {"marah": "banyak"}}, "prioritas.marah"),
        ("meja.yml", {"istirahat": {"senen": "12.00-13.00"}}, "'senen'"),
        ("meja.yml", {"istirahat": {"senin": "12-13"}}, "'12-13'"),
        ("meja.yml", {"istirahat": {"senin": "13.00-12.00"}}, "sebelum buka"),
        ("meja.yml", {"umum": None}, "umum"),
        ("meja.yml", {"lain": 1}, "lain"),
    ],
)
def test_an_unfit_file_says_what_to_mend(tmp_path: Path, file: str, change: dict[str, object], complaint: str) -> None:
    shutil.copy(DATA / "kantor.yml", tmp_path)
    delivered = yaml.safe_load((DATA / file).read_text(encoding="utf-8"))
    (tmp_path / file).write_text(yaml.safe_dump({**delivered, **change}), encoding="utf-8")
    with pytest.raises(DeskUnfit, match=complaint):
        Agencies(tmp_path)
