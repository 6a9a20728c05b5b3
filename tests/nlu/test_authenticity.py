from __future__ import annotations

import pytest

from nlu.authenticity import asks_authenticity, find_codes
from nlu.intent_decision import decide_intent

CODE = "7K4Q-XB2M-9D30"


@pytest.mark.parametrize(
    "text",
    [
        f"cek keaslian {CODE}",
        "cek keaslian 7k4q-xb2m-9d3o",
        "tolong cek keaslian 7k4q xb2m 9d30",
        "keaslian 7K4QXB2M9D30",
        "surat ini asli ta? kodene 7k4q – xb2m – 9d30",
        CODE,
    ],
)
def test_code(text: str) -> None:
    assert [code for code, _, _ in find_codes(text)] == [CODE]
    assert asks_authenticity(text, CODE)
    assert decide_intent(text, {"tanya_bot": 0.9}, None, code=CODE) == ("ambil_hasil", 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "hp asli saya 0812-3456-7890",
        "SDA-2611-7K4QXB",
        "ktp asli kaya baru 2020",
        "bawa yang asli",
        "kode pos 61213",
        "",
    ],
)
def test_no_code(text: str) -> None:
    assert list(find_codes(text)) == []
    assert not asks_authenticity(text, None)


def test_a_wish_without_a_code() -> None:
    assert asks_authenticity("mau cek keaslian surat", None)
    assert not asks_authenticity("mohon info pengecekan keaslian sertifikat tanah peninggalan kakek di candi", None)


@pytest.mark.parametrize(
    "text", ["sudah beres", "Belum beres!", "durung beres, mek ditambal separo", "apa yang salah?"]
)
def test_messages_that_mean_one_thing(text: str) -> None:
    assert decide_intent(text, {"terima_kasih": 0.9}, None) == ("cek_status", 1.0)


@pytest.mark.parametrize("text", ["ya karena salah desa", "iya cabut aja, soalnya sudah diurus istri"])
def test_agreement_with_a_reason(text: str) -> None:
    assert decide_intent(text, {"pengaduan": 0.9}, None) == ("ya", 1.0)


@pytest.mark.parametrize("text", ["berkasnya sudah beres kapan diambil", "sudah beres, kapan diambil?"])
def test_more_than_that_is_read_as_ever(text: str) -> None:
    assert decide_intent(text, {"ambil_hasil": 0.9}, None) == ("ambil_hasil", 0.9)
