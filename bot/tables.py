"""The room's tables, PostgreSQL schema `bot`. What citizens wrote, and how they are reached, is sealed (`bot/store.py`)."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
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
    "attachments",
    "backend_events",
    "chatwoot",
    "chatwoot_deliveries",
    "conversations",
    "files",
    "followed_filings",
    "frames",
    "halts",
    "handoff_events",
    "handoffs",
    "inbox",
    "is_held",
    "is_queued",
    "links",
    "metadata",
    "outbox",
    "phones",
    "presence",
]

metadata = MetaData(schema="bot")

_Time = DateTime(timezone=True)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("created_at", _Time, nullable=False),
    # Who has it (bot/desk/states.py changes it): the officer and the lease go with `officer`, the hand-off with both others.
    Column("handler", Text, nullable=False, server_default="bot"),  # bot | queued | officer
    Column("handoff", BigInteger),
    Column("officer", Text),
    Column("officer_lease_until", _Time),
    Column("last_message_at", _Time),  # opens the channel's window
    Column("unreachable", Boolean, nullable=False, server_default=text("false")),  # until the citizen writes again
    # The worker's claim, and the trouble of the oldest unanswered message.
    Column("leased_by", Text),
    Column("lease_until", _Time),
    Column("retry_at", _Time),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("troubled", Boolean, nullable=False, server_default=text("false")),  # was told so; until a turn succeeds
    Column("served_at", _Time),  # when a claim was last answered
    # A flood of theirs: how many answers it has got, and when the next may be given (bot/flood.py).
    Column("flood_step", Integer, nullable=False, server_default=text("0")),
    Column("flood_until", _Time),
    # The sender's claim, its pause after a failure, and the time up to which the pace's allowance is used up.
    Column("send_leased_by", Text),
    Column("send_lease_until", _Time),
    Column("send_after", _Time),
    Column("paced_until", _Time),
    Column("erase_at", _Time),  # what was written is to be forgotten; since then (bot/erasure.py)
    Column("polled_at", _Time),  # bot/poller.py
)

Index("conversations_at_the_desk", conversations.c.handoff, postgresql_where=text("handler <> 'bot'"))

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
    Column("raw", LargeBinary),  # none: forgotten
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
    Column("kind", Text, nullable=False),  # bot/outbox.py: Kind
    Column("officer", Text),  # who wrote it
    Column("form", Uuid),  # by which officer's form: one that is sent twice goes out once
    Column("body", LargeBinary),  # none: forgotten
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
Index("outbox_form", outbox.c.form, unique=True, postgresql_where=outbox.c.form.is_not(None))
Index("outbox_billed", outbox.c.delivered_at, postgresql_where=outbox.c.billable)

frames = Table(
    "frames",
    metadata,
    Column("inbox", ForeignKey(inbox.c.id, ondelete="CASCADE"), primary_key=True),
    Column("intent", Text),
    Column("confidence", Double),
    Column("service", Text),
    Column("service_confidence", Double),
    Column("entities", LargeBinary),  # none: forgotten, as the text
    Column("text", LargeBinary),
    Column("model", Text),
    Column("understood", Boolean, nullable=False, server_default=text("true")),
    Column("displeased", Boolean, nullable=False, server_default=text("false")),
    Column("in_form", Boolean),  # an answer to the form's question; none: not known
    Column("margin", Double),  # of the intent's confidence over the likeliest other one's; none: not known
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("service", Text),
    Column("requested_at", _Time, nullable=False),
    Column("agency", Text, nullable=False, server_default="umum"),
    Column("priority", Integer, nullable=False, server_default=text("0")),  # higher is served first
    Column("waiting_since", _Time),  # first message no officer has answered; none: all are
    Column("queued_at", _Time),  # when it last joined a queue
    Column("told_at", _Time),  # when the citizen was last told how the queue stands
    Column("claimed_at", _Time),  # first
    Column("answered_at", _Time),  # first
    Column("said_at", _Time),  # last word of an officer
    Column("raised_at", _Time),  # waited longer than the standard
    Column("closed_at", _Time),
    Column("outcome", Text),  # bot/desk/states.py: Outcome
)
Index("handoffs_of_an_agency", handoffs.c.agency, handoffs.c.requested_at)

handoff_events = Table(
    "handoff_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("handoff", ForeignKey(handoffs.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("at", _Time, nullable=False),
    Column("kind", Text, nullable=False),  # bot/desk/chronicle.py: Happening
    Column("officer", Text),  # who did it
    Column("colleague", Text),  # who got it
    Column("agency", Text),
    Column("note", LargeBinary),
)

presence = Table(
    "presence",
    metadata,
    Column("officer", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("agencies", ARRAY(Text)),  # none: every agency
    Column("available", Boolean, nullable=False),
    Column("seen_at", _Time, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", _Time, nullable=False),
)

chatwoot = Table(
    "chatwoot",
    metadata,
    Column("handoff", ForeignKey(handoffs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, unique=True),  # of the conversation there
    Column(
        "forwarded", BigInteger, nullable=False, server_default=text("0")
    ),  # inbox row up to which it has our messages
    Column("resolved_at", _Time),  # there, after it was closed here
    Column("retry_at", _Time),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
)

chatwoot_deliveries = Table(
    "chatwoot_deliveries",
    metadata,
    Column("message", BigInteger, primary_key=True),  # id of the message there
    Column("received_at", _Time, nullable=False),
    # How far it got is told there: of which conversation it is, what it became here, and the state told last.
    Column("number", BigInteger),
    Column("outbox", BigInteger, index=True),
    Column("told", Text),
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

# A phone number that was proved to be the citizen's: it joins their conversations on several channels.
phones = Table(
    "phones",
    metadata,
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("proved_at", _Time, nullable=False),
    Column("expires_at", _Time),  # none: as long as it is an address of the conversation
    Index("phones_fingerprint", "fingerprint"),
)

# One-time links; only the holder of a link knows its token.
links = Table(
    "links",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # bot/links.py: LinkKind
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("subject", LargeBinary, nullable=False),
    Column("expires_at", _Time, nullable=False, index=True),
    Column("used_at", _Time),
)

# A channel whose provider takes messages and refuses them later, until an operator acts.
halts = Table(
    "halts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("code", Integer),
    Column("since", _Time, nullable=False),
    Column("until", _Time, nullable=False),  # then one message tries
)

# Filings of a backend that is asked instead of telling.
followed_filings = Table(
    "followed_filings",
    metadata,
    Column("number", Text, primary_key=True),
    Column("conversation", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
)
