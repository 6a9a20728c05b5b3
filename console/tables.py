"""The room's tables, PostgreSQL schema `console`: who works here, who is signed in, and what they looked at and did."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    DDL,
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
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

__all__ = [
    "APPEND_ONLY",
    "accounts",
    "attempts",
    "audit",
    "label_changes",
    "metadata",
    "opinions",
    "review_progress",
    "review_set_changes",
    "review_sets",
    "reviews",
    "sessions",
    "shadow_answers",
    "shadows",
    "training_runs",
]

metadata = MetaData(schema="console")

_Time = DateTime(timezone=True)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", Text, nullable=False, unique=True),  # lower case
    Column("name", Text, nullable=False),  # as colleagues see it
    Column("role", Text, nullable=False),  # console/accounts.py: Role
    Column("agencies", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # ids of `kantor.yml`
    Column("password", Text, nullable=False),  # argon2id
    Column("totp", LargeBinary),  # sealed secret; null until enrolled
    Column("totp_used", BigInteger, nullable=False, server_default=text("0")),  # the last step taken: no code twice
    Column("oidc_subject", Text, unique=True),
    Column("created_at", _Time, nullable=False),
    Column("disabled_at", _Time),
)

sessions = Table(
    "sessions",
    metadata,
    Column("fingerprint", Text, primary_key=True),  # of the cookie's value, which is kept nowhere
    Column("account", ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("proved", Text, nullable=False),  # console/sessions.py: Proof
    Column("device", Text, nullable=False),  # what the browser calls itself, to tell one's sessions apart
    Column("created_at", _Time, nullable=False),
    Column("seen_at", _Time, nullable=False),
    Column("expires_at", _Time, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("subject", Text, primary_key=True),  # `account:NAME` or `address:FINGERPRINT`
    Column("failures", Integer, nullable=False),
    Column("since", _Time, nullable=False),
    Column("locked_until", _Time),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _Time, nullable=False),
    Column("account", ForeignKey(accounts.c.id)),  # null for who isn't signed in
    Column("act", Text, nullable=False),  # console/audit.py: Act
    Column("subject", Text, nullable=False),  # `conversation:UUID`, `filing:NUMBER`, `account:UUID`, …
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),  # ids and names of fields, never their values
)
Index("audit_subject", audit.c.subject, audit.c.id)
Index("audit_account", audit.c.account, audit.c.id)

# Messages that people look at, to say what was meant: picked once each (console/review/selection.py).
reviews = Table(
    "reviews",
    metadata,
    Column("message", BigInteger, primary_key=True),  # row of `bot.inbox`
    Column("received_at", _Time, nullable=False),
    Column("picked_at", _Time, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),  # console/review/selection.py: Why
    Column("text", LargeBinary),  # masked, sealed; none: forgotten with the message itself
    Column("after", LargeBinary),  # what happened next, masked, sealed; none: forgotten
    # What the model made of it.
    Column("intent", Text),
    Column("confidence", Double),
    Column("service", Text),
    Column("service_confidence", Double),
    Column("model", Text),
    Column("twice", Boolean, nullable=False),  # of the sample that two people judge
    Column("in_set", Text),  # the reviewed set it went into
)

opinions = Table(
    "opinions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("review", ForeignKey(reviews.c.message, ondelete="CASCADE"), nullable=False),
    Column("stage", Integer, nullable=False),  # 1; 2 by somebody else; 3 by yet another where those differ
    Column("account", ForeignKey(accounts.c.id), nullable=False),
    Column("at", _Time, nullable=False),
    Column("act", Uuid, nullable=False, index=True),  # what was labelled together is undone together
    Column("intent", Text),  # none: not to be used
    Column("service", Text),
    Column("withdrawn_at", _Time),
)
# Of two people who judge at once, one is first.
Index(
    "opinions_one_each_stage",
    opinions.c.review,
    opinions.c.stage,
    unique=True,
    postgresql_where=opinions.c.withdrawn_at.is_(None),
)
Index("opinions_account", opinions.c.account, opinions.c.id)

# One row: up to which message all were looked at.
review_progress = Table(
    "review_progress",
    metadata,
    Column("only", Boolean, primary_key=True),
    Column("message", BigInteger, nullable=False),
)

review_sets = Table(
    "review_sets",
    metadata,
    Column("name", Text, primary_key=True),  # `YYYY-MM-DD-HASH`
    Column("created_at", _Time, nullable=False),
    Column("account", ForeignKey(accounts.c.id), nullable=False),
    Column("examples", Integer, nullable=False),
    Column("content", LargeBinary),  # sealed; none: forgotten after a while
    Column("withdrawn_at", _Time),
)

# What the data set has been, in order.
review_set_changes = Table(
    "review_set_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _Time, nullable=False),
    Column("account", ForeignKey(accounts.c.id), nullable=False),
    Column("act", Text, nullable=False),  # console/review/reviewed_set.py: SetAct
    Column("name", ForeignKey(review_sets.c.name), nullable=False, index=True),
    Column("examples", Integer, nullable=False),
    Column("version", Text, nullable=False),  # of the whole reviewed set afterwards; "" where it isn't written
)

# What became of the names of things: only added to, decided and undone (console/review/label_changes.py).
label_changes = Table(
    "label_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _Time, nullable=False),
    Column("account", ForeignKey(accounts.c.id), nullable=False),
    Column("kind", Text, nullable=False),  # console/review/label_changes.py: Kind
    Column("subject", Text, nullable=False),  # learning/label_changes.py: Subject
    Column("label", Text, nullable=False),  # the new one, the renamed one, the one that examples leave
    Column("target", Text),  # the one that they become
    Column("name", Text),
    Column("meaning", Text),
    Column("border", Text),
    Column("examples", ARRAY(Text)),  # learning.label_changes.mark of those that leave; none: all
    Column("decided_at", _Time),
    Column("decided_by", ForeignKey(accounts.c.id)),
    Column("accepted", Boolean),  # none: nobody has decided
    Column("undone_at", _Time),
    Column("undone_by", ForeignKey(accounts.c.id)),
)

# A candidate that reads along without answering (console/review/shadow.py).
shadows = Table(
    "shadows",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("model", Text, nullable=False),  # file name
    Column("since", BigInteger, nullable=False),  # the newest row of `bot.inbox` when it began; later ones are read
    Column("started_at", _Time, nullable=False),
    Column("started_by", ForeignKey(accounts.c.id), nullable=False),
    Column("ended_at", _Time),
    Column("ended_by", ForeignKey(accounts.c.id)),  # none: by itself
    Column("fault", Text),  # a sentence, where it ended for a reason of its own
    Column("reader", Uuid),  # of all consoles one runs it
    Column("reads_until", _Time),  # unless renewed
    Column("read_at", _Time),  # last
)
Index("shadows_one_at_a_time", shadows.c.ended_at.is_(None), unique=True, postgresql_where=shadows.c.ended_at.is_(None))

# No words: whoever looks reads them from the frame, as long as it has them.
shadow_answers = Table(
    "shadow_answers",
    metadata,
    Column("shadow", ForeignKey(shadows.c.id, ondelete="CASCADE"), primary_key=True),
    Column("message", BigInteger, primary_key=True),  # row of `bot.inbox`
    Column("at", _Time, nullable=False),
    Column("live_intent", Text),
    Column("live_service", Text),
    Column("intent", Text),
    Column("confidence", Double),
    Column("service", Text),
    Column("service_confidence", Double),
    Column("differs", Boolean, nullable=False),
)
Index("shadow_answers_message", shadow_answers.c.message)

# What is done with models, one at a time (console/training/runs.py).
training_runs = Table(
    "training_runs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),  # console/training/runs.py: Kind
    Column("state", Text, nullable=False),  # console/training/runs.py: State
    Column("asked_by", ForeignKey(accounts.c.id)),  # none: the schedule
    Column("asked_at", _Time, nullable=False),
    Column("slot", Text, unique=True),  # of the schedule: each is taken once
    Column("model", Text),  # file name: the one to go live, the one that came out, the one to go back from
    Column("reason", Text, nullable=False, server_default=text("''")),  # of an override or a return
    Column("override", Boolean, nullable=False, server_default=text("false")),
    Column("owner", Text),  # the process that works on it
    Column("lease_until", _Time),
    Column("started_at", _Time),
    Column("ended_at", _Time),
    Column("cancelled_by", ForeignKey(accounts.c.id)),
    Column("said", LargeBinary),  # the last lines of its output, sealed: what is wrong with the data quotes messages
)
Index(
    "training_runs_one_at_a_time",
    training_runs.c.ended_at.is_(None),
    unique=True,
    postgresql_where=training_runs.c.ended_at.is_(None),
)

APPEND_ONLY = """
CREATE FUNCTION console.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON console.audit
FOR EACH ROW EXECUTE FUNCTION console.refuse_change();
"""
"""What autogenerated migrations don't know; the migration that makes the table runs it too."""
event.listen(audit, "after_create", DDL(APPEND_ONLY))  # type: ignore[no-untyped-call]
