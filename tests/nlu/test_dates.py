from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.dates import find_dates

TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "written", "value"),
    [
        ("besok", "besok", "2026-11-25"),
        ("mene preian ta", "mene", "2026-11-25"),
        ("sesuk buka?", "sesuk", "2026-11-25"),
        ("bayi lahir 070326 di bidan", "070326", "2026-03-07"),
        ("tgl lahir: 15081979", "15081979", "1979-08-15"),
        ("tanggal telulikur sasi iki", "tanggal telulikur sasi iki", "2026-11-23"),
        ("tgl selawe sasi ngarep", "tgl selawe sasi ngarep", "2026-12-25"),
        ("tanggal pitu likur desember", "tanggal pitu likur desember", "2026-12-27"),
        ("telung dino kepungkur", "telung dino kepungkur", "2026-11-21"),
        ("patang minggu maneh", "patang minggu maneh", "2026-12-22"),
        ("tanggal kalih welas sasi niki", "tanggal kalih welas sasi niki", "2026-11-12"),
        ("besok lusa ya", "besok lusa", "2026-11-26"),
        ("hari ini", "hari ini", "2026-11-24"),
        ("dinten niki", "dinten niki", "2026-11-24"),
        ("ilang WINGI", "WINGI", "2026-11-23"),
        ("kemarin lusa", "kemarin lusa", "2026-11-22"),
        ("lahir 12 mei 1990.", "12 mei 1990", "1990-05-12"),
        ("12 mei 90", "12 mei 90", "1990-05-12"),
        ("12 Mei '90", "12 Mei '90", "1990-05-12"),
        ("12/5/90", "12/5/90", "1990-05-12"),
        ("12-05-1990", "12-05-1990", "1990-05-12"),
        ("tgl lahir 05 11 1988", "05 11 1988", "1988-11-05"),
        ("1990-05-12", "1990-05-12", "1990-05-12"),
        ("29/2/2000", "29/2/2000", "2000-02-29"),
        ("3/1/25", "3/1/25", "2025-01-03"),
        ("tanggal 3 November", "tanggal 3 November", "2026-11-03"),
        ("12 desember", "12 desember", "2026-12-12"),
        ("tgl 3 bulan depan", "tgl 3 bulan depan", "2026-12-03"),
        ("tgl 3 wulan ngarep", "tgl 3 wulan ngarep", "2026-12-03"),
        ("senin depan", "senin depan", "2026-11-30"),
        ("senin minggu depan", "senin minggu depan", "2026-11-30"),
        ("rebo ngarep", "rebo ngarep", "2026-12-02"),
        ("senin lalu", "senin lalu", "2026-11-23"),
        ("sabtu buka ga", "sabtu", "2026-11-28"),
        ("hari minggu buka?", "hari minggu", "2026-11-29"),
        ("minggu lalu", "minggu lalu", "2026-11-17"),
        ("3 hari lagi", "3 hari lagi", "2026-11-27"),
        ("dua minggu lagi", "dua minggu lagi", "2026-12-08"),
        ("seminggu lalu", "seminggu lalu", "2026-11-17"),
        ("2 bulan yang lalu", "2 bulan yang lalu", "2026-09-24"),
        (
            "tanggal tujuh belas agustus seribu sembilan ratus sembilan puluh",
            "tanggal tujuh belas agustus seribu sembilan ratus sembilan puluh",
            "1990-08-17",
        ),
        (
            "dua belas mei sembilan belas sembilan puluh",
            "dua belas mei sembilan belas sembilan puluh",
            "1990-05-12",
        ),
        ("dua puluh satu april dua ribu satu", "dua puluh satu april dua ribu satu", "2001-04-21"),
    ],
)
def test_dates_people_write(text: str, written: str, value: str) -> None:
    (found,) = find_dates(text, TUESDAY)
    assert (text[found.start : found.end], found.value.isoformat()) == (written, value)


@pytest.mark.parametrize(
    "text",
    [
        "3515085708909999",
        "SDA-2611-7K4QX9",
        "jam 10.30",
        "rt 3/4",
        "no 12/3",
        "kk 3 orang 2 anak",
        "31/2/1990",
        "45 mei 1990",
        "mau nikah bulan maret",
        "tahun lalu",
        "mendesak",
        "08123456789",
        "dua ribu dua belas",
        "setiap rabu ada posyandu",
        "tiap hari jumat tutup?",
        "saben kemis",
        "kurang 3 hari lagi",
        "krg seminggu lagi nikah",
        "buka senin sampai jumat",
        "senin-kamis jam berapa",
        "taun wingi wis lapor",
        "bulan kemarin sudah bayar",
        "sudah empat hari ini belum jadi",
        "kode 070326",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert not find_dates(text, TUESDAY)


@given(st.text(max_size=80), st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_any_text_gives_dates_in_order_and_inside_it(text: str, today: date) -> None:
    at = 0
    for found in find_dates(text, today):
        assert at <= found.start < found.end <= len(text)
        at = found.end


@given(
    st.dates(date(1920, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["{0.day}/{0.month}/{0.year}", "{0.day}-{0.month:02}-{0.year}", "{0}"]),
)
def test_written_dates_are_read_back(day: date, form: str) -> None:
    (found,) = find_dates(f"lahir {form.format(day)} ya", TUESDAY)
    assert found.value == day
