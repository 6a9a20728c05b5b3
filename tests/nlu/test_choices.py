from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.choices import Choice, ChoiceUnknown, chosen_by_text, meaning

OFFERED = [Choice("a", "KTP hilang"), Choice("b", "KTP rusak"), Choice("c", "Kembali ke menu")]


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "no 2",
        "No. 2",
        "nomor 2",
        "yang 2",
        "yg no 2",
        "pilih 2",
        "2.",
        "dua",
        "loro",
        "kalih",
        "KTP RUSAK",
        "ktp-rusak!",
        "yang kedua",
    ],
)
def test_number_or_title(text: str) -> None:
    assert chosen_by_text(text, OFFERED, expects_number=False) == OFFERED[1]


@pytest.mark.parametrize("text", ["4", "0", "99", "ktp", "2 orang", "ktp rusak sejak lama", "", "yang mana", "22 mei"])
def test_something_else(text: str) -> None:
    assert chosen_by_text(text, OFFERED, expects_number=False) is None


def test_a_number_that_was_asked_for() -> None:
    assert chosen_by_text("2", OFFERED, expects_number=True) is None
    assert chosen_by_text("ktp rusak", OFFERED, expects_number=True) == OFFERED[1]


def test_two_equal_titles_are_left_open() -> None:
    assert chosen_by_text("ya", [Choice("a", "Ya"), Choice("b", "ya!")], expects_number=False) is None


@pytest.mark.parametrize(
    ("choice", "intent", "service"),
    [
        ("niat:tanya_biaya", "tanya_biaya", None),
        ("niat:tanya_biaya:kk", "tanya_biaya", "kk"),
        ("mulai:ktp_hilang", "ajukan_layanan", "ktp_hilang"),
        ("isi:nik:3515085708909999", "nlu_fallback", None),
        ("isi:review:kirim", "nlu_fallback", None),
        ("isi:teks:a:b\nc", "nlu_fallback", None),
    ],
)
def test_meaning(choice: str, intent: str, service: str | None) -> None:
    parsed = meaning(choice, {"tanya_biaya", "ajukan_layanan", "nlu_fallback"})
    assert parsed["intent"]["name"] == intent
    assert [entity["value"] for entity in parsed["entities"]] == ([] if service is None else [service])


@given(st.text(max_size=40))
def test_any_other_id_is_refused(choice: str) -> None:
    try:
        parsed = meaning(choice, {"nlu_fallback"})
    except ChoiceUnknown:
        return
    assert choice.startswith("isi:")
    assert parsed["intent"]["name"] == "nlu_fallback"
