"""Every column that holds something sealed, and the purpose it is sealed for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SEALED", "RotationFailed", "SealedColumn"]


class RotationFailed(Exception):
    """Something opens with none of the keys, or another rotation is under way; the message says which."""


@dataclass(frozen=True)
class SealedColumn:
    table: str
    """with its schema"""
    key: Sequence[str]
    """the primary key"""
    column: str
    purpose: str
    is_text: bool = False
    """base64 of the sealed bytes, in a column of text"""
    is_large: bool = False
    """a whole file: few at a time"""


SEALED = (
    SealedColumn("bot.addresses", ("id",), "value", "bot.address"),
    SealedColumn("bot.phones", ("conversation", "fingerprint"), "value", "bot.address"),
    SealedColumn("bot.inbox", ("id",), "raw", "bot.inbox"),
    SealedColumn("bot.outbox", ("id",), "body", "bot.outbox"),
    SealedColumn("bot.frames", ("inbox",), "entities", "bot.frame"),
    SealedColumn("bot.frames", ("inbox",), "text", "bot.frame"),
    SealedColumn("bot.handoff_events", ("id",), "note", "bot.desk"),
    SealedColumn("bot.links", ("fingerprint",), "subject", "bot.link"),
    SealedColumn("bot.files", ("id",), "content", "bot.file", is_large=True),
    SealedColumn("bot.attachments", ("id",), "content", "bot.file", is_large=True),
    SealedColumn("backend.drafts", ("id",), "content", "backend.answers"),
    SealedColumn("backend.changes", ("draft_id", "message_id"), "body", "backend.answers"),
    SealedColumn("backend.filings", ("number",), "fix", "backend.answers"),
    SealedColumn("backend.chronology", ("id",), "words", "backend.answers"),
    SealedColumn("backend.erasures", ("person", "message_id"), "body", "backend.answers"),
    SealedColumn("backend.surveys", ("id",), "suggestion", "backend.answers"),
    SealedColumn("console.accounts", ("id",), "totp", "console.totp"),
    SealedColumn("console.reviews", ("message",), "text", "console.review"),
    SealedColumn("console.reviews", ("message",), "after", "console.review"),
    SealedColumn("console.review_sets", ("name",), "content", "console.review"),
    SealedColumn("console.training_runs", ("id",), "said", "console.training"),
    SealedColumn("rasa.events", ("id",), "data", "rasa.events", is_text=True),
)
