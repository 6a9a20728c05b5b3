from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.places import load_gazetteer

ROWS = list(csv.DictReader((Path(__file__).parents[2] / "data" / "wilayah.csv").open(encoding="utf-8")))


def found(text: str) -> list[tuple[str, str]]:
    return [(place.level, place.name) for place in load_gazetteer().find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rumah saya di bluru kidul", [("desa", "Blurukidul")]),
        ("kec waru", [("kecamatan", "Waru")]),
        ("desa waru", [("desa", "Waru")]),
        ("tambak sawah waru", [("desa", "Tambaksawah"), ("kecamatan", "Waru")]),
        ("desa suko", [("desa", "Suko")]),
        ("kecamatan sidoarjo", [("kecamatan", "Sidoarjo")]),
        ("kec. balongbndo", [("kecamatan", "Balongbendo")]),
        ("kel lemah putro", [("desa", "Lemahputro")]),
        ("desa simo angin-angin", [("desa", "Simoangin-angin")]),
        ("kecamatan krian desa tropodo", [("kecamatan", "Krian"), ("desa", "Tropodo")]),
        ("kcmtn porong", [("kecamatan", "Porong")]),
        ("klrhn magersari", [("desa", "Magersari")]),
        ("dsn kludan", [("desa", "Kludan")]),
        ("tropodo krian", [("desa", "Tropodo"), ("kecamatan", "Krian")]),
        ("waru macet", []),
        ("sy di sidoarjo", []),
        ("tropodo", []),
        ("disuruh ke kantor", []),
        ("suruh bawa apa", []),
        ("sepanjang jalan", []),
        ("pasar larangan", []),
    ],
)
def test_places_people_write(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@given(st.sampled_from(ROWS))
def test_every_desa_with_its_level(row: dict[str, str]) -> None:
    assert ("desa", row["nama"]) in found(f"saya warga desa {row['nama'].lower()}")


@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    for place in load_gazetteer().find(text):
        assert 0 <= place.start < place.end <= len(text)
