"""What became of labels since messages were given them: renamed, merged, split. In order, so that one may follow another.

Kept in the reviewed set's folder as a file of Rasa's form that holds no messages: whoever reads or hashes the folder
takes it along.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from learning.example import Example, key
from learning.training_file import TrainingFileUnfit, replace_file

__all__ = [
    "LABELS_FILE",
    "LabelChange",
    "LabelChanges",
    "Subject",
    "mark",
    "read_label_changes",
    "render_label_changes",
    "write_label_changes",
]

LABELS_FILE = "_label.yml"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Subject(enum.StrEnum):
    INTENT = "niat"
    SERVICE = "layanan"


@dataclass(frozen=True)
class LabelChange:
    """Examples of `label` become ones of `target`: those of these marks, or all where there are none."""

    subject: Subject
    label: str
    target: str
    examples: frozenset[str] | None = None


@dataclass(frozen=True)
class LabelChanges:
    changes: Sequence[LabelChange] = ()

    def applied(self, example: Example) -> Example:
        if not self.changes:
            return example
        return replace(
            example,
            intent=self.now(Subject.INTENT, example.intent, example.text),
            service=None if example.service is None else self.now(Subject.SERVICE, example.service, example.text),
        )

    def now(self, subject: Subject, label: str, text: str | None = None) -> str:
        """What the label of this text has become; without one the label itself, whatever became of single examples."""
        own = mark(text) if text is not None and self.changes else None
        for change in self.changes:
            if (change.subject, change.label) == (subject, label) and (
                change.examples is None or own in change.examples
            ):
                label = change.target
        return label


def mark(text: str) -> str:
    """Names an example without its words; the same for texts that are alike."""
    return hashlib.sha256(key(text).encode()).hexdigest()[:16]


def read_label_changes(folder: Path) -> LabelChanges:
    """Of the reviewed set's folder. Raises TrainingFileUnfit."""
    path = folder / LABELS_FILE
    if not path.exists():
        return LabelChanges()
    try:
        return LabelChanges([_change(entry) for entry in yaml.load(path.read_text("utf-8"), _Loader)["perubahan"]])  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise TrainingFileUnfit(
            f"{LABELS_FILE} rusak; hapus, lalu tulis lagi dari konsol (Tinjauan, Label, Tulis lagi)."
        ) from None


def write_label_changes(folder: Path, changes: Sequence[LabelChange]) -> None:
    """Replace the file, remove it where there are none."""
    path = folder / LABELS_FILE
    if changes:
        replace_file(path, render_label_changes(changes))
    else:
        path.unlink(missing_ok=True)


def render_label_changes(changes: Iterable[LabelChange]) -> str:
    content = {"version": "3.1", "nlu": [], "perubahan": [_entry(change) for change in changes]}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _entry(change: LabelChange) -> Mapping[str, Any]:
    moved = {} if change.examples is None else {"contoh": sorted(change.examples)}
    return {"label": change.subject.value, "dari": change.label, "ke": change.target, **moved}


def _change(entry: Mapping[str, Any]) -> LabelChange:
    examples = entry.get("contoh")
    return LabelChange(
        Subject(entry["label"]),
        str(entry["dari"]),
        str(entry["ke"]),
        None if examples is None else frozenset(map(str, examples)),
    )
