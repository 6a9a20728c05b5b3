"""One-time links: who holds one may do one thing for one conversation, once and for a while.

A token is told to nobody but the citizen; here is only its fingerprint.
"""

from __future__ import annotations

import enum
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import Cleaned, Store
from bot.tables import links

__all__ = [
    "DataSubject",
    "Link",
    "LinkKind",
    "Subject",
    "SurveySubject",
    "UploadSubject",
    "find",
    "issue",
    "read_subject",
    "use",
    "yield_back",
]


class LinkKind(enum.StrEnum):
    """The value is the first part of the link's path."""

    UPLOAD = "unggah"
    SURVEY = "penilaian"
    DATA = "data"


_LIFE: Mapping[LinkKind, timedelta] = {
    LinkKind.UPLOAD: timedelta(hours=1),
    LinkKind.SURVEY: timedelta(days=30),
    LinkKind.DATA: timedelta(minutes=15),
}
_MOST_PAGES = 20
"""of one document: what the catalogue allows"""

Word = Annotated[Cleaned, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class UploadSubject(BaseModel):
    """Which document of which draft; `name` is what citizens call it, `pages` how many files may come."""

    draft: Word
    document: Word
    name: Word
    pages: int = Field(1, ge=1, le=_MOST_PAGES)


class SurveySubject(BaseModel):
    number: Word
    service: Word


class DataSubject(BaseModel):
    """Nothing more: whose data it is, the conversation says."""


Subject = UploadSubject | SurveySubject | DataSubject
_SUBJECTS: Mapping[LinkKind, type[Subject]] = {
    LinkKind.UPLOAD: UploadSubject,
    LinkKind.SURVEY: SurveySubject,
    LinkKind.DATA: DataSubject,
}


@dataclass(frozen=True)
class Link:
    fingerprint: str
    conversation: uuid.UUID
    subject: Subject
    expires_at: datetime
    used: bool
    expired: bool


def read_subject(kind: LinkKind, body: Any) -> Subject:
    """Raises ValueError."""
    return _SUBJECTS[kind].model_validate(body)


async def issue(
    connection: AsyncConnection, store: Store, kind: LinkKind, conversation: uuid.UUID, subject: Subject
) -> str:
    """A new link's path, `/KIND/TOKEN`, within the caller's transaction."""
    token = secrets.token_urlsafe(24)
    await connection.execute(
        insert(links).values(
            fingerprint=_fingerprint(token),
            kind=kind.value,
            conversation=conversation,
            subject=store.link.seal_json(subject.model_dump()),
            expires_at=store.clock() + _LIFE[kind],
        )
    )
    return f"/{kind.value}/{token}"


async def find(store: Store, kind: LinkKind, token: str) -> Link | None:
    async with store.single.connect() as connection:
        row = (
            await connection.execute(
                select(links).where(links.c.fingerprint == _fingerprint(token), links.c.kind == kind.value)
            )
        ).first()
    if row is None:
        return None
    return Link(
        row.fingerprint,
        row.conversation,
        read_subject(kind, store.link.open_json(row.subject)),
        row.expires_at,
        used=row.used_at is not None,
        expired=row.expires_at <= store.clock(),
    )


async def use(connection: AsyncConnection, store: Store, link: Link) -> bool:
    """Whether it was still to be used, within the caller's transaction; of two who come at once one is told so."""
    now = store.clock()
    used = await connection.execute(
        update(links)
        .where(links.c.fingerprint == link.fingerprint, links.c.used_at.is_(None), links.c.expires_at > now)
        .values(used_at=now)
    )
    return used.rowcount > 0


async def yield_back(store: Store, link: Link) -> None:
    """As unused: what it was to be used for didn't come about."""
    async with store.single.connect() as connection:
        await connection.execute(update(links).where(links.c.fingerprint == link.fingerprint).values(used_at=None))


def _fingerprint(token: str) -> str:
    """A plain digest will do: a token has 192 bits of chance."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
