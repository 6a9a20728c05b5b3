"""Labelled messages as CSV, for those who sort them in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from learning.example import Example

__all__ = ["SpreadsheetUnfit", "parse_csv", "render_csv", "safe_cell"]

_COLUMNS: Final = ("teks", "maksud", "layanan", "ragam", "penulis")
_RECKONED = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes a cell that begins so for a formula."""


class SpreadsheetUnfit(ValueError):
    """The message is an Indonesian sentence that names the row."""


def render_csv(examples: Iterable[Example]) -> str:
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for example in examples:
        row = (example.text, example.intent, example.service or "", example.variety, example.author)
        rows.writerow([safe_cell(cell) for cell in row])
    return written.getvalue()


def safe_cell(cell: str) -> str:
    """A cell that no spreadsheet reckons."""
    # What begins with an apostrophe gets one too, so that taking it off is always right.
    return f"'{cell}" if cell.startswith((*_RECKONED, "'")) else cell


def parse_csv(text: str) -> list[Example]:
    """What `render_csv` or a spreadsheet has written, `;` between the columns as well. Raises SpreadsheetUnfit."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    examples = []
    try:
        if not {"teks", "maksud"} <= set(rows.fieldnames or ()):
            raise SpreadsheetUnfit("Baris pertama harus memuat kolom teks dan maksud.")
        for row in rows:
            cells = {name: _unsafe((row.get(name) or "").strip()) for name in _COLUMNS}
            if not any(cells.values()):
                continue
            if not cells["maksud"]:
                raise SpreadsheetUnfit(f"Baris {rows.line_num}: kolom maksud kosong.")
            examples.append(
                Example(cells["teks"], cells["maksud"], cells["layanan"] or None, cells["ragam"], cells["penulis"])
            )
    except csv.Error:
        raise SpreadsheetUnfit(f"Baris {rows.line_num} tidak terbaca sebagai CSV.") from None
    except ValueError as error:
        if isinstance(error, SpreadsheetUnfit):
            raise
        raise SpreadsheetUnfit(f"Baris {rows.line_num}: teksnya harus satu baris dan tidak kosong.") from None
    return examples


def _unsafe(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith((*_RECKONED, "'")) else cell
