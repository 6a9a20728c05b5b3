"""Labels that were merged and split, from the file to what is learned and measured by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from learning.data_set import examine, labelled_now, learned, measured_files
from learning.example import Example
from learning.label_changes import (
    LABELS_FILE,
    LabelChange,
    LabelChanges,
    Subject,
    mark,
    read_label_changes,
    write_label_changes,
)
from learning.reviewed_set import ReviewedSet
from learning.training_file import TrainingFileUnfit, read_folder, render

MERGED = LabelChange(Subject.INTENT, "pamit", "salam")
SPLIT = LabelChange(Subject.INTENT, "salam", "ya", frozenset({mark("Oke, HALO")}))
SERVICE = LabelChange(Subject.SERVICE, "ktp_lama", "ktp_baru")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "nlu").mkdir()
    (tmp_path / "nlu" / "salam.yml").write_text(
        render([Example("oke halo", "salam"), Example("dadah", "pamit"), Example("mau ktp", "ajukan", "ktp_lama")])
    )
    (tmp_path / "nlu" / "lain.yml").write_text(render([Example("syaratnya", "tanya_syarat")]) + "# as it was\n")
    reviewed = ReviewedSet(tmp_path / "tinjauan")
    reviewed.write("satu", [Example("sampai jumpa", "pamit")])
    reviewed.write_measured([Example("aku pamit dulu ya cak", "pamit", "ktp_lama")])
    return tmp_path


def test_changes_follow_each_other() -> None:
    changes = LabelChanges([MERGED, SPLIT])
    assert changes.applied(Example("dadah", "pamit")).intent == "salam"
    assert changes.applied(Example("oke halo!", "pamit")).intent == "ya"
    assert changes.now(Subject.INTENT, "pamit") == "salam"
    assert changes.now(Subject.SERVICE, "pamit") == "pamit"


def test_back_and_forth_is_where_it_began() -> None:
    back = LabelChanges([MERGED, LabelChange(Subject.INTENT, "salam", "pamit")])
    assert [back.now(Subject.INTENT, label) for label in ("salam", "pamit")] == ["pamit", "pamit"]


def test_all_that_is_learned_has_the_labels_of_now(data: Path) -> None:
    before = ReviewedSet(data / "tinjauan").version()
    write_label_changes(data / "tinjauan", [MERGED, SPLIT, SERVICE])
    assert read_label_changes(data / "tinjauan").changes == [MERGED, SPLIT, SERVICE]
    found = {example.text: (example.intent, example.service) for example in learned(data)}
    assert found == {
        "oke halo": ("ya", None),
        "dadah": ("salam", None),
        "mau ktp": ("ajukan", "ktp_baru"),
        "syaratnya": ("tanya_syarat", None),
        "sampai jumpa": ("salam", None),
    }
    # It is another data set, and undone it is the same again.
    assert ReviewedSet(data / "tinjauan").version() != before
    write_label_changes(data / "tinjauan", [])
    assert ReviewedSet(data / "tinjauan").version() == before


def test_training_and_measuring_get_copies(data: Path) -> None:
    write_label_changes(data / "tinjauan", [MERGED, SERVICE])
    with labelled_now(data, measured_files(data, None)) as now:
        copied = [*read_folder(now.written), *read_folder(now.reviewed)]
        assert sorted(copied, key=str) == sorted(learned(data), key=str)
        assert (now.written / "lain.yml").read_text() == (data / "nlu" / "lain.yml").read_text()
        assert not (now.reviewed / LABELS_FILE).exists()
        (measured,) = now.measured
        line = json.loads(measured.read_text())
        assert (measured.name, line["intent"], line["layanan"]) == ("acak.jsonl", "salam", "ktp_baru")
    assert not now.written.exists()


def test_without_changes_the_files_themselves(data: Path) -> None:
    with labelled_now(data) as now:
        assert (now.written, now.reviewed) == (data / "nlu", data / "tinjauan")


def test_what_would_be_taught_is_examined_by_the_labels_of_now(data: Path) -> None:
    twice = [Example("dadah", "salam")]
    assert list(examine(data, None, twice).conflicts) == ["dadah"]
    write_label_changes(data / "tinjauan", [MERGED])
    assert not examine(data, None, twice).conflicts
    leaking = examine(data, None, [Example("aku pamit dulu, ya cak?", "pamit")])
    assert leaking.leaks == {"aku pamit dulu, ya cak?": "acak.jsonl"}


def test_a_file_is_left_out_for_what_replaces_it(data: Path) -> None:
    assert not examine(data, None, [Example("sampai jumpa", "ya")], "satu.yml").conflicts


@pytest.mark.parametrize("content", ["", "perubahan: 3", "perubahan:\n- {label: x, dari: a, ke: b}", "["])
def test_a_broken_file_is_a_sentence(data: Path, content: str) -> None:
    (data / "tinjauan" / LABELS_FILE).write_text(content)
    with pytest.raises(TrainingFileUnfit, match="rusak"):
        learned(data)
