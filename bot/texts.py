"""Every sentence of the channel, from `data/teks/saluran.yml`, so that people who don't program can mend them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Texts", "TextsUnfit"]

_SENTENCES: Mapping[str, frozenset[str]] = {
    "balas_angka": frozenset(),
    "gangguan": frozenset(),
    "diteruskan": frozenset(),
    "tidak_terbaca": frozenset(),
    "banyak_sekali": frozenset(),
    "pesan_kosong": frozenset(),
    "terlalu_panjang": frozenset({"huruf"}),
    "pesan_diubah": frozenset(),
    "kontak_orang_lain": frozenset(),
    "berkas_terlalu_besar": frozenset({"batas"}),
    "berkas_hilang": frozenset(),
    "catatan": frozenset({"catatan"}),
    "jawaban_petugas": frozenset({"catatan"}),
    "tautan_penilaian": frozenset({"tautan"}),
    "ingat_draf": frozenset({"layanan"}),
    "terlambat": frozenset({"nomor", "layanan", "tanggal"}),
    "tombol_perbaiki": frozenset(),
    "tombol_hasil": frozenset(),
    "tombol_beres": frozenset(),
    "tombol_belum": frozenset(),
    "tombol_status": frozenset(),
    "tombol_lanjutkan": frozenset(),
    "tombol_petugas": frozenset(),
    "yang_diperbaiki": frozenset(),
    "perbaikan": frozenset({"bagian", "alasan"}),
    "meja_diminta": frozenset(),
    "meja_buntu": frozenset(),
    "meja_marah": frozenset(),
    "meja_dialihkan": frozenset(),
    "meja_masih_menunggu": frozenset(),
    "meja_urutan": frozenset({"kantor", "urutan"}),
    "meja_lama_tidak_tahu": frozenset(),
    "meja_lama_sebentar": frozenset(),
    "meja_lama_menit": frozenset({"menit"}),
    "meja_lama_jam": frozenset({"jam"}),
    "meja_belum_ada_petugas": frozenset({"kantor"}),
    "meja_di_luar_jam": frozenset({"kantor", "kapan"}),
    "meja_hari_ini": frozenset({"jam"}),
    "meja_besok": frozenset({"hari", "jam"}),
    "meja_nanti": frozenset({"hari", "tanggal", "jam"}),
    "meja_selama_menunggu": frozenset(),
    "meja_tombol_kembali": frozenset(),
    "meja_kembali": frozenset(),
    "meja_sudah_bot": frozenset(),
    "meja_selesai": frozenset(),
    "meja_diam": frozenset(),
    "meja_tak_terjawab": frozenset(),
    "meja_tak_terbaca": frozenset(),
    "meja_terhapus": frozenset(),
    "meja_diubah": frozenset({"isi"}),
    "meja_lokasi": frozenset({"tempat"}),
    "meja_kontak": frozenset({"nomor"}),
    "meja_jenis_lain": frozenset({"jenis"}),
    "meja_lampiran_gagal": frozenset(),
}
"""and the placeholders each may have"""
_FAMILIES: Mapping[str, frozenset[str]] = {
    "tidak_didukung": frozenset(),
    "pemberitahuan": frozenset({"nomor", "layanan"}),
    "pemberitahuan_pengaduan": frozenset({"nomor", "layanan"}),
    "pemberitahuan_staf": frozenset({"nomor", "layanan"}),
    "caranya": frozenset({"nomor"}),
    "caranya_pengaduan": frozenset({"nomor"}),
    "meja_ditolak": frozenset({"nama"}),
    "meja_gagal": frozenset(),
}
"""one sentence per kind, and `lainnya` for the kinds that aren't named"""


class TextsUnfit(Exception):
    """The file can't be used; the message says which entry to mend, in the editor's language."""


class Texts:
    def __init__(self, data: Path) -> None:
        """Raises TextsUnfit."""
        file = data / "teks" / "saluran.yml"
        try:
            self._texts: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise TextsUnfit(f"{file} tidak bisa dibaca: {error}") from None
        if not isinstance(self._texts, dict):
            raise TextsUnfit(f"{file} harus berisi pasangan nama dan kalimat")
        for key, allowed in _SENTENCES.items():
            _check(key, self._texts.get(key), allowed)
        for family, allowed in _FAMILIES.items():
            members = self._texts.get(family)
            if not isinstance(members, dict) or "lainnya" not in members:
                raise TextsUnfit(f"saluran.yml: {family} harus berisi beberapa kalimat, di antaranya 'lainnya'")
            for kind, text in members.items():
                _check(f"{family}.{kind}", text, allowed)

    def __call__(self, key: str, /, **values: str | int) -> str:
        return str(self._texts[key]).strip().format_map(values)

    def of(self, family: str, kind: str, /, **values: str | int) -> str:
        members = self._texts[family]
        return str(members.get(kind, members["lainnya"])).strip().format_map(values)


def _check(key: str, text: object, allowed: frozenset[str]) -> None:
    if not isinstance(text, str) or not text.strip():
        raise TextsUnfit(f"saluran.yml: kalimat '{key}' belum ada; tulis kalimatnya")
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        raise TextsUnfit(f"saluran.yml: tanda kurung di '{key}' tidak berpasangan") from None
    if not used <= allowed:
        names = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "kata biasa"
        raise TextsUnfit(f"saluran.yml: '{key}' hanya boleh memakai {names}; periksa yang di dalam kurung")
