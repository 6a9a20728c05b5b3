"""Numbers of filings survive being read aloud and typed."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from backend.filing_number import InvalidFilingNumber, draw_filing_number, parse_filing_number

numbers = st.builds(draw_filing_number, st.dates(date(2026, 1, 1), date(2099, 12, 31)))


@given(st.dates(date(2026, 1, 1), date(2099, 12, 31)))
def test_a_number_names_its_month_and_checks_itself(day: date) -> None:
    number = draw_filing_number(day)
    assert re.fullmatch(rf"SDA-{day:%y%m}-[0-9A-HJKMNP-TV-Z]{{6}}", number)
    assert mod_37_36.is_valid(number[4:].replace("-", ""))


@given(numbers)
def test_it_is_read_however_it_is_written(number: str) -> None:
    for written in (
        number.lower(),
        number.replace("-", ""),
        number.replace("-", " "),
        f" {number} ",
        number[:4] + number[4:].replace("0", "O").replace("1", "l"),
    ):
        assert parse_filing_number(written) == number


@given(numbers, st.integers(4, 14), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_noticed(number: str, position: int, character: str) -> None:
    wrong = number[:position] + character + number[position + 1 :]
    if wrong == number or number[position] == "-":
        return
    with pytest.raises(InvalidFilingNumber):
        parse_filing_number(wrong)


@given(st.text())
def test_other_text_is_no_number(text: str) -> None:
    try:
        number = parse_filing_number(text)
    except InvalidFilingNumber:
        return
    assert parse_filing_number(number) == number
