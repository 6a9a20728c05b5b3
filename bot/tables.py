"""The room's tables, PostgreSQL schema `bot`. What citizens wrote, and how they are reached, is sealed (`bot/store.py`)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

__all__ = [
    "addresses",
    "backend_events",
    "conversations",
    "files",
    "frames",
    "handoffs",
    "inbox",
    "is_held",
    "is_queued",
    "metadata",
    "outbox",
]

metadata = MetaData(schema="bot")

_Time = DateTime(timezone=True)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("created_at", _Time, nullable=False),
    Column("handler", Text, nullable=False, server_default="bot"),  # bot | officer
    Column("last_message_at", _Time),  # opens the channel's window
    Column("unreachable", Boolean, nullable=False, server_default=text("false")),  # until the citizen writes again
    # The worker's claim, and the trouble of the oldest unanswered message.
    Column("leased_by", Text),
    Column("lease_until", _Time),
    Column("retry_at", _Time),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("troubled", Boolean, nullable=False, server_default=text("false")),  # was told so; until a turn succeeds
    # The sender's claim, its pause after a failure, and the time up to which the pace's allowance is used up.
    Column("send_leased_by", Text),
    Column("send_lease_until", _Time),
    Column("send_after", _Time),
    Column("paced_until", _Time),
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),  # the newest is the best
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    UniqueConstraint("channel", "fingerprint", "kind"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE")),
    Column("raw", LargeBinary, nullable=False),
    Column("sent_at", _Time),
    Column("received_at", _Time, nullable=False),
    Column("answered_at", _Time),  # dealt with, whatever the outcome
    Column("outcome", Text),  # bot/turn.py: Outcome
    Column("error", Text),
    UniqueConstraint("channel", "external_id"),
)
Index("inbox_unanswered", inbox.c.id, postgresql_where=inbox.c.answered_at.is_(None))
Index("inbox_conversation", inbox.c.conversation, inbox.c.id)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("inbox", ForeignKey(inbox.c.id, ondelete="SET NULL"), index=True),  # the message it answers
    Column("kind", Text, nullable=False),  # bot | notification | officer
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),  # bot/outbox.py: State
    Column("provider_id", Text, index=True),
    Column("error_code", Integer),
    Column("error", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", _Time, nullable=False),
    Column("sent_at", _Time),
    Column("delivered_at", _Time),
    Column("read_at", _Time),
    Column("billable", Boolean),
)
# Literals, since a parameter doesn't find a partial index.
is_queued = outbox.c.state == text("'queued'")
is_held = outbox.c.state == text("'held'")
Index("outbox_queued", outbox.c.id, postgresql_where=is_queued)
Index("outbox_held", outbox.c.conversation, postgresql_where=is_held)
Index("outbox_conversation", outbox.c.conversation, outbox.c.id)
Index("outbox_billed", outbox.c.delivered_at, postgresql_where=outbox.c.billable)

frames = Table(
    "frames",
    metadata,
    Column("inbox", ForeignKey(inbox.c.id, ondelete="CASCADE"), primary_key=True),
    Column("intent", Text),
    Column("confidence", Double),
    Column("service", Text),
    Column("service_confidence", Double),
    Column("entities", LargeBinary, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("model", Text),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("service", Text),
    Column("requested_at", _Time, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("inbox", ForeignKey(inbox.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", _Time, nullable=False),
)

backend_events = Table(
    "backend_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("received_at", _Time, nullable=False),
)
