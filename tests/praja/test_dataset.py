from __future__ import annotations

from pathlib import Path

import pytest

from learning.example import Example
from learning.training_file import read_file, render
from praja.dataset import DatasetUnfit, check_dataset, export_dataset, import_dataset

HELLO = [Example(f"halo pak lurah {n}", "salam", None, "baku", "A") for n in range(20)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What comes with the code, and no reviewed set."""
    (tmp_path / "nlu").mkdir()
    (tmp_path / "nlu" / "salam.yml").write_text(render(HELLO))
    return tmp_path


def sheet(tmp_path: Path, *rows: str) -> Path:
    file = tmp_path / "lembar.csv"
    file.write_text("teks,maksud,layanan\n" + "\n".join(rows) + "\n")
    return file


def test_out_and_in_again(tmp_path: Path, data: Path) -> None:
    for ending in ("csv", "yml"):
        file = tmp_path / f"keluar.{ending}"
        assert export_dataset(file, data / "nlu") == 20
        # Nothing of it is elsewhere.
        empty = tmp_path / ending
        assert import_dataset(file, "semua", empty) == 20
        assert read_file(empty / "tinjauan" / "semua.yml") == HELLO


def test_an_import_replaces_what_it_brought_before(tmp_path: Path, data: Path) -> None:
    import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang"), "impor", data)
    import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_baru"), "impor", data)
    assert [each.service for each in read_file((data / "tinjauan") / "impor.yml")] == ["ktp_baru"]
    with pytest.raises(DatasetUnfit, match="Bertentangan"):
        import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang"), "lain", data)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("halo pak lurah 1,pamit,", "Bertentangan"),
        ("apa saja,terbang,", "maksud terbang"),
        ("apa saja,ajukan_layanan,sim_kapal", "layanan sim_kapal"),
        ("nik saya 3515085708909999,ajukan_layanan,", "nomor pribadi"),
        ('"min anak sy bln dpn genap 17, mau dibikinin ktp",ajukan_layanan,ktp_baru', "Bocor"),
    ],
)
def test_what_would_teach_wrongly_is_refused_whole(tmp_path: Path, data: Path, row: str, sentence: str) -> None:
    with pytest.raises(DatasetUnfit, match=sentence) as refused:
        import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang", row), "impor", data)
    assert "3515085708909999" not in str(refused.value)
    assert not (data / "tinjauan").exists()


@pytest.mark.parametrize("name", ["gone.csv", "x.txt", "broken.yml"])
def test_a_file_that_is_none_is_a_sentence(tmp_path: Path, data: Path, name: str) -> None:
    (tmp_path / "broken.yml").write_text("nlu: 3")
    with pytest.raises(DatasetUnfit):
        import_dataset(tmp_path / name, "impor", data)


def test_a_bad_name_is_a_sentence(tmp_path: Path, data: Path) -> None:
    with pytest.raises(DatasetUnfit, match="huruf kecil"):
        import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang"), "../x", data)


def test_what_we_teach_can_be_learned() -> None:
    findings = check_dataset()
    assert not findings.is_fatal, findings.sentences()
