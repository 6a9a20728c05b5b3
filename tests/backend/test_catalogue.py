"""A file that doesn't fit is refused with its path, its line and what to do; the district's own files fit."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from backend.catalogue import CatalogueError, FieldType, Mode, load_catalogue
from backend.fields import parse_answer
from backend.regions import load_regions
from tests.backend.conftest import CATALOGUE

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CATALOGUE, tmp_path / "data"))


def test_a_service_is_read_with_what_it_shares(data: Path) -> None:
    catalogue = load_catalogue(data)
    service = catalogue.services["surat_uji"]
    assert service.mode is Mode.FILING
    assert [field.id for field in service.fields] == ["nik", "nama", "hp", "kecamatan", "desa", "jumlah"]
    assert [source.id for source in catalogue.sources_of(service)] == ["UJI"]
    assert catalogue.families == {"uji": "Surat-surat uji"}
    assert catalogue.offices["kecamatan"].place == "kecamatan"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "hint"),
    [
        ("layanan/surat_uji.yml", "mode: permohonan", "mode: terbang", 8, "`mode`"),
        ("layanan/surat_uji.yml", "mode: permohonan", "moda: permohonan", 8, "tidak dikenal"),
        ("layanan/surat_uji.yml", "mode: permohonan", "mode: permohonan: lagi", 8, "YAML"),
        ("layanan/surat_uji.yml", "id: surat_uji", "id: surat_lain", 1, "nama berkas"),
        ("layanan/surat_uji.yml", "instansi: Kecamatan\n", "", 1, "`instansi`: wajib diisi"),
        ("layanan/surat_uji.yml", "tujuh, delapan", "tujuh", 5, "paling sedikit 8"),
        ("layanan/surat_uji.yml", "keluarga: [uji]", "keluarga: [ujian]", 3, "data/keluarga.yml"),
        ("layanan/surat_uji.yml", "[kecamatan, dinas]", "[kecamatan, istana]", 7, "data/kantor.yml"),
        ("layanan/surat_uji.yml", "  - hp\n", "  - fax\n", 15, "data/isian.yml"),
        ("layanan/surat_uji.yml", "  - hp\n", "  - nik\n", 1, "dua kali"),
        ("layanan/surat_uji.yml", "  - nama\n", "", 1, "`nik`"),
        ("layanan/surat_uji.yml", "  - kecamatan\n", "", 1, "bukan isian kecamatan"),
        ("layanan/surat_uji.yml", "jenis: angka", "jenis: angkasa", 18, "angkasa"),
        ("layanan/surat_uji.yml", "rupiah: 0, sumber: [UJI]", "rupiah: nol, sumber: [UJI]", 19, "bilangan bulat"),
        ("layanan/surat_uji.yml", "rupiah: 0, sumber: [UJI]", "rupiah: 0", 19, "sumber"),
        ("layanan/surat_uji.yml", "rupiah: 0, sumber: [UJI]", "rupiah: 0, sumber: [GAIB]", 1, "GAIB"),
        ("layanan/surat_uji.yml", "mode: permohonan", "mode: permohonan\nkuasa: boleh", 1, "tidak dikenal"),
        ("layanan/surat_uji.yml", "mode: permohonan", "mode: pengaduan", 1, "pengaduan"),
        ("layanan/surat_uji.yml", "jenis: angka,", "jenis: angka, milik: nik,", 18, "`milik`"),
        ("layanan/surat_uji.yml", "  - hp\n", "  - {pakai: hp, hanya_bila: {jumlah: [satu]}}\n", 1, "hanya_bila"),
        ("formulir/keluhan.yml", "[terbuka, rahasia]", "[terbuka, samar]", 1, "samar"),
        ("formulir/keluhan.yml", "{id: anonim, judul: Anonim}", "{id: samar, judul: Samar}", 1, "identitas"),
        ("formulir/keluhan.yml", "kantor: air", "kantor: api", 11, "data/kantor.yml"),
        ("formulir/keluhan.yml", "id: keluhan", "id: surat_uji", 1, "nama berkas"),
        ("isian.yml", "id: wakil_hp", "id: wakil_telepon", 1, "wakil_hp"),
        ("dokumen.yml", "id: surat_kuasa", "id: kuasa", 1, "surat_kuasa"),
        ("kantor.yml", "tempat: kecamatan", "tempat: nik", 1, "kecamatan atau desa"),
        ("kantor.yml", "nama: Dinas Uji, ", "", 2, "wajib diisi"),
        ("keluarga.yml", "sebutan: [uji]", "sebutan: []", 1, "paling sedikit 1"),
        ("sumber.yml", "2026-11-24", "kemarin", 1, "diperiksa"),
        ("isian.yml", "- {id: nik", "- {ide: nik", 1, "`id`"),
    ],
)
def test_findings_name_file_and_line(data: Path, file: str, old: str, new: str, line: int, hint: str) -> None:
    path = data / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_catalogue(data)
    findings = str(refused.value).splitlines()
    assert any(finding.startswith(f"{path}:{line}: ") and hint in finding for finding in findings), findings


def test_every_finding_is_told_at_once(data: Path) -> None:
    (data / "sumber.yml").unlink()
    (data / "layanan" / "rusak.yml").write_bytes(b"\xff")
    (data / "layanan" / "daftar.yml").write_text("- a\n", encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_catalogue(data)
    findings = str(refused.value)
    for hint in ("sumber.yml: berkas tidak ada", "rusak.yml: bukan teks UTF-8", "daftar.yml:1: isi berkas"):
        assert hint in findings


def test_a_form_has_no_services_name(data: Path) -> None:
    text = (data / "formulir" / "keluhan.yml").read_text(encoding="utf-8")
    (data / "formulir" / "paspor.yml").write_text(text.replace("id: keluhan", "id: paspor"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="sudah dipakai"):
        load_catalogue(data)


def test_the_districts_own_catalogue_fits() -> None:
    catalogue = load_catalogue(REPOSITORY / "data")
    assert "ktp_hilang" in catalogue.services
    assert catalogue.forms["pengaduan"].is_filed_here
    assert catalogue.services["konsultasi_hukum"].is_filed_here
    regions = load_regions(REPOSITORY / "data")
    assert (len(regions.places), sum(map(len, regions.places.values()))) == (18, 346)
    for service in (*catalogue.services.values(), *catalogue.forms.values()):
        for field in service.fields:
            if field.type is FieldType.PEOPLE:
                example = field.question.partition("Contoh: ")[2]
                assert parse_answer(field, example, answers={}, regions=regions, today=date(2026, 11, 24)), field
    assert all(re.fullmatch(r"desa|kelurahan", kind) for inside in regions.places.values() for kind in inside.values())
