from __future__ import annotations

import json
import os
from pathlib import Path, PosixPath
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.example import Example
from learning.reviewed_set import MEASURED_FILE, ReviewedSet
from learning.spreadsheet import SpreadsheetUnfit, parse_csv, render_csv, safe_cell
from learning.training_file import TrainingFileUnfit, read_file, read_folder, render, replace_file

ROOT = Path(__file__).parents[2]
LOST = Example("ktpku ilang cak", "ajukan_layanan", "ktp_hilang", "suroboyoan", "tinjauan")
HELLO = Example("halo: min", "salam", None, "", "tinjauan")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    reviewed = ReviewedSet(tmp_path / "tinjauan")
    assert (reviewed.version(), reviewed.read()) == ("", [])
    version = reviewed.write("tinjauan", [LOST, HELLO])
    assert (sorted(reviewed.read(), key=str), reviewed.version()) == (sorted([LOST, HELLO], key=str), version)
    assert reviewed.write("impor", [Example("wis dadi ta", "cek_status", None)]) != version
    # Undone is as before.
    assert reviewed.write("impor", []) == version
    assert "penulis: tinjauan" in (tmp_path / "tinjauan" / "tinjauan.yml").read_text()


def test_the_same_examples_give_the_same_version(tmp_path: Path) -> None:
    versions = {
        ReviewedSet(tmp_path / str(n)).write("a", order) for n, order in enumerate(([LOST, HELLO], [HELLO, LOST]))
    }
    assert len(versions) == 1


@pytest.mark.parametrize("name", ["", "../luar", "A", "a.yml", "a/b"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        ReviewedSet(tmp_path).write(name, [LOST])


def test_random_messages_are_measured_and_not_learned(tmp_path: Path) -> None:
    reviewed = ReviewedSet(tmp_path)
    reviewed.write_measured([LOST])
    assert (reviewed.read(), reviewed.version()) == ([], "")
    (line,) = (tmp_path / MEASURED_FILE).read_text().splitlines()
    assert json.loads(line)["layanan"] == "ktp_hilang"
    reviewed.write_measured([])
    assert not (tmp_path / MEASURED_FILE).exists()


class _Overtaken(PosixPath):
    """Before it takes its place another writes the same file."""

    def replace(self, target: str | os.PathLike[str]) -> Self:
        replace_file(Path(target), "yang lain")
        return super().replace(target)


def test_of_two_who_write_at_once_each_writes_a_draft_of_its_own(tmp_path: Path) -> None:
    replace_file(_Overtaken(tmp_path / "a.yml"), "yang ini")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.yml", "yang ini")]


def test_what_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(OSError, match=r"a\.yml"):
        replace_file(tmp_path / "a.yml", "yang ini")
    assert [path.name for path in tmp_path.iterdir()] == ["a.yml"]


@pytest.mark.parametrize("content", [render([HELLO]), None])
def test_the_version_is_known_before_the_file_is_written(tmp_path: Path, content: str | None) -> None:
    reviewed = ReviewedSet(tmp_path)
    reviewed.write("a", [LOST])
    reviewed.write("b", [LOST])
    expected = reviewed.version_with("a", content)
    assert reviewed.write("a", [HELLO] if content else []) == expected


@pytest.mark.parametrize("text", ["", "  ", "a\nb"])
def test_an_example_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        Example(text, "salam")


def test_what_citizens_may_write_is_no_markup() -> None:
    assert "- lihat [ktp] (baru) dan\n" in render([Example("lihat [ktp](baru)  dan", "salam")])


def test_all_of_data_nlu_survives_both_forms(tmp_path: Path) -> None:
    examples = sorted(read_folder(ROOT / "data" / "nlu"), key=str)
    assert len(examples) > 9_000
    (tmp_path / "all.yml").write_text(render(examples))
    assert sorted(read_file(tmp_path / "all.yml"), key=str) == examples
    assert parse_csv(render_csv(examples)) == examples


@pytest.mark.parametrize(
    "content", ["", "nlu: 3", "nlu:\n- intent: a\n", "version: [", "nlu:\n- examples: |\n    - a\n"]
)
def test_another_file_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.yml").write_text(content)
    with pytest.raises(TrainingFileUnfit, match=r"x\.yml bukan"):
        read_file(tmp_path / "x.yml")


@given(st.text().map(lambda text: " ".join(text.split())).filter(lambda text: bool(text) and text.isprintable()))
def test_no_cell_is_a_formula_and_none_changes(text: str) -> None:
    written = render_csv([Example(text, "salam")])
    assert parse_csv(written) == [Example(text, "salam")]
    assert not written.splitlines()[1].lstrip('"').startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("cell", ["=1+1", "+62", "-1", "@x", "\tx", "\rx", "\nx", "'x"])
def test_a_cell_that_would_be_reckoned_is_text(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


def test_a_spreadsheet_may_use_semicolons() -> None:
    assert parse_csv("\ufeffmaksud;teks\nsalam;halo, min\n;\n") == [Example("halo, min", "salam")]


@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [("a,b\n1,2\n", "kolom teks"), ("teks,maksud\nhalo,\n", "Baris 2"), ("teks,maksud\n,salam\n", "Baris 2")],
)
def test_a_wrong_row_is_named(sheet: str, sentence: str) -> None:
    with pytest.raises(SpreadsheetUnfit, match=sentence):
        parse_csv(sheet)
