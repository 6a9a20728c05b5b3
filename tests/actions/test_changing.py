"""A field or a document named in words is the one that is named best."""

from __future__ import annotations

import pytest

from actions.changing import named_in

ITEMS = (
    ("nama", "Nama lengkap"),
    ("nama_bayi", "Nama anak"),
    ("hp", "Nomor HP"),
    ("ktp", "KTP-el"),
    ("ktp_ortu", "KTP ayah dan ibu"),
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ubah nama anak", "nama_bayi"),
        ("salah namanya", "nama"),
        ("nomor hp e keliru", "hp"),
        ("ktp ayah dan ibu", "ktp_ortu"),
        ("ini ktp saya", "ktp"),
        ("salah semua", None),
    ],
)
def test_named(said: str, meant: str | None) -> None:
    assert named_in(said, ITEMS) == meant
