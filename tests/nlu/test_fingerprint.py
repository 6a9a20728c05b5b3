from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import asdict
from pathlib import Path

import pytest

from nlu.fingerprint import MADE_OF_FILE, made_of, made_of_model, understanding_fingerprint

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """All that a model is made of."""
    for folder in ("data/layanan", "data/kamus", "data/nlu", "nlu"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for file in ("config.yml", "domain.yml", "data/rules.yml", "data/keluarga.yml"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


@pytest.mark.parametrize(
    "file",
    [
        "nlu/text_classifier.py",
        # Imported by what is imported.
        "nlu/numerals.py",
        "config.yml",
        "domain.yml",
        "data/rules.yml",
        "data/nlu/salam.yml",
        "data/kamus/jawa.yml",
    ],
)
def test_what_a_model_is_made_of_changes_it(root: Path, file: str) -> None:
    before = understanding_fingerprint(root)
    assert understanding_fingerprint(root) == before
    with (root / file).open("a") as opened:
        opened.write("# more\n")
    assert understanding_fingerprint(root) != before


def test_a_new_service_changes_it(root: Path) -> None:
    before = understanding_fingerprint(root)
    (root / "data" / "layanan" / "baru.yml").write_text("id: baru\nnama: Baru\n")
    assert understanding_fingerprint(root) != before


@pytest.mark.parametrize("file", ["nlu/channel.py", "data/layanan/ktp_hilang.yml"])
def test_what_teaches_nothing_leaves_it(root: Path, file: str) -> None:
    before = understanding_fingerprint(root)
    with (root / file).open("a") as opened:
        opened.write("# lain\n")
    assert understanding_fingerprint(root) == before


@pytest.mark.parametrize(
    ("file", "still_serves"),
    [
        ("data/nlu/salam.yml", True),
        ("data/tinjauan/tinjauan.yml", True),
        ("data/keluarga.yml", True),
        ("data/kamus/jawa.yml", False),
        ("nlu/seed.py", False),
        ("domain.yml", False),
    ],
)
def test_a_model_of_other_data_still_serves(root: Path, file: str, still_serves: bool) -> None:
    before = made_of(root)
    (root / file).parent.mkdir(exist_ok=True)
    with (root / file).open("a") as opened:
        opened.write("# more\n")
    after = made_of(root)
    assert before.serves(after) == still_serves
    assert (before.data == after.data) != still_serves
    assert (before.reviewed == after.reviewed) == (file != "data/tinjauan/tinjauan.yml")


def test_a_model_tells_its_own(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        content = json.dumps(asdict(made_of())).encode()
        member = tarfile.TarInfo(f"components/train_intents0/{MADE_OF_FILE}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    assert made_of_model(tmp_path / "model.tar.gz") == made_of()


def test_an_old_model_tells_none(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz"):
        pass
    assert made_of_model(tmp_path / "model.tar.gz") is None
