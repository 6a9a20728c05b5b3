"""Each invariant is broken on purpose, found by its name, and nothing is found where nothing is broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from praja.check import CheckFailed, check, invariants, look
from praja.database import migrate
from praja.postgres import create_database

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
_PERSON = "00000000-0000-0000-0000-000000000001"
_DRAFT = "00000000-0000-0000-0000-00000000000d"

WHOLE = f"""
INSERT INTO bot.conversations (id, channel, created_at) VALUES ('{_PERSON}', 'whatsapp', now());
INSERT INTO bot.addresses (conversation, channel, kind, fingerprint, value) VALUES ('{_PERSON}', 'whatsapp', 'bsuid', 'f', '');
INSERT INTO bot.inbox (channel, external_id, conversation, received_at, answered_at, outcome) VALUES
  ('whatsapp', 'a', '{_PERSON}', '2026-11-24 04:00Z', '2026-11-24 04:00:01Z', 'answered'),
  ('whatsapp', 'b', '{_PERSON}', '2026-11-24 04:00Z', '2026-11-24 04:00:01Z', 'answered'),
  ('whatsapp', 'c', '{_PERSON}', '2026-11-24 04:00Z', '2026-11-24 04:01Z', 'stale');
INSERT INTO bot.outbox (conversation, inbox, kind, body, state, created_at, sent_at) VALUES
  ('{_PERSON}', 2, 'bot', '', 'sent', '2026-11-24 04:00:01Z', '2026-11-24 04:00:02Z'),
  ('{_PERSON}', NULL, 'notification', '', 'queued', '2026-11-24 04:59Z', NULL);
INSERT INTO bot.handoffs (conversation, reason, requested_at, closed_at) VALUES
  ('{_PERSON}', 'diminta', '2026-11-24 02:00Z', '2026-11-24 03:00Z');
INSERT INTO backend.drafts (id, service, contact, channel, state, content, expires_at) VALUES
  ('{_DRAFT}', 'ktp', '{_PERSON}', 'whatsapp', 'submitted', '', '2026-11-30Z');
INSERT INTO backend.filings (number, draft_id, service, contact, state, office, fix, submitted_at) VALUES
  ('SDA-1', '{_DRAFT}', 'ktp', '{_PERSON}', 'DIPROSES', 'Dispendukcapil', '', '2026-11-24 01:00Z');
INSERT INTO backend.chronology (id, number, at, state, office, words, next_attempt_at, attempts, delivered_at) VALUES
  ('00000000-0000-0000-0000-0000000000e1', 'SDA-1', '2026-11-24 01:00Z', 'MENUNGGU', '', '', now(), 1, '2026-11-24 01:01Z'),
  ('00000000-0000-0000-0000-0000000000e2', 'SDA-1', '2026-11-24 04:30Z', 'DIPROSES', '', '', now(), 0, NULL);
INSERT INTO bot.backend_events VALUES ('00000000-0000-0000-0000-0000000000e1', '2026-11-24 01:00:01Z');
INSERT INTO backend.stored_files VALUES ('00000000-0000-0000-0000-0000000000f1', now());
INSERT INTO backend.files (id, draft_id, page, content_type, size, at) VALUES
  ('00000000-0000-0000-0000-0000000000f1', '{_DRAFT}', 1, 'image/png', 1, now());
