"""All that is learned and measured by, under the names that labels have now. `data`: the folder of that name."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.dataset_check import Findings, check
from learning.example import Example
from learning.label_changes import LABELS_FILE, LabelChanges, read_label_changes
from learning.reviewed_set import MEASURED_FILE
from learning.training_file import TrainingFileUnfit, read_file, render

__all__ = ["REVIEWED", "WRITTEN", "Gathered", "examine", "labelled_now", "learned", "measured_files", "measured_texts"]

WRITTEN = "nlu"
REVIEWED = "tinjauan"
"""folders in `data`"""


@dataclass(frozen=True)
class Gathered:
    written: Path
    reviewed: Path
    measured: Sequence[Path]


def learned(data: Path, without: str = "") -> list[Example]:
    """`without`: the name of a file that is left out. Raises TrainingFileUnfit."""
    changes = read_label_changes(data / REVIEWED)
    files = [file for folder in (WRITTEN, REVIEWED) for file in sorted((data / folder).glob("*.yml"))]
    return [changes.applied(each) for file in files if file.name != without for each in read_file(file)]


def measured_files(data: Path, frozen: Path | None) -> Sequence[Path]:
    """The sets that a model is measured by: the frozen ones and the district's own random messages."""
    random = data / REVIEWED / MEASURED_FILE
    return [*(sorted(frozen.glob("messages*.jsonl")) if frozen else ()), *([random] if random.exists() else ())]


def measured_texts(file: Path) -> Sequence[str]:
    """Raises TrainingFileUnfit."""
    try:
        return [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
    except (ValueError, KeyError, TypeError):
        raise TrainingFileUnfit(f"{file.name} harus berisi satu objek JSON dengan text di tiap baris.") from None


def examine(data: Path, frozen: Path | None, more: Sequence[Example] = (), instead_of: str = "") -> Findings:
    """What is wrong with what would be learned, with `more` in the place of that file. Raises TrainingFileUnfit."""
    measured = {file.name: measured_texts(file) for file in measured_files(data, frozen)}
    return check([*learned(data, without=instead_of), *more], measured)


@contextlib.contextmanager
def labelled_now(data: Path, measured: Sequence[Path] = ()) -> Iterator[Gathered]:
    """The files themselves while no label has changed, else copies that go away afterwards. Raises TrainingFileUnfit."""
    changes = read_label_changes(data / REVIEWED)
    if not changes.changes:
        yield Gathered(data / WRITTEN, data / REVIEWED, measured)
        return
    with tempfile.TemporaryDirectory(prefix="praja-data-") as name:
        folder = Path(name)
        for part in (WRITTEN, REVIEWED):
            (folder / part).mkdir()
            for file in sorted(set((data / part).glob("*.yml")) - {data / part / LABELS_FILE}):
                _relabel_taught(file, folder / part / file.name, changes)
        copies = [folder / str(number) / file.name for number, file in enumerate(measured)]
        for file, copy in zip(measured, copies, strict=True):
            copy.parent.mkdir()
            _relabel_measured(file, copy, changes)
        yield Gathered(folder / WRITTEN, folder / REVIEWED, copies)


def _relabel_taught(file: Path, copy: Path, changes: LabelChanges) -> None:
    before = read_file(file)
    after = [changes.applied(example) for example in before]
    if after == before:
        # As it is: its blocks tell which messages were written together.
        shutil.copyfile(file, copy)
    else:
        copy.write_text(render(after), encoding="utf-8")


def _relabel_measured(file: Path, copy: Path, changes: LabelChanges) -> None:
    lines = []
    for written in file.read_text("utf-8").splitlines():
        line = json.loads(written)
        now = changes.applied(Example(line["text"], line["intent"], line["layanan"] or None))
        lines.append(json.dumps({**line, "intent": now.intent, "layanan": now.service}, ensure_ascii=False))
    copy.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
