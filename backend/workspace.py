"""What every part of the backend works with: database, catalogue, keys, files, time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.calendar import LOCAL_TIME
from backend.catalogue import Catalogue, Service
from backend.document_store import DocumentStore
from backend.documents import check_file
from backend.form import Content
from backend.regions import Regions
from identity import Seal

__all__ = ["StoredFile", "Workspace"]


@dataclass(frozen=True)
class StoredFile:
    """In the document store, not yet named by a row."""

    id: UUID
    content_type: str
    size: int

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

    def open_content(self, sealed: bytes) -> Content:
        kept = self.seal.open_json(sealed)
        return Content(kept["answers"], tuple(kept["skipped"]), kept["on_behalf_of"])

    def service(self, identifier: str) -> Service | None:
        return self.catalogue.services.get(identifier)

    async def keep_file(self, content: bytes) -> StoredFile:
        """Check, clean and store a file. Raises FileRefused."""
        async with self.checking:
            checked = await asyncio.to_thread(check_file, content)
        identifier = await asyncio.to_thread(self.store.write, checked.content)
        return StoredFile(identifier, checked.content_type, len(checked.content))

    async def discard(self, unused: Iterable[UUID]) -> None:
        """Delete files whose rows are gone; call it once that is committed."""
        for identifier in unused:
            await asyncio.to_thread(self.store.delete, identifier)
