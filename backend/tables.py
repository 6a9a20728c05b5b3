"""The tables of the application backend, in the database schema `backend`.

What a citizen answered, officers' words and kept answers are sealed (`bytea`); a NIK is looked up by its fingerprint.
A filing goes on from its draft: answers, files and kept answers stay with the draft's row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

__all__ = [
    "changes",
    "chronology",
    "consents",
    "drafts",
    "erasures",
    "files",
    "filings",
    "metadata",
    "notices",
    "proofs",
    "stored_files",
    "surveys",
    "verifications",
]

metadata = MetaData(
    schema="backend",
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

_Moment = DateTime(timezone=True)


def _delivery(name: str) -> tuple[Column[Any] | Index, ...]:
    """What `backend/delivery.py` keeps of each thing that the bot is told."""
    return (
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("next_attempt_at", _Moment, nullable=False),
        Column("delivered_at", _Moment),
        Index(f"ix_{name}_undelivered", "next_attempt_at", postgresql_where=text("delivered_at IS NULL")),
    )


drafts = Table(
    "drafts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service", Text, nullable=False),
    Column("contact", Text, comment="null once erased"),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False, comment="open, submitted, deleted, expired"),
    Column("on_behalf", Boolean, nullable=False, server_default=false(), comment="filed for another person"),
    Column(
        "content",
        LargeBinary,
        comment="sealed: answers, skipped, on_behalf_of, known_settled; null once deleted or expired",
    ),
    Column("expires_at", _Moment, nullable=False),
    Column("left_at", Text, comment="the item that was asked when it expired"),
    Index("uq_drafts_open", "contact", "service", "on_behalf", unique=True, postgresql_where=text("state = 'open'")),
    Index("ix_drafts_expires_at", "expires_at", postgresql_where=text("state = 'open'")),
)

changes = Table(
    "changes",
    metadata,
    Column("draft_id", ForeignKey(drafts.c.id), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="sealed: the answer as it was given"),
    PrimaryKeyConstraint("draft_id", "message_id"),
)

files = Table(
    "files",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also its name in the document store"),
    Column("draft_id", ForeignKey(drafts.c.id), nullable=False),
    Column("document", Text, comment="of the service; null for the officers' result"),
    Column("page", SmallInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("at", _Moment, nullable=False),
    Column("doubt", Text, comment="blurred, dark, glaring; null when it is fine or was accepted as it is"),
    Index("uq_files_page", "draft_id", "document", "page", unique=True, postgresql_nulls_not_distinct=True),
)

filings = Table(
    "filings",
    metadata,
    Column("number", Text, primary_key=True),
    Column("draft_id", ForeignKey(drafts.c.id), nullable=False, unique=True),
    Column("service", Text, nullable=False),
    Column("contact", Text, comment="null once erased"),
    Column("nik_index", Text, comment="fingerprint; null where no NIK is asked"),
    Column("state", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("fix", LargeBinary, nullable=False, comment="sealed: what is still to be mended"),
    Column("submitted_at", _Moment, nullable=False),
    Column("due_on", Date),
    Column(
        "hides_applicant",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="a complaint whose office doesn't learn who made it",
    ),
    Column("confirmed_at", _Moment, comment="of a complaint: since when it counts as settled"),
    Column("survey_until", _Moment, comment="once marked: until when the marks may be changed"),
    Index("ix_filings_contact", "contact", "submitted_at", "number"),
    Index("ix_filings_due_on", "due_on", postgresql_where=text("state IN ('MENUNGGU', 'DIPROSES')")),
    Index("ix_filings_submitted_at", "submitted_at", "number"),
)

chronology = Table(
    "chronology",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also the event's id"),
    Column("position", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("number", ForeignKey(filings.c.number), nullable=False),
    Column("at", _Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("office", Text, nullable=False, comment="where the filing lay then"),
    Column("officer", Text),
    Column("words", LargeBinary, nullable=False, comment="sealed: note, fix"),
    Index("ix_chronology_number", "number", "position"),
    *_delivery("chronology"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("contact", Text, nullable=False),
    Column("number", Text, nullable=False, comment="of a filing, or what else is guessed at"),
    Column("tries", Integer, nullable=False),
    Column("since", _Moment, nullable=False),
    PrimaryKeyConstraint("contact", "number"),
)

stored_files = Table(
    "stored_files",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", _Moment, nullable=False),
    comment="everything in the document store, entered before it is written there and removed after it is deleted",
)

notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also the event's id"),
    Column("kind", Text, nullable=False, comment="draft_reminder, overdue"),
    Column("draft_id", ForeignKey(drafts.c.id)),
    Column("number", ForeignKey(filings.c.number)),
    Column("at", _Moment, nullable=False),
    Index("uq_notices_once", "kind", "draft_id", "number", unique=True, postgresql_nulls_not_distinct=True),
    *_delivery("notices"),
)

consents = Table(
    "consents",
    metadata,
    Column("person", Text, nullable=False, comment="fingerprint of the contact"),
    Column("message_id", Text, nullable=False),
    Column("version", Text, nullable=False, comment="of the privacy notice that was agreed to"),
    Column("channel", Text, nullable=False),
    Column("at", _Moment, nullable=False),
    Column("withdrawn_at", _Moment),
    PrimaryKeyConstraint("person", "message_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("person", Text, nullable=False, comment="fingerprint of the contact"),
    Column("message_id", Text, nullable=False),
    Column("at", _Moment, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="sealed: the answer as it was given"),
    PrimaryKeyConstraint("person", "message_id"),
)

verifications = Table(
    "verifications",
    metadata,
    Column("code", Text, primary_key=True),
    Column("number", ForeignKey(filings.c.number), nullable=False, unique=True),
    Column("issued_on", Date, nullable=False),
)

surveys = Table(
    "surveys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("filing_index", Text, unique=True, comment="fingerprint of the number; null once nothing may be changed"),
    Column("changeable_until", _Moment),
    Column("service", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("month", Date, nullable=False, comment="its first day"),
    Column("scores", JSONB, nullable=False),
    Column("suggestion", LargeBinary, comment="sealed"),
    Index("ix_surveys_month", "month"),
)
