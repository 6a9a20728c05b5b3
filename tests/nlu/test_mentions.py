from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.mentions import find_mentions

TODAY = date(2026, 11, 24)


def found(text: str) -> list[tuple[str, str]]:
    return [(mention.entity, mention.value) for mention in find_mentions(text, TODAY)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nik saya 3515085708909999", ("nik", "3515085708909999")),
        ("3515 0857 0890 9999", ("nik", "3515085708909999")),
        ("3515-0857-0890-9999", ("nik", "3515085708909999")),
        ("nomor kk 3515081203200001", ("nomor_kk", "3515081203200001")),
        ("KSK 3515 0812 0320 0001", ("nomor_kk", "3515081203200001")),
        # Without a word: a day above 40 can only be a woman's NIK, both possible is a NIK.
        ("3515085203200001", ("nik", "3515085203200001")),
        ("3515081203200001", ("nik", "3515081203200001")),
        ("hp 0812-3456-7890", ("nomor_hp", "+6281234567890")),
        ("+62 812 3456 7890", ("nomor_hp", "+6281234567890")),
        ("wa 81234567890", ("nomor_hp", "+6281234567890")),
        ("SDA-2611-7K4QX9", ("nomor_permohonan", "SDA-2611-7K4QX9")),
        ("sda 2611 7k4qx9 sampe mana", ("nomor_permohonan", "SDA-2611-7K4QX9")),
        ("sda26117k4qx9", ("nomor_permohonan", "SDA-2611-7K4QX9")),
        ("cek SDA—2610—HT52WK dong", ("nomor_permohonan", "SDA-2610-HT52WK")),
        ("sda\u20112609\u2011m3n8rt kok lama", ("nomor_permohonan", "SDA-2609-M3N8RT")),
        ("nomere s d a 2 6 0 8 b 7 f 2 k 1", ("nomor_permohonan", "SDA-2608-B7F2K1")),
        ("SDA-2611-KXPQRT", ("nomor_permohonan", "SDA-2611-KXPQRT")),
        ("telp aku nang 85712340098 ae", ("nomor_hp", "+6285712340098")),
        ("8123 4005 566", ("nomor_hp", "+6281234005566")),
        ("wingi", ("tanggal", "2026-11-23")),
        ("nama saya Budi Santoso, umur 3", ("nama_orang", "Budi Santoso")),
        ("atas nama siti aminah mau cek", ("nama_orang", "siti aminah")),
        ("a.n. Slamet", ("nama_orang", "Slamet")),
        ("jenengku paijo", ("nama_orang", "paijo")),
        ("a.n. Ponirah binti Sukri, desane pundi", ("nama_orang", "Ponirah binti Sukri")),
        ("ketulis Yuni, seharusnya Yuniarti Lestari ya", ("nama_orang", "Yuniarti Lestari")),
        ("mbahku jenenge Tukiman sampun sedo", ("nama_orang", "Tukiman")),
        ("namanya Moch. Hasan Basri", ("nama_orang", "Moch. Hasan Basri")),
        ("atas nama Sdr. Nur Fadilah", ("nama_orang", "Nur Fadilah")),
        ("nama saya Qur'ani Sa'diyah.", ("nama_orang", "Qur'ani Sa'diyah")),
        ("bayi bernama raka adiputra", ("nama_orang", "raka adiputra")),
        ("di jln kenanga 21 ada pohon tumbang", ("alamat", "jln kenanga 21")),
        ("gg. buntu 3 no. 8 banjir terus", ("alamat", "gg. buntu 3 no. 8")),
        ("dusun krajan rt 03/rw 01, minta dicek", ("alamat", "dusun krajan rt 03/rw 01")),
        ("lampu jl diponegoro padam", ("alamat", "jl diponegoro")),
        ("rumah di Jalan Kartini", ("alamat", "Jalan Kartini")),
        ("Jl Raya Waru No. 12, Sidoarjo", ("alamat", "Jl Raya Waru No. 12")),
        ("perum tas 3 blok D2 no 5", ("alamat", "perum tas 3 blok D2 no 5")),
        ("di bluru kidul", ("desa", "Blurukidul")),
        ("kec. waru", ("kecamatan", "Waru")),
    ],
)
def test_one_mention(text: str, expected: tuple[str, str]) -> None:
    assert found(text) == [expected]


def test_an_address_and_its_desa() -> None:
    text = "alamat saya jl. melati no 3 rt 02 rw 05 desa bluru kidul"
    assert found(text) == [("alamat", "jl. melati no 3 rt 02 rw 05"), ("desa", "Blurukidul")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "jl anggrek no 4 0812-3456-7890",
            [("alamat", "jl anggrek no 4"), ("nomor_hp", "+6281234567890")],
        ),
        (
            "alamat lama Jl Cendana 9 kel. Lemahputro kec. Sidoarjo",
            [("alamat", "Jl Cendana 9"), ("desa", "Lemahputro"), ("kecamatan", "Sidoarjo")],
        ),
    ],
)
def test_an_address_ends_where_something_else_begins(text: str, expected: list[tuple[str, str]]) -> None:
    assert [each for each in found(text) if each[0] != "tanggal"] == expected


def test_two_numbers_each_by_its_word() -> None:
    assert found("nik 3515085708909999 kk 3515081203200001") == [
        ("nik", "3515085708909999"),
        ("nomor_kk", "3515081203200001"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "35150857089099990",
        "jalan rusak depan rumah",
        "jalan raya waru macet 3 jam",
        "nama di kk salah",
        "balik nama pbb warisan",
        "atas nama ibu",
        "oknum rt minta uang",
        "sda 2611",
        "sda 2611 sampai mana",
        "harganya 8.500.000.000",
        "rp 8500000000",
        "jl rusak parah",
        "alamatnya salah blok",
        "atas nama pemilik lama",
        "jl. tol arah surabaya",
        "harusnya KTP sudah jadi",
        "ganti nama anak saya",
    ],
)
def test_no_mention(text: str) -> None:
    assert not found(text)


@given(st.text(max_size=120))
def test_spans_show_what_was_found(text: str) -> None:
    for mention in find_mentions(text, TODAY):
        assert 0 <= mention.start < mention.end <= len(text)
        if mention.entity in ("nama_orang", "alamat"):
            assert text[mention.start : mention.end] == mention.value


@given(st.integers(10**15, 10**16 - 1), st.sampled_from([4, 6, 16]), st.sampled_from([" ", "-", "."]))
def test_sixteen_digits_however_they_are_parted(number: int, size: int, separator: str) -> None:
    digits = str(number)
    written = separator.join(digits[at : at + size] for at in range(0, 16, size))
    assert digits in [value for _, value in found(f"ini nik {written}")]
