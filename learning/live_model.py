"""Which model is live, and how that came about: one pointer with its history, `models/live.json`."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from learning.training_file import replace_file

__all__ = ["Change", "Kind", "LiveModel", "LiveModelBusy", "LiveModelUnreadable"]

_POINTER = "live.json"
_LOCK = ".live.lock"
_SWITCHING = ".switching"


class Kind(StrEnum):
    FIRST = "pertama"
    """nothing was live, or nothing that could serve"""
    PROMOTED = "dinaikkan"
    OVERRIDDEN = "dipaksa"
    """against the gate's verdict"""
    ROLLED_BACK = "dikembalikan"


class LiveModelUnreadable(Exception):
    """`models/live.json` isn't as we write it; the message is an Indonesian sentence."""


class LiveModelBusy(Exception):
    """Another process is changing it; the message is an Indonesian sentence."""


@dataclass(frozen=True)
class Change:
    model: str
    """file name in `models/`"""
    at: str
    """ISO 8601 with zone"""
    kind: Kind
    reason: str = ""
    watched_until: str = ""
    """the same: it is on probation until then; "" where nobody watches it"""

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def until(self) -> datetime | None:
        return datetime.fromisoformat(self.watched_until) if self.watched_until else None


class LiveModel:
    """`folder`: `models/`. The live model is the history's last; whoever changes it holds `changing` all the while."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def history(self) -> Sequence[Change]:
        """The oldest first. Raises LiveModelUnreadable."""
        try:
            text = (self._folder / _POINTER).read_text("utf-8")
        except FileNotFoundError:
            return []
        try:
            entries = json.loads(text)["history"]
            return [Change(**each | {"kind": Kind(each["kind"])}) for each in entries]
        except (ValueError, KeyError, TypeError):
            raise LiveModelUnreadable(
                f"{self._folder / _POINTER} rusak; hapus, lalu `praja promote MODEL` dengan model yang hidup."
            ) from None

    def current(self) -> Path | None:
        """None where none was ever made live, or its archive is gone. Raises LiveModelUnreadable."""
        return self._archive(self._line())

    def before(self) -> Path | None:
        """What a rollback leads to. Raises LiveModelUnreadable."""
        return self._archive(self._line()[:-1])

    def on_probation(self, now: datetime) -> Change | None:
        """How the live model came to be so, while its first minutes last. Raises LiveModelUnreadable."""
        history = self.history()
        last = history[-1] if history else None
        if last is None or last.until is None or self.current() is None:
            return None
        return last if now < last.until else None

    def set(
        self, model: Path, at: datetime, kind: Kind, reason: str = "", watched_until: datetime | None = None
    ) -> None:
        """Raises LiveModelUnreadable."""
        until = "" if watched_until is None else watched_until.isoformat(timespec="seconds")
        changes = [*self.history(), Change(model.name, at.isoformat(timespec="seconds"), kind, reason, until)]
        written = json.dumps({"history": [asdict(change) for change in changes]}, ensure_ascii=False, indent=1)
        replace_file(self._folder / _POINTER, written + "\n")

    @contextlib.contextmanager
    def changing(self, *, wait: bool) -> Iterator[None]:
        """Alone with it, before all processes. Raises LiveModelBusy where somebody else is and `wait` isn't set."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LiveModelBusy("Model yang hidup sedang diganti oleh proses lain; coba lagi sebentar.") from None
            yield

    @property
    def is_unsettled(self) -> bool:
        """Whether servers may serve another model than the live one, since a change is under way or was cut off."""
        return (self._folder / _SWITCHING).exists()

    def unsettle(self) -> None:
        (self._folder / _SWITCHING).touch()

    def settle(self) -> None:
        (self._folder / _SWITCHING).unlink(missing_ok=True)

    def _line(self) -> list[str]:
        """The models that are live one after the other with every step back taken out."""
        line: list[str] = []
        for change in self.history():
            if change.kind is Kind.ROLLED_BACK:
                line = line[:-1]
            else:
                line.append(change.model)
        return line

    def _archive(self, line: Sequence[str]) -> Path | None:
        path = self._folder / line[-1] if line else None
        return path if path is not None and path.exists() else None
