"""Reasons that officers choose from, in `data/alasan.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["Reasons", "ReasonsUnfit", "read_reasons"]


class ReasonsUnfit(Exception):
    """The file can't be used; the message says what to mend."""


@dataclass(frozen=True)
class Reasons:
    to_mend: tuple[str, ...]
    to_reject: tuple[str, ...]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    perbaikan: tuple[str, ...]
    penolakan: tuple[str, ...]


def read_reasons(data: Path) -> Reasons:
    """Raises ReasonsUnfit."""
    path = data / "alasan.yml"
    try:
        read = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ReasonsUnfit(f"{path} harus berisi daftar `perbaikan` dan `penolakan`: {error}") from None
    return Reasons(read.perbaikan, read.penolakan)
