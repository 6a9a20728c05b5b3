"""When an office is open: breaks, weekends, national holidays and joint leave."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from actions.offices import Offices
from actions.opening import tell_day, tell_now
from actions.texts import Texts
from tests.stack.running import ROOT

OFFICE = Offices(ROOT / "data")["dispendukcapil"]
TEXTS = Texts(ROOT / "data")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        pytest.param("2026-11-24 09:30", "Sekarang buka, sampai 16.00.", id="a working day"),
        pytest.param("2026-11-24 12:15", "Sekarang istirahat, buka lagi 13.00.", id="break"),
        pytest.param("2026-11-27 12:15", "Sekarang istirahat, buka lagi 13.00.", id="Friday's longer break"),
        pytest.param("2026-11-24 06:00", "Sekarang tutup, buka lagi Selasa, 24 November 2026 jam 07.30.", id="early"),
        pytest.param("2026-11-27 16:30", "Sekarang tutup, buka lagi Senin, 30 November 2026 jam 07.30.", id="weekend ahead"),
        pytest.param("2026-12-23 18:00", "Sekarang tutup, buka lagi Senin, 28 Desember 2026 jam 07.30.", id="holidays ahead"),
    ],
)  # fmt: skip
def test_now(now: str, said: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Asia/Jakarta"))
    assert tell_now(OFFICE, moment, TEXTS) == said


@pytest.mark.parametrize(
    ("day", "part"),
    [
        ("2026-11-25", "buka 07.30-16.00 (istirahat 12.00-13.00)"),
        ("2026-11-28", "Sabtu, 28 November 2026: Dinas Kependudukan dan Pencatatan Sipil (Dispendukcapil) tutup."),
        ("2026-12-25", "tutup, Hari Raya Natal"),
        ("2026-12-24", "tutup, Cuti Bersama"),
    ],
)
def test_day(day: str, part: str) -> None:
    assert part in tell_day(OFFICE, datetime.fromisoformat(day).date(), TEXTS)


def test_the_week_in_words() -> None:
    assert OFFICE.opening() == (
        "Senin-Kamis 07.30-16.00 (istirahat 12.00-13.00), Jumat 07.30-16.30 (istirahat 11.30-13.00); Sabtu dan Minggu tutup"
    )


def test_a_filings_office_is_found_among_the_services() -> None:
    offices = Offices(ROOT / "data")
    found = offices.serving(("dispendukcapil", "kecamatan"), "Kecamatan Candi")
    assert found is not None
    assert found.id == "kecamatan"
    assert offices.serving(("mpp",), "Kecamatan Candi") is None
