"""What the catalogue says about words: names, other names and phrases of services and families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Named", "read_catalogue"]

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Named:
    """A service, or a family (then without `families`)."""

    id: str
    names: Sequence[str]
    phrases: Sequence[str]
    families: Sequence[str]
    is_family: bool


def read_catalogue(folder: Path = _DATA) -> Sequence[Named]:
    """Services, then families. A family that bears a service's id stands for the service."""
    services = [_service(_load(path)) for path in sorted((folder / "layanan").glob("*.yml"))]
    taken = {service.id for service in services}
    families = [_named(entry, is_family=True) for entry in _load(folder / "keluarga.yml") if entry["id"] not in taken]
    return [*services, *families]


def _service(entry: dict[str, Any]) -> Named:
    return _named(entry, is_family=False)


def _named(entry: dict[str, Any], *, is_family: bool) -> Named:
    names = [entry["nama"], *map(str, entry.get("sebutan", []))]
    return Named(
        entry["id"], names, list(map(str, entry.get("ungkapan", []))), list(entry.get("keluarga", [])), is_family
    )


def _load(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506


# 70 files of a hundred lines take 4 s with the loader in Python.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
