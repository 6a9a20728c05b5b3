"""Files that citizens sent: kept sealed, given out to whoever holds the token while the turn may need them."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, select

from bot.channel import Channel, FileReference, SendFailed, SendFailure
from bot.store import Store, clean
from bot.tables import files, inbox

__all__ = ["LARGEST_FILE", "FileGone", "FileTooLarge", "StoredFile", "load_file", "safe_name", "store_file"]

LARGEST_FILE = 15 * 1024 * 1024
"""bytes"""
_LONGEST_FETCH = 35.0
"""seconds; with Rasa's time-out it fits into the lease of a claim"""
_KEPT_AFTER_ANSWER = timedelta(days=7)
"""as long as what a citizen began waits to be gone on with: pages of a correction are fetched when all are there"""
_LONGEST_NAME = 200
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
"""It becomes a header of ours, so nothing else may be in it (RFC 6838, 4.2)."""


class FileTooLarge(Exception):
    """Larger than `LARGEST_FILE`."""


class FileGone(Exception):
    """The provider doesn't give it out any more."""


@dataclass(frozen=True)
class StoredFile:
    id: uuid.UUID
    name: str
    content_type: str
    size: int


async def store_file(
    store: Store, channel: Channel, message: int, file: FileReference, *, longest: float = _LONGEST_FETCH
) -> StoredFile:
    """Fetch the file of an inbox row, once. Raises FileTooLarge, FileGone, and SendFailed when it may work later."""
    async with store.single.connect() as connection:
        known = (
            await connection.execute(
                select(files.c.id, files.c.name, files.c.content_type, files.c.size).where(files.c.inbox == message)
            )
        ).first()
    if known is not None:
        return StoredFile(*known)
    if file.size is not None and file.size > LARGEST_FILE:
        raise FileTooLarge
    try:
        async with asyncio.timeout(longest):
            content = await channel.download(file)
    except TimeoutError:
        raise SendFailed(SendFailure.RETRY, None, "a file that takes too long") from None
    except SendFailed as failed:
        if failed.failure is SendFailure.RECIPIENT:
            # Adapters stop reading somewhat above our limit and don't tell that apart from a file that is gone.
            raise (FileTooLarge if "larger" in failed.detail else FileGone) from None
        raise
    if len(content) > LARGEST_FILE:
        raise FileTooLarge
    stored = StoredFile(
        uuid.uuid4(),
        safe_name(file.name),
        file.content_type if _CONTENT_TYPE.fullmatch(file.content_type) else "application/octet-stream",
        len(content),
    )
    async with store.single.connect() as connection:
        await connection.execute(
            insert(files).values(
                id=stored.id,
                inbox=message,
                name=stored.name,
                content_type=stored.content_type,
                size=stored.size,
                content=store.file.seal(content),
                created_at=store.clock(),
            )
        )
    return stored


def safe_name(name: str) -> str:
    """A file's name as it came, within bounds."""
    return clean(name).strip()[-_LONGEST_NAME:] or "berkas"


async def load_file(store: Store, file: uuid.UUID) -> tuple[str, bytes] | None:
    """Content type and content; None when it isn't there, or its turn was answered more than a week ago."""
    async with store.single.connect() as connection:
        row = (
            await connection.execute(
                select(files.c.content_type, files.c.content, inbox.c.answered_at)
                .join(inbox, inbox.c.id == files.c.inbox)
                .where(files.c.id == file)
            )
        ).first()
    if row is None or (row.answered_at and row.answered_at < store.clock() - _KEPT_AFTER_ANSWER):
        return None
    return row.content_type, store.file.open(row.content)
