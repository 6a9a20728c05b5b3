"""Working days: weekends, national holidays and joint leave don't count."""

from __future__ import annotations

from datetime import date

import pytest

from backend.calendar import add_working_days


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-24", 1, "2026-11-25"),
        ("2026-11-24", 4, "2026-11-30"),
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-11-28", 1, "2026-11-30"),
        ("2026-12-23", 1, "2026-12-28"),
        ("2026-12-31", 1, "2027-01-04"),
        ("2026-08-14", 1, "2026-08-18"),
    ],
)
def test_the_day_of_filing_does_not_count(start: str, days: int, due: str) -> None:
    assert add_working_days(date.fromisoformat(start), days) == date.fromisoformat(due)
