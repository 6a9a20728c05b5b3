"""Every sentence of the dialogue, from `data/teks/percakapan.yml`, so that people who don't program can mend them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml

__all__ = ["Texts", "indonesian_date"]

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip


class Texts:
    def __init__(self, data: Path) -> None:
        self._texts: dict[str, str] = yaml.safe_load((data / "teks" / "percakapan.yml").read_text(encoding="utf-8"))

    def __call__(self, key: str, /, **values: str | int) -> str:
        """Raises KeyError for a sentence or a placeholder that isn't there; a test checks them all."""
        return self._texts[key].strip().format_map(values)


def indonesian_date(day: date) -> str:
    """`Kamis, 26 November 2026`"""
    return f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"
