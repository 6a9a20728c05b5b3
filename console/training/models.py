"""The models there are, what each was made of, and what the gate found of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.training.gate_report import GateReport, read_gate_report
from learning.live_model import Change, LiveModel

__all__ = ["Model", "list_models"]


@dataclass(frozen=True)
class Model:
    name: str
    """of the file"""
    trained_at: datetime
    made_of: Mapping[str, Any]
    """as `praja train` writes it: hashes, seed, commit, version of the reviewed set, seconds; empty where it didn't"""
    report: GateReport | None
    is_live: bool
    is_readable: bool
    """made of the same program and configuration as the live one, as far as is known"""
    last_live: Change | None


def list_models(folder: Path) -> Sequence[Model]:
    """The newest first. Raises LiveModelUnreadable."""
    live = LiveModel(folder)
    current = live.current()
    of_live = {} if current is None else _made_of(current)
    last = {change.model: change for change in live.history()}
    archives = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [_model(path, path == current, of_live, last.get(path.name)) for path in archives]


def _model(path: Path, is_live: bool, of_live: Mapping[str, Any], last: Change | None) -> Model:
    made = _made_of(path)
    kept = ("program", "configuration")
    is_readable = all(made.get(key) == of_live.get(key) or key not in made or key not in of_live for key in kept)
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Model(path.name, written_at, made, read_gate_report(path), is_live, is_readable, last)


def _made_of(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.with_name(path.name.removesuffix(".tar.gz") + ".json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
