"""A checkout of a district's own: what it adds to `data/` is nobody else's."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.stack.running import ROOT

__all__ = ["check_out"]

_FILES = ("config.yml", "domain.yml", "endpoints.yml", "credentials.yml", "pyproject.toml")
_MEASURED = "tests/data/understanding"


def check_out(folder: Path) -> Path:
    """Its environments are ours."""
    rooms = [path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"]
    for name in (*rooms, "data", _MEASURED):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".venv", "tinjauan"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder)
    for environment in (".venv", "nlu/.venv"):
        (folder / environment).symlink_to(ROOT / environment)
    (folder / "models").mkdir()
    return folder
