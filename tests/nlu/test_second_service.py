"""Two services in one message: the second isn't lost, and a paper that is only mentioned is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlu.second_service import parts_joined

if TYPE_CHECKING:
    from nlu.evaluation import Models


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mau bikin akta sama KIA sekalian", ["mau bikin akta", "kia"]),
        ("akta & kk", ["akta", "kk"]),
        ("mau bikin akta", []),
        ("mau bikin skck bawa ktp dan kk", []),
        ("akta karo kia " * 8, []),
    ],
)
def test_parts_that_may_be_wishes(text: str, parts: list[str]) -> None:
    assert list(parts_joined(text)) == parts


@pytest.mark.parametrize(
    ("text", "both"),
    [
        ("mau bikin akta sama KIA sekalian", {"akta_kelahiran", "kia"}),
        ("bikin sktm karo surat domisili", {"sktm", "sk_domisili"}),
        ("saya mau urus akta kelahiran sama kk", {"akta_kelahiran", "kk"}),
    ],
)
def test_both_services_are_found(models: Models, text: str, both: set[str]) -> None:
    found = models.services.find(text)
    assert found is not None
    assert {found.id, found.besides} == both


@pytest.mark.parametrize(
    "text",
    [
        "mau bikin akta",
        "mau bikin skck bawa ktp dan kk",
        "bikin kk karo nambah anak nang kk",
        "aku karo bojoku bikin kk",
    ],
)
def test_one_service_is_one(models: Models, text: str) -> None:
    found = models.services.find(text)
    assert found is not None
    assert found.besides is None
