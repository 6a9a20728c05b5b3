"""How content citizens are: the index of Permenpan RB 14/2017 (catalogue.md §3.5), per service and agency.

Each element's mean counts alike; an element that nobody marked is left out, not counted as nothing.
"""

from __future__ import annotations

import csv
import enum
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Integer, Row, Select, cast, func, select, true

from backend.answer import Answer, answer_json
from backend.tables import surveys
from backend.workspace import Workspace
from identity import mask_numbers
from learning.spreadsheet import safe_cell

__all__ = ["Element", "Marks", "Sought", "export_satisfaction", "show_satisfaction"]


class Element(enum.StrEnum):
    """By key: the sources number the last two differently."""

    REQUIREMENTS = "persyaratan"
    PROCEDURE = "prosedur"
    TIME = "waktu"
    COST = "biaya"
    PRODUCT = "produk"
    COMPETENCE = "kompetensi"
    CONDUCT = "perilaku"
    COMPLAINTS = "pengaduan"
    FACILITIES = "sarana"


_GRADES = (
    (Decimal("88.31"), "A", "sangat baik"),
    (Decimal("76.61"), "B", "baik"),
    (Decimal("65.00"), "C", "kurang baik"),
    (Decimal(0), "D", "tidak baik"),
)
"""from, grade, performance; the rounded index is compared"""
_MOST_SUGGESTIONS = 200


@dataclass(frozen=True)
class Sought:
    service: str | None = None
    agency: str | None = None
    first: date | None = None
    last: date | None = None
    """months, by their first days, both included"""

    def of(self, query: Select[Any]) -> Select[Any]:
        columns = ((self.service, surveys.c.service.__eq__), (self.agency, surveys.c.agency.__eq__))
        months = ((self.first, surveys.c.month.__ge__), (self.last, surveys.c.month.__le__))
        return query.where(*(fits(value) for value, fits in (*columns, *months) if value is not None))


@dataclass(frozen=True)
class Marks:
    """Of one service, one agency, or all."""

    respondents: int
    given: Mapping[Element, tuple[int, int]]
    """element → how many marked it, sum of their marks (1 to 4)"""

    @classmethod
    def together(cls, several: Iterable[Marks]) -> Marks:
        respondents = 0
        counts: dict[Element, int] = defaultdict(int)
        sums: dict[Element, int] = defaultdict(int)
        for marks in several:
            respondents += marks.respondents
            for element, (count, total) in marks.given.items():
                counts[element] += count
                sums[element] += total
        return cls(respondents, {element: (counts[element], sums[element]) for element in counts})

    def average(self, element: Element) -> Fraction | None:
        count, total = self.given.get(element, (0, 0))
        return Fraction(total, count) if count else None

    @property
    def index(self) -> Decimal | None:
        """25.00 to 100.00; None without a mark."""
        averages = [average for average in map(self.average, Element) if average is not None]
        return _rounded(25 * sum(averages, Fraction()) / len(averages), 2) if averages else None

    def view(self) -> dict[str, Any]:
        index = self.index
        grade, performance = _grade(index) if index is not None else (None, None)
        return {
            "respondents": self.respondents,
            "elements": {
                element: {"n": self.given.get(element, (0, 0))[0], "average": _number(self.average(element))}
                for element in Element
            },
            "index": None if index is None else float(index),
            "grade": grade,
            "performance": performance,
        }


