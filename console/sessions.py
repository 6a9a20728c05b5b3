"""Sessions: a random cookie, of which only a fingerprint is kept; ended by signing out, by idling, by age, or by an admin."""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Delete, Row, delete, insert, select, update

from console.accounts import Account, AccountUnfit, Role
from console.audit import Act, record_in
from console.tables import accounts, sessions
from console.workspace import Workspace

__all__ = [
    "IDLE",
    "LONGEST",
    "Proof",
    "Session",
    "end_others",
    "end_session",
    "list_sessions",
    "open_session",
    "read_session",
    "strengthen",
]

LONGEST = timedelta(hours=12)
"""a working day; then both proofs are asked for again"""
IDLE = timedelta(hours=2)
_SEEN_EVERY = timedelta(minutes=1)
_LONGEST_DEVICE = 200


class Proof(enum.StrEnum):
    """What has been shown so far."""

    FIRST = "first"
    """the password"""
    BOTH = "both"
    """and the code"""


@dataclass(frozen=True)
class Session:
    fingerprint: str
    account: Account
    proof: Proof
    device: str
    created_at: datetime
    seen_at: datetime

    def csrf_token(self, secret_key: str) -> str:
        """Derived, so that it needs no keeping; another session's token doesn't fit."""
        return hmac.new(secret_key.encode(), f"csrf {self.fingerprint}".encode(), hashlib.sha256).hexdigest()


async def open_session(workspace: Workspace, account: Account, proof: Proof, device: str) -> str:
    """The cookie's value. Raises AccountUnfit where the password isn't any more the one that was shown."""
    token = secrets.token_urlsafe(32)
    now = workspace.clock()
    row = {
        "fingerprint": _fingerprint(token),
        "account": account.id,
        "proved": proof,
        "device": device[:_LONGEST_DEVICE],
        "created_at": now,
        "seen_at": now,
        "expires_at": now + LONGEST,
    }
    async with workspace.engine.begin() as connection:
        await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
        present = select(accounts.c.password).where(accounts.c.id == account.id).with_for_update(read=True)
        if await connection.scalar(present) != account.password:
            raise AccountUnfit("Kata sandi baru saja diganti. Masuk lagi.")
        await connection.execute(insert(sessions).values(row))
    return token


async def strengthen(workspace: Workspace, session: Session) -> str:
    """The second proof was shown: a new cookie, so that one known from before is worth nothing. Raises AccountUnfit."""
    async with workspace.engine.begin() as connection:
        if not (await connection.execute(_ending(session))).rowcount:
            raise AccountUnfit("Sesi ini sudah berakhir. Masuk lagi.")
    return await open_session(workspace, session.account, Proof.BOTH, session.device)


async def read_session(workspace: Workspace, token: str) -> Session | None:
    now = workspace.clock()
    query = (
        select(sessions, *accounts.c)
        .join(accounts, accounts.c.id == sessions.c.account)
        .where(
            sessions.c.fingerprint == _fingerprint(token),
            sessions.c.expires_at > now,
            sessions.c.seen_at > now - IDLE,
            accounts.c.disabled_at.is_(None),
        )
    )
    async with workspace.store.single.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is not None and row.seen_at < now - _SEEN_EVERY:
            seen = update(sessions).where(sessions.c.fingerprint == row.fingerprint).values(seen_at=now)
            await connection.execute(seen)
    return None if row is None else _session(row)


async def list_sessions(workspace: Workspace, account: uuid.UUID) -> list[Session]:
    """Newest first."""
    query = (
        select(sessions, *accounts.c)
        .join(accounts, accounts.c.id == sessions.c.account)
        .where(sessions.c.account == account, sessions.c.expires_at > workspace.clock())
        .order_by(sessions.c.created_at.desc())
    )
    async with workspace.engine.connect() as connection:
        return [_session(row) for row in await connection.execute(query)]


async def end_session(workspace: Workspace, session: Session) -> None:
    """By its owner, who signs out."""
    account = session.account.id
    async with workspace.engine.begin() as connection:
        await connection.execute(_ending(session))
        await record_in(connection, workspace, account, Act.SIGNED_OUT, f"account:{account}")


async def end_others(workspace: Workspace, session: Session) -> int:
    """By their owner, who keeps this one; how many there were."""
    account = session.account.id
    ending = delete(sessions).where(sessions.c.account == account, sessions.c.fingerprint != session.fingerprint)
    async with workspace.engine.begin() as connection:
        count = len((await connection.execute(ending.returning(sessions.c.fingerprint))).all())
        await record_in(connection, workspace, account, Act.ENDED_SESSIONS, f"account:{account}", count=count)
    return count


def _ending(session: Session) -> Delete:
    return delete(sessions).where(sessions.c.fingerprint == session.fingerprint)


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _session(row: Row[Any]) -> Session:
    account = Account(
        id=row.account,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        agencies=tuple(row.agencies),
        oidc_subject=row.oidc_subject,
        has_totp=row.totp is not None,
        is_disabled=False,
        password=row.password,
    )
    return Session(row.fingerprint, account, Proof(row.proved), row.device, row.created_at, row.seen_at)