INSERT INTO console.audit (at, act, subject) VALUES ('2026-11-24 04:00Z', 'masuk', 'x'), ('2026-11-24 03:30Z', 'masuk', 'x');
"""
"""A message answered in a burst, one that came too late, a talk with the desk that is over, a filing that is under way."""

BREAKS = {
    "message_unanswered": "UPDATE bot.inbox SET answered_at = NULL, outcome = NULL WHERE id = 3",
    "message_without_outcome": "UPDATE bot.inbox SET outcome = NULL WHERE id = 3",
    "answer_missing": "UPDATE bot.inbox SET outcome = 'told' WHERE id = 3",
    "answered_twice": f"INSERT INTO bot.outbox (conversation, inbox, kind, body, created_at, state)"
    f" VALUES ('{_PERSON}', 2, 'bot', '', '2026-11-24 04:00:40Z', 'sent')",
    "bubbles_out_of_order": "UPDATE bot.outbox SET state = 'queued' WHERE id = 1;"
    "UPDATE bot.outbox SET state = 'sent', sent_at = '2026-11-24 04:59:30Z', kind = 'bot' WHERE id = 2;"
    "UPDATE bot.outbox SET created_at = '2026-11-24 04:30Z', inbox = NULL WHERE id = 1;"
    "UPDATE bot.inbox SET outcome = 'officer'",
    "outbox_stuck": "UPDATE bot.outbox SET created_at = '2026-11-24 02:00Z' WHERE id = 2",
    "outbox_empty": "UPDATE bot.outbox SET body = NULL WHERE id = 2",
    "outbox_unaddressed": "DELETE FROM bot.addresses",
    "status_backwards": "UPDATE bot.outbox SET delivered_at = '2026-11-24 04:00:03Z' WHERE id = 1",
    "bot_spoke_over_desk": "UPDATE bot.handoffs SET requested_at = '2026-11-24 03:50Z', closed_at = '2026-11-24 04:30Z'",
    "desk_state_torn": "UPDATE bot.conversations SET handler = 'officer', officer_lease_until = '2026-11-24 05:01Z'",
    "handoff_open_twice": "UPDATE bot.handoffs SET closed_at = NULL, requested_at = '2026-11-24 04:00Z'",
    "officer_lease_stale": "UPDATE bot.handoffs SET closed_at = NULL, requested_at = '2026-11-24 04:00Z';"
    "UPDATE bot.conversations SET handler = 'officer', officer = 'o', handoff = 1,"
    " officer_lease_until = '2026-11-24 04:30Z'",
    "erasure_overdue": "UPDATE bot.conversations SET erase_at = '2026-11-22Z'",
    "submitted_without_filing": "INSERT INTO backend.drafts (id, service, channel, state, expires_at) VALUES"
    " (gen_random_uuid(), 'ktp', 'whatsapp', 'submitted', '2026-11-30Z')",
    "filing_of_open_draft": "UPDATE backend.drafts SET state = 'open'",
    "filing_without_event": "DELETE FROM backend.chronology",
    "filing_and_chronology_differ": "UPDATE backend.filings SET state = 'DISETUJUI'",
    "filing_went_on_after_its_end": "UPDATE backend.chronology SET state = 'DITOLAK' WHERE state = 'MENUNGGU'",
    "event_undelivered": "UPDATE backend.chronology SET at = '2026-11-24 02:00Z' WHERE state = 'DIPROSES'",
    "notice_undelivered": "INSERT INTO backend.notices (id, kind, number, at, next_attempt_at) VALUES"
    " (gen_random_uuid(), 'overdue', 'SDA-1', '2026-11-22Z', '2026-11-22Z')",
    "open_draft_empty": "INSERT INTO backend.drafts (id, service, contact, channel, state, expires_at) VALUES"
    " (gen_random_uuid(), 'ktp', 'x', 'whatsapp', 'open', '2026-11-30Z')",
    "draft_kept_too_long": "INSERT INTO backend.drafts (id, service, contact, channel, state, content, expires_at) VALUES"
    " (gen_random_uuid(), 'ktp', 'x', 'whatsapp', 'expired', '', '2026-11-22Z')",
    "file_unregistered": "DELETE FROM backend.stored_files",
    "audit_can_be_changed": "ALTER TABLE console.audit DISABLE TRIGGER audit_is_append_only",
    "audit_went_back": "INSERT INTO console.audit (at, act, subject) VALUES ('2026-11-20Z', 'masuk', 'x')",
    "event_lost": "DELETE FROM bot.backend_events",
}


@pytest.fixture(scope="session")
def whole(postgres_server: str) -> str:
    """Address of a database with the tables of every room, in which nothing is broken."""
    url = create_database(postgres_server, "whole")
    migrate(url)
    with psycopg.connect(url) as connection:
        connection.execute(WHOLE.encode())
    return url


@pytest.fixture
def connection(whole: str) -> Iterator[psycopg.Connection]:
    """What is broken over it is whole again afterwards."""
    with psycopg.connect(whole) as connection:
        yield connection
        connection.rollback()


def test_where_nothing_is_broken_nothing_is_found(whole: str) -> None:
    assert check(whole, NOW) == []


@pytest.mark.parametrize("name", [invariant.id for invariant in invariants()])
def test_what_is_broken_is_found(connection: psycopg.Connection, name: str) -> None:
    connection.execute(BREAKS[name].encode())
    (found,) = look(connection, NOW)
    assert found.invariant.id == name
    assert found.count == len(found.ids) > 0


def test_a_clock_that_went_back_between_trouble_and_answer_breaks_nothing(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE bot.outbox SET created_at = '2026-11-24 06:00Z', sent_at = '2026-11-24 06:00Z' WHERE id = 1"
    )
    connection.execute(
        "INSERT INTO bot.outbox (conversation, inbox, kind, body, state, created_at, sent_at) SELECT"
        " conversation, id, 'bot', '', 'sent', answered_at, answered_at FROM bot.inbox WHERE id = 2"
    )
    assert look(connection, NOW) == []


def test_without_tables_it_is_said_what_to_do(empty_database: str) -> None:
    with pytest.raises(CheckFailed, match="praja migrate"):
        check(empty_database, NOW)


def test_the_command_says_what_is_broken_and_ends_with_1(empty_database: str, tmp_path: Path) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        environment = {"PRAJA_DATABASE_URL": empty_database, "PRAJA_HOME": str(tmp_path), "PATH": ""}
        return subprocess.run(
            [sys.executable, "-m", "praja.command", "check"],
            cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    migrate(empty_database)
    nothing = run()
    assert (nothing.returncode, nothing.stdout) == (0, f"{len(invariants())} hal diperiksa, tidak ada yang dilanggar\n")
    with psycopg.connect(empty_database) as connection:
        connection.execute(f"INSERT INTO bot.conversations (id, channel, created_at) VALUES ('{_PERSON}', 'x', now())")
        connection.execute(
            "INSERT INTO bot.outbox (conversation, kind, state, created_at)"
            " SELECT id, 'bot', 'held', now() FROM bot.conversations"
        )
    broken = run()
    assert broken.returncode == 1
    assert broken.stdout.startswith("rusak: kiriman menunggu dikirim tanpa isi (outbox_empty, 1: 1)\n")
