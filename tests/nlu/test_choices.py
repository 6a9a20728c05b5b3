from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.choices import Choice, ChoiceUnknown, chosen_by_text, meaning, proof_in

INTENTS = {
    "tanya_biaya", "ajukan_layanan", "cek_status", "perbaiki_permohonan", "batalkan_permohonan", "ambil_hasil",
    "privasi_data", "nlu_fallback",
}  # fmt: skip
OFFERED = [Choice("niat:a", "KTP hilang"), Choice("niat:b", "KTP rusak"), Choice("niat:c", "Kembali ke menu")]


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
    ("text", "chosen"),
    [
        pytest.param("yang rusak", 1, id="a word of one title"),
        pytest.param("sing hilang ae", 0, id="in Javanese"),
        pytest.param("yang ktp", None, id="a word of two titles"),
        pytest.param("rusak", None, id="a word that points at nothing"),
        pytest.param("yang terakhir", 2, id="the last"),
        pytest.param("paling akhir", 2, id="the last in other words"),
        pytest.param("terakhir kapan ya", None, id="a question"),
    ],
)
def test_pointed_at(text: str, chosen: int | None) -> None:
    assert chosen_by_text(text, OFFERED, expects_number=False) == (None if chosen is None else OFFERED[chosen])


def test_the_last_is_the_last_of_the_list() -> None:
    choices = [Choice("status:1", "Akta"), Choice("status:2", "KTP"), Choice("niat:bantuan", "Bantuan")]
    assert chosen_by_text("yang terakhir", choices, expects_number=False) == choices[1]
    assert chosen_by_text("yang terakhir", [], expects_number=False) is None


@pytest.mark.parametrize("text", ["9999", "nik 9999", "4 angka terakhir nik 9999", "9999 ya mbak", " 9999."])
def test_second_proof(text: str) -> None:
    assert proof_in(text, "bukti:SDA-2611-7K4QXB") == "bukti:SDA-2611-7K4QXB:9999"


@pytest.mark.parametrize("text", ["99999", "999", "tahun 2026 kemarin", "mau urus ktp 9999", "3515085708909999", ""])
def test_no_second_proof(text: str) -> None:
    assert proof_in(text, "bukti:SDA-2611-7K4QXB") is None


@pytest.mark.parametrize("offer", [None, "mulai:ktp_hilang", "status:SDA-2611-7K4QXB"])
def test_digits_nobody_asked_for(offer: str | None) -> None:
    assert proof_in("9999", offer) is None


NUMBER = "SDA-2611-7K4QXB"


@pytest.mark.parametrize(
    ("choice", "intent", "entities"),
    [
        ("niat:tanya_biaya", "tanya_biaya", {}),
        ("niat:tanya_biaya:kk", "tanya_biaya", {"layanan": "kk"}),
        ("mulai:ktp_hilang", "ajukan_layanan", {"layanan": "ktp_hilang"}),
        ("mulai:ktp_hilang:wakil", "ajukan_layanan", {"layanan": "ktp_hilang"}),
        ("setuju:ktp_hilang", "ajukan_layanan", {"layanan": "ktp_hilang"}),
        ("setuju:ktp_hilang:wakil", "ajukan_layanan", {"layanan": "ktp_hilang"}),
        ("isi:nik:3515085708909999", "nlu_fallback", {}),
        ("isi:hp:@kontak", "nlu_fallback", {}),
        ("isi:review:kirim", "nlu_fallback", {}),
        ("isi:teks:a:b\nc", "nlu_fallback", {}),
        ("unggah:kk", "nlu_fallback", {}),
        (f"status:{NUMBER}", "cek_status", {"nomor_permohonan": NUMBER}),
        (f"bukti:{NUMBER}:9999", "cek_status", {"nomor_permohonan": NUMBER}),
        (f"konfirmasi:{NUMBER}:ya", "cek_status", {"nomor_permohonan": NUMBER}),
        (f"konfirmasi:{NUMBER}:belum", "cek_status", {"nomor_permohonan": NUMBER}),
        (f"perbaiki:{NUMBER}", "perbaiki_permohonan", {"nomor_permohonan": NUMBER}),
        (f"cabut:{NUMBER}", "batalkan_permohonan", {"nomor_permohonan": NUMBER}),
        (f"cabut:{NUMBER}:ya", "batalkan_permohonan", {"nomor_permohonan": NUMBER}),
        (f"cabut:{NUMBER}:ya:tidak_perlu", "batalkan_permohonan", {"nomor_permohonan": NUMBER}),
        (f"hasil:{NUMBER}", "ambil_hasil", {"nomor_permohonan": NUMBER}),
        ("data:lihat", "privasi_data", {}),
        ("data:unduh", "privasi_data", {}),
        ("data:hapus", "privasi_data", {}),
        ("data:hapus:ya", "privasi_data", {}),
        ("data:tarik:ya", "privasi_data", {}),
    ],
)
def test_meaning(choice: str, intent: str, entities: dict[str, str]) -> None:
    parsed = meaning(choice, INTENTS)
    assert parsed["intent"]["name"] == intent
    assert {entity["entity"]: entity["value"] for entity in parsed["entities"]} == entities


@pytest.mark.parametrize(
    "choice", ["status:7", "cabut:SDA-2611-7K4QXB:tidak", "data:jual", "mulai:ktp:semua", "niat:rahasia", "isi:x"]
)
def test_unknown_shapes(choice: str) -> None:
    with pytest.raises(ChoiceUnknown):
        meaning(choice, INTENTS)


@given(st.text(max_size=40))
def test_any_other_id_is_refused(choice: str) -> None:
    try:
        parsed = meaning(choice, {"nlu_fallback"})
    except ChoiceUnknown:
        return
    assert choice.startswith(("isi:", "unggah:"))
    assert parsed["intent"]["name"] == "nlu_fallback"