async def show_satisfaction(workspace: Workspace, sought: Sought) -> Answer:
    by_service = await _marks(workspace, sought)
    query = sought.of(select(surveys.c.service, surveys.c.month, surveys.c.suggestion))
    newest = query.where(surveys.c.suggestion.is_not(None)).order_by(surveys.c.month.desc(), surveys.c.id)
    async with workspace.engine.connect() as connection:
        suggestions = (await connection.execute(newest.limit(_MOST_SUGGESTIONS))).all()
    return answer_json(
        {
            "from": sought.first and f"{sought.first:%Y-%m}",
            "to": sought.last and f"{sought.last:%Y-%m}",
            "total": Marks.together(by_service.values()).view(),
            "agencies": [{"agency": agency, **marks.view()} for agency, marks in _by_agency(by_service).items()],
            "services": [
                {"service": service, "name": _name(workspace, service), "agency": agency, **marks.view()}
                for (service, agency), marks in by_service.items()
            ],
            "suggestions": [_suggestion(workspace, row) for row in suggestions],
        }
    )


async def export_satisfaction(workspace: Workspace, sought: Sought) -> str:
    """CSV: a row for all, for each agency and for each service."""
    by_service = await _marks(workspace, sought)
    rows: list[tuple[str, str, str, Marks]] = [("semua", "", "", Marks.together(by_service.values()))]
    rows += [("instansi", agency, "", marks) for agency, marks in _by_agency(by_service).items()]
    rows += [("layanan", agency, _name(workspace, service), marks) for (service, agency), marks in by_service.items()]
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    columns = [f"{what}_{element}" for element in Element for what in ("rata_rata", "penilai")]
    writer.writerow(["lingkup", "instansi", "layanan", "responden", *columns, "indeks", "mutu", "kinerja"])
    for scope, agency, service, marks in rows:
        view = marks.view()
        elements = [cell for each in view["elements"].values() for cell in (each["average"], each["n"])]
        texts = [safe_cell(text) for text in (scope, agency, service)]
        writer.writerow([*texts, view["respondents"], *elements, marks.index, view["grade"], view["performance"]])
    return sheet.getvalue()


async def _marks(workspace: Workspace, sought: Sought) -> Mapping[tuple[str, str], Marks]:
    """(service, agency) → its marks"""
    each = func.jsonb_each_text(surveys.c.scores).table_valued("key", "value").render_derived()
    counting = sought.of(
        select(surveys.c.service, surveys.c.agency, func.count().label("respondents"))
        .group_by(surveys.c.service, surveys.c.agency)
        .order_by(surveys.c.agency, surveys.c.service)
    )
    adding = sought.of(
        select(surveys.c.service, surveys.c.agency, each.c.key, func.count(), func.sum(cast(each.c.value, Integer)))
        .select_from(surveys)
        .join(each, onclause=true())
        .group_by(surveys.c.service, surveys.c.agency, each.c.key)
    )
    given: dict[tuple[str, str], dict[Element, tuple[int, int]]] = defaultdict(dict)
    async with workspace.engine.connect() as connection:
        counted = (await connection.execute(counting)).all()
        for service, agency, element, count, total in await connection.execute(adding):
            given[service, agency][Element(element)] = (count, total)
    return {(service, agency): Marks(count, given[service, agency]) for service, agency, count in counted}


def _by_agency(by_service: Mapping[tuple[str, str], Marks]) -> Mapping[str, Marks]:
    grouped: dict[str, list[Marks]] = defaultdict(list)
    for (_, agency), marks in by_service.items():
        grouped[agency].append(marks)
    return {agency: Marks.together(several) for agency, several in grouped.items()}


def _name(workspace: Workspace, identifier: str) -> str:
    service = workspace.service(identifier)
    return service.name if service else identifier


def _suggestion(workspace: Workspace, row: Row[Any]) -> dict[str, str]:
    text = mask_numbers(workspace.seal.open(row.suggestion).decode())
    return {"service": row.service, "month": f"{row.month:%Y-%m}", "text": text}


def _grade(index: Decimal) -> tuple[str, str]:
    return next((grade, performance) for least, grade, performance in _GRADES if index >= least)


def _number(average: Fraction | None) -> float | None:
    return None if average is None else float(_rounded(average, 4))


def _rounded(value: Fraction, places: int) -> Decimal:
    """Half upwards, from the exact value."""
    scaled = value * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-places).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
