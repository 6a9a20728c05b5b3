"""What every part of review works with: the bot's store, the seal of what is kept for review, labels, and known examples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store import Store
from console.review.known import KnownExamples
from console.review.labels import Labels, LabelsUnfit, read_labels
from identity import Seal, Secrets

__all__ = ["ReviewRoom", "alone"]


@dataclass(frozen=True)
class ReviewRoom:
    store: Store
    seal: Seal
    labels: Labels
    known: KnownExamples
    data: Path
    objection: re.Pattern[str]
    """in what a citizen says next, when the answer was to another question; asked of `similarity.plain` text"""
    frozen: Path | None
    """the folder of the sets that are measured by and never change"""
    may_write: bool
    """whether sets are written into `data`; else they are downloaded"""

    @classmethod
    def open(cls, store: Store, secrets: Secrets, data: Path, *, frozen: Path | None, may_write: bool) -> ReviewRoom:
        """Raises LabelsUnfit."""
        return cls(
            store,
            Seal(secrets, "console.review"),
            read_labels(data),
            KnownExamples(data),
            data,
            _read_objection(data),
            frozen,
            may_write,
        )

    @property
    def engine(self) -> AsyncEngine:
        return self.store.engine

    def clock(self) -> datetime:
        return self.store.clock()

    def text(self, sealed: bytes | None) -> str | None:
        return None if sealed is None else self.seal.open(sealed).decode()

    def json(self, sealed: bytes | None) -> Any:
        return None if sealed is None else self.seal.open_json(sealed)


async def alone(connection: AsyncConnection, what: str) -> None:
    """Whoever in any process does what is called so does it one after the other, to the end of the transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"console.review.{what}"))))


def _read_objection(data: Path) -> re.Pattern[str]:
    path = data / "keberatan.yml"
    try:
        phrases = TypeAdapter(list[str]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError):
        raise LabelsUnfit(f"{path} harus berisi daftar ungkapan") from None
    return re.compile(rf"\b(?:{'|'.join(re.escape(phrase.lower()) for phrase in phrases)})\b")
