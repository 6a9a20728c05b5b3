"""Canned replies, in `data/balasan.yml`."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

__all__ = ["CannedReply", "RepliesUnfit", "fill", "read_replies"]

_VARIABLES = frozenset({"petugas", "layanan", "nomor"})


class RepliesUnfit(Exception):
    """The file can't be used; the message says what to mend."""


@dataclass(frozen=True)
class CannedReply:
    title: str
    text: str


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    judul: str
    teks: str


def read_replies(data: Path) -> tuple[CannedReply, ...]:
    """Raises RepliesUnfit."""
    path = data / "balasan.yml"
    try:
        entries = TypeAdapter(list[_Entry]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise RepliesUnfit(f"{path} harus berisi daftar `judul` dan `teks`: {error}") from None
    for entry in entries:
        try:
            used = {name for _, name, _, _ in string.Formatter().parse(entry.teks) if name is not None}
        except ValueError:
            raise RepliesUnfit(f"{path}: tanda kurung dalam `{entry.judul}` tidak berpasangan") from None
        if unknown := used - _VARIABLES:
            raise RepliesUnfit(f"{path}: `{entry.judul}` memakai {{{unknown.pop()}}}, yang tidak dikenal")
    return tuple(CannedReply(entry.judul, entry.teks) for entry in entries)


def fill(replies: Sequence[CannedReply], values: Mapping[str, str | None]) -> list[CannedReply]:
    """With what is known; a variable without a value is left for the officer to write."""
    known = {name: values.get(name) or "…" for name in _VARIABLES}
    return [CannedReply(reply.title, reply.text.format_map(known)) for reply in replies]
