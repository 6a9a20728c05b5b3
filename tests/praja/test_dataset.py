from __future__ import annotations

from pathlib import Path

import pytest

from learning.example import Example
from learning.training_file import read_file, render
from praja.dataset import DatasetUnfit, check_dataset, export_dataset, import_dataset

HELLO = [Example(f"halo pak lurah {n}", "salam", None, "baku", "A") for n in range(20)]


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """What comes with the code, and an empty reviewed set."""
    (tmp_path / "nlu").mkdir()
    (tmp_path / "nlu" / "salam.yml").write_text(render(HELLO))
    return {"written": tmp_path / "nlu", "reviewed": tmp_path / "tinjauan"}


def sheet(tmp_path: Path, *rows: str) -> Path:
    file = tmp_path / "lembar.csv"
    file.write_text("teks,maksud,layanan\n" + "\n".join(rows) + "\n")
    return file


def test_out_and_in_again(tmp_path: Path, folders: dict[str, Path]) -> None:
    for ending in ("csv", "yml"):
        file = tmp_path / f"keluar.{ending}"
        assert export_dataset(file, folders["written"]) == 20
        # Nothing of it is elsewhere.
        empty = {"written": tmp_path / "nothing", "reviewed": tmp_path / f"reviewed-{ending}"}
        assert import_dataset(file, "semua", **empty) == 20
        assert read_file(empty["reviewed"] / "semua.yml") == HELLO


def test_an_import_replaces_what_it_brought_before(tmp_path: Path, folders: dict[str, Path]) -> None:
    import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang"), "impor", **folders)
    import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_baru"), "impor", **folders)
    assert [each.service for each in read_file(folders["reviewed"] / "impor.yml")] == ["ktp_baru"]
    with pytest.raises(DatasetUnfit, match="Bertentangan"):
        import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang"), "lain", **folders)


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
def test_what_would_teach_wrongly_is_refused_whole(
    tmp_path: Path, folders: dict[str, Path], row: str, sentence: str
) -> None:
    with pytest.raises(DatasetUnfit, match=sentence) as refused:
        import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang", row), "impor", **folders)
    assert "3515085708909999" not in str(refused.value)
    assert not folders["reviewed"].exists()


@pytest.mark.parametrize("name", ["gone.csv", "x.txt", "broken.yml"])
def test_a_file_that_is_none_is_a_sentence(tmp_path: Path, folders: dict[str, Path], name: str) -> None:
    (tmp_path / "broken.yml").write_text("nlu: 3")
    with pytest.raises(DatasetUnfit):
        import_dataset(tmp_path / name, "impor", **folders)


def test_a_bad_name_is_a_sentence(tmp_path: Path, folders: dict[str, Path]) -> None:
    with pytest.raises(DatasetUnfit, match="huruf kecil"):
        import_dataset(sheet(tmp_path, "ktpku ical kala wau,ajukan_layanan,ktp_hilang"), "../x", **folders)


def test_what_we_teach_can_be_learned() -> None:
    findings = check_dataset()
    assert not findings.is_fatal, findings.sentences()
