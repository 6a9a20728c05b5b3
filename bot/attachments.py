"""Files that officers send: kept sealed, and taken from here when they are sent."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import OutgoingFile, SendFailed, SendFailure
from bot.documents import Documents
from bot.reply import FileLink
from bot.store import Store, clean
from bot.tables import attachments

__all__ = ["Attachment", "attachment_of", "fetch_file", "keep_attachment", "load_attachment"]

_SCHEME = "lampiran:"
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


async def keep_attachment(
    connection: AsyncConnection, store: Store, conversation: uuid.UUID, attachment: Attachment
) -> FileLink:
    """Within the caller's transaction; what a bubble bears."""
    name = clean(attachment.name).strip()[-_LONGEST_NAME:] or "berkas"
    identifier = uuid.uuid4()
    await connection.execute(
        insert(attachments).values(
            id=identifier,
            conversation=conversation,
            name=name,
            content_type=attachment.content_type,
            size=len(attachment.content),
            content=store.file.seal(attachment.content),
            created_at=store.clock(),
        )
    )
    return FileLink(f"{_SCHEME}{identifier}", name, attachment.content_type)


def attachment_of(link: FileLink) -> uuid.UUID | None:
    """None for a document of the backend's."""
    return uuid.UUID(link.url.removeprefix(_SCHEME)) if link.url.startswith(_SCHEME) else None


async def load_attachment(store: Store, conversation: uuid.UUID, identifier: uuid.UUID) -> Attachment | None:
    table = attachments.c
    async with store.single.connect() as connection:
        row = (
            await connection.execute(
                select(table.name, table.content_type, table.content).where(
                    table.id == identifier, table.conversation == conversation
                )
            )
        ).first()
    return Attachment(row.name, row.content_type, store.file.open(row.content)) if row else None


async def fetch_file(store: Store, documents: Documents, conversation: uuid.UUID, link: FileLink) -> OutgoingFile:
    """The content of a bubble's file, wherever it lies. Raises SendFailed."""
    identifier = attachment_of(link)
    if identifier is None:
        return await documents.fetch(link)
    found = await load_attachment(store, conversation, identifier)
    if found is None:
        raise SendFailed(SendFailure.PAYLOAD, None, "the officer's file isn't kept any more")
    return OutgoingFile(found.name, found.content_type, found.content)
