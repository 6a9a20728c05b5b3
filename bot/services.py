"""What the room knows of the services: their names and modes, from the catalogue's own files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

__all__ = ["Service", "load_services"]

_FOLDERS = ("layanan", "formulir")


@dataclass(frozen=True)
class Service:
    name: str
    mode: str
    """`permohonan`, `pengaduan`, `staf`, `rujukan`"""


@functools.cache
def load_services(data: Path) -> Mapping[str, Service]:
    """By id; read once. What is wrong with a file is the catalogue's to say; here such a service has no name."""
    found: dict[str, Service] = {}
    for folder in _FOLDERS:
        for file in sorted((data / folder).glob("*.yml")):
            entry = _entry(file)
            if {"id", "nama", "mode"} <= set(entry):
                found[str(entry["id"])] = Service(str(entry["nama"]), str(entry["mode"]))
    return found


def _entry(file: Path) -> Mapping[str, object]:
    try:
        entry = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError):
        return {}
    return entry if isinstance(entry, dict) else {}
