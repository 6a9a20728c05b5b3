"""What every part of the backend works with: database, catalogue, keys, files, time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.calendar import LOCAL_TIME
from backend.catalogue import Catalogue, Service
from backend.document_store import DocumentStore
from backend.documents import check_file
from backend.form import Content
from backend.image_quality import Doubt
from backend.regions import Regions
from backend.tables import stored_files
from identity import Seal

__all__ = ["Retention", "StoredFile", "Workspace"]


@dataclass(frozen=True)
class Retention:
    """How long after the end of a filing something of it is kept."""

    documents: timedelta = timedelta(days=30)
    """what the citizen sent"""
    answers: timedelta = timedelta(days=180)
    """and everything else that says whose filing it was, its result too"""


@dataclass(frozen=True)
class StoredFile:
    """In the document store, not yet named by a row."""

    id: UUID
    content_type: str
    size: int
    doubt: Doubt | None
    """what may make it hard to read"""

    def columns(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Workspace:
    engine: AsyncEngine
    catalogue: Catalogue
    regions: Regions
    seal: Seal
    store: DocumentStore
    clock: Callable[[], datetime]
    retention: Retention = Retention()
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    """set when there is a new event to deliver"""
    checking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """how many files are opened at a time: a large photo takes 200 MB"""

    def today(self) -> date:
        return self.clock().astimezone(LOCAL_TIME).date()

    @contextlib.asynccontextmanager
    async def announcing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes chronology: once committed, delivery starts at once."""
        async with self.engine.begin() as connection:
            yield connection
        self.happened.set()

    def seal_content(self, content: Content) -> bytes:
        return self.seal.seal_json(asdict(content))

    def open_content(self, sealed: bytes | None) -> Content:
        """Empty for one that was erased."""
        if sealed is None:
            return Content()
        kept = self.seal.open_json(sealed)
        return Content(kept["answers"], tuple(kept["skipped"]), kept["on_behalf_of"], kept.get("known_settled", False))

    def service(self, identifier: str) -> Service | None:
        """A service or another form of the catalogue."""
        return self.catalogue.entry(identifier)

    async def keep_file(self, content: bytes) -> StoredFile:
        """Check, clean and store a file. Raises FileRefused."""
        async with self.checking:
            checked = await asyncio.to_thread(check_file, content)
        identifier = uuid4()
        async with self.engine.begin() as connection:
            await connection.execute(insert(stored_files).values(id=identifier, at=self.clock()))
        await asyncio.to_thread(self.store.write, identifier, checked.content)
        return StoredFile(identifier, checked.content_type, len(checked.content), checked.doubt)

    async def discard(self, unused: Iterable[UUID]) -> None:
        """Delete files whose rows are gone; call it once that is committed."""
        for identifier in unused:
            await asyncio.to_thread(self.store.delete, identifier)
