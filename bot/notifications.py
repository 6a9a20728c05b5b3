"""Notifications: what the backend says of a filing becomes a message to the citizen who filed it."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, StringConstraints, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.channel import Template
from bot.outbox import Kind, enqueue
from bot.reply import Bubble
from bot.store import Cleaned, Store
from bot.tables import backend_events, conversations
from bot.texts import Texts

__all__ = ["FilingChanged", "announce", "read_change", "verify_backend"]

_LONGEST_NOTE = 1000
_LONGEST_REASON = 300
_MOST_FIXES = 8
_LONGEST_PARAMETER = 900
"""characters; the body of a template takes 1024 with its own words"""

Word = Annotated[Cleaned, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Fix(BaseModel):
    field: Cleaned | None = None
    document: Cleaned | None = None
    reason: Cleaned


class FilingChanged(BaseModel):
    """The body of `POST /webhooks/backend` (`backend-api.md`); `contact` is our conversation's id."""

    event_id: Word
    number: Word
    service: Word
    state: Word
    note: Cleaned | None = None
    fix: list[Fix] | None = None
    fix_names: dict[str, Cleaned] = {}
    """what `fix` names by id, as citizens know it; a backend may leave it out"""
    contact: Word


def verify_backend(raw: bytes, header: str | None, secret: str) -> bool:
    """Whether `X-Praja-Signature` is `sha256=` + HMAC-SHA256 of the raw body."""
    expected = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), (header or "").encode(errors="replace"))


def read_change(raw: bytes) -> FilingChanged:
    """Raises ValueError, which names fields and never their values."""
    try:
        return FilingChanged.model_validate(json.loads(raw))
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, part["loc"])) for part in error.errors())
        raise ValueError(f"wrong or missing: {wrong}") from None
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None


async def announce(store: Store, texts: Texts, templates: Mapping[str, tuple[str, str]], change: FilingChanged) -> bool:
    """Put the notification into the outbox, once per event; false when nobody here is that contact.

    `templates` are name and language of the template of each channel that needs one outside its window. Whether the
    window is open is decided when the message is sent.
    """
    async with store.engine.begin() as connection:
        channel = await connection.scalar(
            select(conversations.c.channel).where(conversations.c.id == _conversation(change.contact))
        )
        if channel is None:
            return False
        new = await connection.execute(
            upsert(backend_events)
            .values(event_id=change.event_id, received_at=store.clock())
            .on_conflict_do_nothing()
            .returning(backend_events.c.event_id)
        )
        if new.first() is not None:
            text = _text(texts, change)
            template = templates.get(channel)
            bubble = Bubble(text, template=Template(*template, (text[:_LONGEST_PARAMETER],)) if template else None)
            await enqueue(connection, store, uuid.UUID(change.contact), Kind.NOTIFICATION, [bubble])
    return True


def _conversation(contact: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(contact)
    except ValueError:
        return None


def _text(texts: Texts, change: FilingChanged) -> str:
    parts = [texts.of("pemberitahuan", change.state, nomor=change.number)]
    if change.fix:
        parts.insert(1, "\n".join([texts("yang_diperbaiki"), *_fixes(texts, change.fix, change.fix_names)]))
    if change.note and change.note.strip():
        parts.append(texts("catatan", catatan=change.note.strip()[:_LONGEST_NOTE]))
    return "\n\n".join(parts)


def _fixes(texts: Texts, fixes: Sequence[Fix], names: Mapping[str, str]) -> list[str]:
    return [
        texts(
            "perbaikan",
            bagian=names.get(item := fix.document or fix.field or "data", item.replace("_", " ")),
            alasan=fix.reason.strip()[:_LONGEST_REASON],
        )
        for fix in fixes[:_MOST_FIXES]
    ]
