"""How answers are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.catalogue import FieldDefinition
from backend.fields import FieldError, parse_answer
from backend.regions import Regions, load_regions

DISTRICT = load_regions(Path(__file__).parents[2] / "data")
REGIONS = load_regions(Path(__file__).with_name("catalogue"))
TODAY = date(2026, 11, 24)
CHOICES = [{"id": "laki_laki", "judul": "Laki-laki"}, {"id": "perempuan", "judul": "Perempuan"}]


def read(
    kind: str, value: Any, *, kecamatan: str | None = "Candi", regions: Regions = REGIONS, **more: Any
) -> str | int:
    field = FieldDefinition.model_validate(
        {"id": "isian", "nama": "Isian", "tanya": "Apa?", "jenis": kind}
        | ({"di_dalam": "kecamatan"} if kind == "desa" else {})
        | ({"pilihan": CHOICES} if kind == "pilihan" else {})
        | more
    )
    answers = {"kecamatan": kecamatan} if kecamatan else {}
    return parse_answer(field, value, answers=answers, regions=regions, today=TODAY)


@pytest.mark.parametrize(
    ("kind", "given_", "kept"),
    [
        ("nik", "3515 0857 0890 9999", "3515085708909999"),
        ("nik", 3515085708909999, "3515085708909999"),
        ("nomor_kk", "3515.0801.0110.0001", "3515080101100001"),
        ("nomor_hp", "0812-3456-7890", "+6281234567890"),
        ("nama", "  Siti \n Aminah ", "Siti Aminah"),
        ("nama", "Nur 'Aini, S.Pd.", "Nur 'Aini, S.Pd."),
        ("nama", "\u200eBudi\u200f", "Budi"),
        ("nama", "x" * 100, "x" * 100),
        ("tanggal", "1990-08-17", "1990-08-17"),
        ("kecamatan", "kec. CANDI", "Candi"),
        ("desa", "desa sepande", "Sepande"),
        ("pilihan", "laki_laki", "laki_laki"),
        ("pilihan", "Laki-laki", "laki_laki"),
        ("pilihan", "LAKI-LAKI", "laki_laki"),
        ("pilihan", "Laki_laki", "laki_laki"),
        ("alamat", "Jl. Mawar 3\nRT 02 RW 05", "Jl. Mawar 3 RT 02 RW 05"),
        ("teks", "abc", "abc"),
        ("angka", "3", 3),
        ("angka", 3, 3),
        ("angka", "1.500.000", 1500000),
        ("angka", "-2", -2),
        ("lokasi", "-7.4463,112.71783", "-7.446300,112.717830"),
        ("lokasi", " -7.446300 , 112.717830 ", "-7.446300,112.717830"),
        ("lokasi", {"lat": -7.4463, "lon": 112.71783}, "-7.446300,112.717830"),
        ("lokasi", "depan Pasar Larangan", "depan Pasar Larangan"),
        ("orang", "budi 3515081708909999\nrina 3515 0857 0892 9999", "budi 3515081708909999; rina 3515085708929999"),
    ],
)
def test_what_fits_is_kept_in_one_form(kind: str, given_: Any, kept: str | int) -> None:
    assert read(kind, given_) == kept


@pytest.mark.parametrize(
    ("kind", "given_", "hint"),
    [
        ("nik", "351508", "6 angka"),
        ("nik", "3515089908909999", "tanggal"),
        ("nomor_kk", "abc", "16 angka"),
        ("nomor_hp", "031-8952939", "08"),
        ("nama", "A", "dua huruf"),
        ("nama", "Budi 2", "angka"),
        ("nama", "٣ Budi", "angka"),
        ("nama", "x" * 101, "100 huruf"),
        ("nama", "...", "dua huruf"),
        ("tanggal", "17-8-1990", "tanggal"),
        ("tanggal", "19900817", "tanggal"),
        ("tanggal", "1990-02-30", "tanggal"),
        ("tanggal", "1990-W01-1", "tanggal"),
        ("tanggal", "0990-08-17", "lampau"),
        ("kecamatan", "cndi", "Candi"),
        ("kecamatan", "Surabaya", "18 kecamatan"),
        ("desa", "sepnade", "Sepande"),
        ("desa", "Lemah Putro", "Sidoarjo"),
        ("desa", "Xyz", "tanpa RT/RW"),
        ("pilihan", "pria", "Perempuan"),
        ("teks", "ab", "tiga huruf"),
        ("teks", "x" * 501, "500 huruf"),
        ("teks", "a\x00bc", "karakter"),
        ("teks", "a\x1bbc", "karakter"),
        ("teks", "\ud800abc", "karakter"),
        ("teks", "   ", "kosong"),
        ("teks", "x" * 100_000, "belum terbaca"),
        ("angka", "tiga", "angka bulat"),
        ("angka", "3,5", "angka bulat"),
        ("angka", "٣", "angka bulat"),
        ("angka", "9" * 16, "angka bulat"),
        ("angka", True, "belum terbaca"),
        ("angka", 3.5, "belum terbaca"),
        ("angka", 10**400, "belum terbaca"),
        ("lokasi", "-6.2,106.8", "di luar Kabupaten Sidoarjo"),
        ("lokasi", {"lat": -6.2, "lon": 106.8}, "di luar Kabupaten Sidoarjo"),
        ("lokasi", {"lat": "x" * 600, "lon": None}, "500 huruf"),
        ("lokasi", {"lat": -7.4}, "belum terbaca"),
        ("lokasi", "ab", "tiga huruf"),
        ("orang", "Budi", "NIK"),
        ("orang", ["Budi 3515081708909999"], "belum terbaca"),
        ("teks", ["abc"], "belum terbaca"),
        ("teks", {"a": "b"}, "belum terbaca"),
    ],
)
def test_what_does_not_fit_is_told_why(kind: str, given_: Any, hint: str) -> None:
    with pytest.raises(FieldError) as refused:
        read(kind, given_)
    assert hint.lower() in str(refused.value).lower()


def test_a_date_is_past_or_future_when_the_service_says_so() -> None:
    assert read("tanggal", "2026-11-24", lampau=True) == read("tanggal", "2026-11-24", lampau=False)
    with pytest.raises(FieldError, match="belum terjadi"):
        read("tanggal", "2026-11-25", lampau=True)
    with pytest.raises(FieldError, match="sudah lewat"):
        read("tanggal", "2026-11-23", lampau=False)


def test_a_number_stays_in_its_bounds() -> None:
    bounds: dict[str, Any] = {"paling_kecil": 1, "paling_besar": 10}
    assert [read("angka", number, **bounds) for number in (1, 10)] == [1, 10]
    with pytest.raises(FieldError, match="paling kecil 1"):
        read("angka", 0, **bounds)
    with pytest.raises(FieldError, match="paling besar 10"):
        read("angka", 11, **bounds)


def test_as_many_people_as_the_service_says() -> None:
    one, two = "Budi 3515081708909999", "Budi 3515081708909999, Rina 3515085708929999"
    read("orang", one, paling_besar=1)
    read("orang", two, paling_kecil=2, paling_besar=2)
    with pytest.raises(FieldError, match="paling banyak 1 orang"):
        read("orang", two, paling_besar=1)
    with pytest.raises(FieldError, match="paling sedikit 2 orang"):
        read("orang", one, paling_kecil=2)


def test_a_text_may_have_bounds_of_its_own() -> None:
    assert read("teks", "x" * 2000, paling_besar=2000) == "x" * 2000
    with pytest.raises(FieldError, match="paling sedikit 10 huruf"):
        read("teks", "pendek", paling_kecil=10)


def test_a_desa_needs_its_kecamatan_first() -> None:
    with pytest.raises(FieldError, match="kecamatannya"):
        read("desa", "Sepande", kecamatan=None)


@pytest.mark.parametrize(("text", "kept"), [("sumokali", "Candi"), ("Desa Larangan", "Candi"), ("candi", "Candi")])
def test_a_desa_that_only_one_kecamatan_has_names_it(text: str, kept: str) -> None:
    assert read("kecamatan", text, regions=DISTRICT) == kept


def test_a_desa_that_several_have_is_asked_about() -> None:
    with pytest.raises(FieldError, match="Tarik, Tulangan dan Waru; pilih kecamatannya"):
        read("kecamatan", "janti", regions=DISTRICT)


@given(st.sampled_from(["Simoangin-angin", "Simo angin angin", "SIMOANGINANGIN", "kel. simo-angin-angin"]))
def test_places_are_compared_without_case_space_and_hyphen(text: str) -> None:
    assert read("desa", text, kecamatan="Taman") == "Simoangin-angin"


KINDS = [
    "nik", "nomor_kk", "nama", "nomor_hp", "tanggal", "kecamatan", "desa", "alamat", "pilihan", "teks", "angka", "lokasi",
    "orang",
]  # fmt: skip


@given(st.sampled_from(KINDS), st.text() | st.integers() | st.floats() | st.booleans() | st.lists(st.text()))
def test_any_answer_is_kept_or_refused_with_a_sentence(kind: str, value: Any) -> None:
    try:
        kept = read(kind, value)
    except FieldError:
        return
    assert read(kind, kept) == kept, "the kept form is read as itself"
    str(kept).encode()
