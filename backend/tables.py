"""The tables of the application backend, in the database schema `backend`.

What a citizen answered, officers' words and kept answers are sealed (`bytea`); a NIK is looked up by its fingerprint.
A filing goes on from its draft: answers, files and kept answers stay with the draft's row.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
    text,
)

__all__ = ["changes", "chronology", "drafts", "files", "filings", "metadata", "proofs"]

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

drafts = Table(
    "drafts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False, comment="open, submitted, deleted, expired"),
    Column("content", LargeBinary, comment="sealed: answers, skipped, on_behalf_of; null once deleted or expired"),
    Column("expires_at", _Moment, nullable=False),
    Index("uq_drafts_open", "contact", "service", unique=True, postgresql_where=text("state = 'open'")),
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
    Index("uq_files_page", "draft_id", "document", "page", unique=True, postgresql_nulls_not_distinct=True),
)

filings = Table(
    "filings",
    metadata,
    Column("number", Text, primary_key=True),
    Column("draft_id", ForeignKey(drafts.c.id), nullable=False, unique=True),
    Column("service", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("nik_index", Text, nullable=False, comment="fingerprint"),
    Column("state", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("fix", LargeBinary, nullable=False, comment="sealed: what is still to be mended"),
    Column("submitted_at", _Moment, nullable=False),
    Column("due_on", Date),
    Index("ix_filings_contact", "contact", "submitted_at", "number"),
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
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", _Moment, nullable=False),
    Column("delivered_at", _Moment),
    Index("ix_chronology_number", "number", "position"),
    Index("ix_chronology_undelivered", "next_attempt_at", postgresql_where=text("delivered_at IS NULL")),
)

proofs = Table(
    "proofs",
    metadata,
    Column("contact", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("since", _Moment, nullable=False),
    PrimaryKeyConstraint("contact", "number"),
)
