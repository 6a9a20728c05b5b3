from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import InvalidNumber, mask_digits, parse_kk_number, parse_nik, parse_phone, redact

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "born", "female"),
    [
        pytest.param("3515085708909999", date(1990, 8, 17), True, id="a woman's day is 40 higher"),
        pytest.param("3515 0817 0890 0001", date(1990, 8, 17), False, id="blanks"),
        pytest.param("35.15.08.170890.0001", date(1990, 8, 17), False, id="dots"),
        pytest.param("3515080101260001", date(2026, 1, 1), False, id="born this year"),
        pytest.param("3515083112260001", date(1926, 12, 31), False, id="not born yet, so a century ago"),
        pytest.param("1171010101900001", date(1990, 1, 1), False, id="first issued elsewhere"),
    ],
)
def test_reads_nik(text: str, born: date, female: bool) -> None:
    nik = parse_nik(text, today=TODAY)
    assert (nik.birth_date, nik.female) == (born, female)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("351508570890999", "15 angka", id="15 digits"),
        pytest.param("35150857089099999", "17 angka", id="17 digits"),
        pytest.param("3515083202909999", "tanggal", id="32 February"),
        pytest.param("3515087299909999", "tanggal", id="month 99"),
        pytest.param("3515081708900000", "tidak mungkin", id="serial 0000"),
        pytest.param("351508170890000O", "tanpa huruf", id="a letter"),
        pytest.param("٣٥١٥٠٨٥٧٠٨٩٠٩٩٩٩", "tanpa huruf", id="Arabic digits"),
        pytest.param("", "tanpa huruf", id="nothing"),
    ],
)
def test_refuses_impossible_nik_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidNumber, match=reason):
        parse_nik(text, today=TODAY)


def test_reads_kk_number_issued_in_the_past_only() -> None:
    assert parse_kk_number("3515 0801 0115 0007", today=TODAY) == "3515080101150007"
    with pytest.raises(InvalidNumber):
        parse_kk_number("3515085708909999", today=TODAY)  # a woman's NIK
    with pytest.raises(InvalidNumber):
        parse_kk_number("3515082512260007", today=TODAY)  # next month


@pytest.mark.parametrize(
    "text", ["081234567890", "+62 812-3456-7890", "62 812 3456 7890", "8123-456-7890", "(0812) 3456.7890"]
)
def test_reads_phone_however_written(text: str) -> None:
    assert parse_phone(text) == "+6281234567890"


@pytest.mark.parametrize("text", ["031-8952939", "0812", "08123456789012345", "halo", "+1 555 123 4567"])
def test_refuses_what_is_no_mobile_number(text: str) -> None:
    with pytest.raises(InvalidNumber):
        parse_phone(text)


@given(st.text(max_size=40))
def test_parsers_raise_nothing_else(text: str) -> None:
    for parse in (lambda t: parse_nik(t, today=TODAY), lambda t: parse_kk_number(t, today=TODAY), parse_phone):
        with contextlib.suppress(InvalidNumber):
            parse(text)


def test_masks_and_redacts() -> None:
    assert mask_digits("3515085708909999") == "3515••••••••9999"
    assert mask_digits("+6281234567890") == "+62812••••••90"
    assert redact("nik 3515 0857 0890 9999, hp 0812-3456-7890, umur 35") == "nik [nomor], hp [nomor], umur 35"
