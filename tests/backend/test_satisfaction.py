"""The index reckons as Permenpan RB 14/2017 does (catalogue.md §3.5)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.satisfaction import Element, Marks
from backend.server import BackendSettings
from tests.backend.conftest import Client

ELEMENTS = [element.value for element in Element]
NOBODY = dict.fromkeys(ELEMENTS, 4)


def sheets(respondents: int, total: int) -> list[dict[str, int]]:
    """Full sheets of nine marks whose sum is `total`."""
    marks = [3] * respondents * 9
    step = 1 if total > sum(marks) else -1
    for index in range(abs(total - sum(marks))):
        marks[index] += step
    assert sum(marks) == total
    return [dict(zip(ELEMENTS, marks[start : start + 9], strict=True)) for start in range(0, len(marks), 9)]


def keep(
    settings: BackendSettings,
    scores: Sequence[dict[str, int]],
    service: str = "surat_uji",
    agency: str = "Kecamatan",
    month: str = "2026-11-01",
) -> None:
    """As many as that would take hours to file."""
    with psycopg.connect(settings.database_url) as connection:
        connection.cursor().executemany(
            "INSERT INTO backend.surveys (id, service, agency, month, scores)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s)",
            [(service, agency, month, json.dumps(each)) for each in scores],
        )


async def total(officer: Client, query: str = "") -> Any:
    status, body = await officer("GET", f"/satisfaction{query}")
    assert status == 200, body
    return body["total"]


async def test_the_source_s_own_figures(officer: Client, settings: BackendSettings) -> None:
    keep(settings, sheets(29, 955))
    marks = await total(officer)
    assert (marks["respondents"], marks["index"], marks["grade"], marks["performance"]) == (
        29,
        91.48,
        "A",
        "sangat baik",
    )
    assert {element["n"] for element in marks["elements"].values()} == {29}


@pytest.mark.parametrize(
    ("count", "sum_", "index", "grade"),
    [
        (10000, 35324, "88.31", "A"),
        (10000, 35322, "88.31", "A"),  # 88.305 is rounded before it is compared
        (10000, 35321, "88.30", "B"),
        (10000, 30644, "76.61", "B"),
        (10000, 30641, "76.60", "C"),
        (10, 26, "65.00", "C"),
        (10000, 25997, "64.99", "D"),
        (1, 4, "100.00", "A"),
        (1, 1, "25.00", "D"),
    ],
)
def test_the_bounds(count: int, sum_: int, index: str, grade: str) -> None:
    marks = Marks(count, {Element.TIME: (count, sum_)})
    assert (str(marks.index), marks.view()["grade"]) == (index, grade)


def test_an_element_that_nobody_marked_is_left_out() -> None:
    marks = Marks(5, {Element.TIME: (5, 20), Element.COST: (1, 2)})
    assert str(marks.index) == "75.00", "the mean of 4 and 2, whoever many marked each"
    assert Marks(0, {}).index is None


@given(st.lists(st.dictionaries(st.sampled_from(list(Element)), st.integers(1, 4), min_size=1), min_size=1))
def test_it_stays_within_its_bounds(each: list[dict[Element, int]]) -> None:
    marks = Marks.together(Marks(1, {element: (1, mark) for element, mark in one.items()}) for one in each)
    assert marks.respondents == len(each)
    assert marks.index is not None
    assert 25 <= marks.index <= 100


async def test_it_is_told_apart_by_service_agency_and_month(officer: Client, settings: BackendSettings) -> None:
    keep(settings, [{"waktu": 4}, {"waktu": 3}])
    keep(settings, [{"waktu": 1}], service="layanan_lama", agency="Dinas")
    keep(settings, [{"waktu": 2}], month="2026-10-01")
    _, body = await officer("GET", "/satisfaction")
    by_service = {(each["service"], each["name"], each["agency"]): each["index"] for each in body["services"]}
    assert by_service == {
        ("surat_uji", "Surat uji", "Kecamatan"): 75.0,
        ("layanan_lama", "layanan_lama", "Dinas"): 25.0,
    }
    assert {each["agency"]: each["respondents"] for each in body["agencies"]} == {"Kecamatan": 3, "Dinas": 1}
    assert (await total(officer))["index"] == 62.5
    for query, respondents in (
        ("?service=surat_uji", 3),
        ("?agency=Dinas", 1),
        ("?from=2026-11", 3),
        ("?from=2026-10-15&to=2026-10", 1),
        ("?service=tidak_ada", 0),
    ):
        assert (await total(officer, query))["respondents"] == respondents


@pytest.mark.parametrize("query", ["from=november", "from=2026-13", "to=2026", "to=20261101T00", "from=2026-11-31"])
async def test_odd_months_are_refused(officer: Client, query: str) -> None:
    assert (await officer("GET", f"/satisfaction?{query}"))[0] == 422


async def test_the_sheet_holds_the_same_and_no_formula(officer: Client, settings: BackendSettings) -> None:
    keep(settings, sheets(29, 955))
    keep(settings, [NOBODY], service="+1", agency='=HYPERLINK("http://x","y")')
    status, body = await officer("GET", "/satisfaction.csv")
    assert status == 200
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert [(row["lingkup"], row["instansi"], row["layanan"], row["responden"]) for row in rows] == [
        ("semua", "", "", "30"),
        ("instansi", '\'=HYPERLINK("http://x","y")', "", "1"),
        ("instansi", "Kecamatan", "", "29"),
        ("layanan", '\'=HYPERLINK("http://x","y")', "'+1", "1"),
        ("layanan", "Kecamatan", "Surat uji", "29"),
    ]
    last = rows[-1]
    assert (last["indeks"], last["mutu"], last["kinerja"]) == ("91.48", "A", "sangat baik")
    assert (last["penilai_waktu"], len(last)) == ("29", 4 + 18 + 3)


async def test_it_is_the_officers(channel: Client) -> None:
    for path in ("/satisfaction", "/satisfaction.csv"):
        assert (await channel("GET", path))[0] == 403
