"""The catalogue alone is enough to know a service; examples teach what names none."""

from __future__ import annotations

import pytest

from nlu.catalogue import Named
from nlu.examples import NO_SERVICE, Example
from nlu.service_finder import ServiceModel


def service(name: str, others: list[str], families: list[str]) -> Named:
    phrases = [f"mau urus {other}" for other in others] + [f"{other} caranya bagaimana" for other in others]
    return Named(name, others, phrases, families, False)


@pytest.fixture(scope="module")
def model() -> ServiceModel:
    catalogue = [
        service("ktp_hilang", ["ktp hilang", "ktp ilang", "ktp raib"], ["ktp"]),
        service("ktp_rusak", ["ktp rusak", "ktp patah", "ktp pecah"], ["ktp"]),
        service("izin_keramaian", ["izin keramaian", "hajatan dangdut", "izin hajatan"], []),
        Named(
            "ktp",
            ["ktp", "kartu tanda penduduk", "e-ktp"],
            ["mau urus ktp", "bikin ktp", "ngurus ktp gimana"],
            [],
            True,
        ),
    ]
    texts = ["halo", "terima kasih ya", "pagi min", "resep rawon", "bayar berapa", "jam buka kantor", "siapa presiden"]
    return ServiceModel.learn([Example(text, "x", NO_SERVICE) for text in texts], catalogue)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("mau urus ktp hilang", "ktp_hilang"), ("izin hajatan dong", "izin_keramaian"), ("mau urus ktp", "ktp")],
)
def test_service_or_family(model: ServiceModel, text: str, expected: str) -> None:
    found = model.find(text)
    assert found is not None
    assert found.id == expected
    assert 0 < found.confidence <= 1
    assert expected not in [label for label, _ in found.alternatives]


def test_span_of_the_name(model: ServiceModel) -> None:
    text = "pak, KTP ilang gimana?"
    found = model.decide(text, {"ktp_hilang": 0.9})
    assert found is not None
    assert text[found.start : found.end] == "KTP ilang"


def test_none(model: ServiceModel) -> None:
    assert model.find("terima kasih min") is None


def test_two_services_of_a_family_make_the_family(model: ServiceModel) -> None:
    found = model.decide("ktp", {"ktp_hilang": 0.35, "ktp_rusak": 0.35, NO_SERVICE: 0.3})
    assert found is not None
    assert (found.id, round(found.confidence, 2)) == ("ktp", 0.7)
    assert [label for label, _ in found.alternatives] == ["ktp_hilang", "ktp_rusak"]
