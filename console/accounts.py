"""Accounts of staff: who they are, what they may, and the two things that prove it is them."""

from __future__ import annotations

import enum
import hashlib
import json
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pyotp
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.desk.agencies import covers
from console.audit import Act, record_in
from console.tables import accounts, attempts, sessions
from console.workspace import Workspace

__all__ = [
    "ENROLLED",
    "Account",
    "AccountChanged",
    "AccountUnfit",
    "Role",
    "add_account",
    "change_account",
    "check_password",
    "check_totp",
    "enrol_totp",
    "find_account",
    "find_active",
    "list_accounts",
    "list_colleagues",
    "new_totp_secret",
    "reset_login",
    "set_password",
]

ENROLLED = "Kode sudah terdaftar. Bila ponsel Anda berganti, minta admin mengatur ulang masuk."
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")
_SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 200
_TOTP_STEP = 30
"""seconds"""


class AccountUnfit(ValueError):
    """The account can't be made or changed so; the message says why, in the reader's language."""


class AccountChanged(Exception):
    """It isn't any more as it was shown to who wants to change it; the message says so, in the reader's language."""


class Role(enum.StrEnum):
    OFFICER = "petugas"
    SUPERVISOR = "penyelia"
    ADMIN = "admin"


@dataclass(frozen=True)
class Account:
    id: uuid.UUID
    username: str
    name: str
    role: Role
    agencies: tuple[str, ...]
    oidc_subject: str | None
    has_totp: bool
    is_disabled: bool
    password: str = field(repr=False)
    """hashed"""

    @property
    def state(self) -> str:
        """A digest of all that `change_account` changes."""
        changeable = json.dumps([self.role, self.agencies, self.oidc_subject, self.is_disabled])
        return hashlib.sha256(changeable.encode()).hexdigest()


async def add_account(
    workspace: Workspace,
    username: str,
    name: str,
    role: Role,
    agencies: Collection[str],
    password: str,
    *,
    by: uuid.UUID | None = None,
) -> Account:
    """`by` is the admin; None: who sits at the machine itself. Raises AccountUnfit."""
    username, name = username.strip().lower(), " ".join(name.split())
    if not _USERNAME.fullmatch(username):
        raise AccountUnfit("Nama akun: 3 sampai 40 huruf kecil, angka, titik, atau garis; diawali huruf.")
    if not name:
        raise AccountUnfit("Nama yang tampil wajib diisi.")
    _check_agencies(workspace, role, agencies)
    row = {
        "id": uuid.uuid4(),
        "username": username,
        "name": name,
        "role": role,
        "agencies": sorted(set(agencies)),
        "password": await workspace.passwords.hash(_fit(password, username)),
        "created_at": workspace.clock(),
    }
    try:
        async with workspace.engine.begin() as connection:
            account = _account((await connection.execute(insert(accounts).values(row).returning(*accounts.c))).one())
            detail = {"role": role} if by is not None else {"role": role, "by": "terminal"}
            await record_in(connection, workspace, by, Act.CHANGED_ACCOUNT, f"account:{account.id}", **detail)
    except IntegrityError:
        raise AccountUnfit(f"Nama akun {username} sudah dipakai.") from None
    return account


async def change_account(
    workspace: Workspace,
    account: uuid.UUID,
    role: Role,
    agencies: Collection[str],
    *,
    oidc_subject: str | None,
    disabled: bool,
    by: uuid.UUID,
    shown: str,
) -> Account:
    """`oidc_subject` is the identity provider's `sub` of the same person, `shown` the state that the admin `by` saw.

    Signs the account out everywhere, so that what changed holds at once. Raises AccountUnfit and AccountChanged.
    """
    _check_agencies(workspace, role, agencies)
    changing = (
        update(accounts)
        .where(accounts.c.id == account)
        .values(
            role=role,
            agencies=sorted(set(agencies)),
            oidc_subject=oidc_subject,
            disabled_at=func.coalesce(accounts.c.disabled_at, workspace.clock()) if disabled else None,
        )
        .returning(*accounts.c)
    )
    try:
        async with workspace.engine.begin() as connection:
            # Not for the key: an entry of the log refers to its account, so two admins who change each other would wait.
            found = select(accounts).where(accounts.c.id == account).with_for_update(key_share=True)
            row = (await connection.execute(found)).one_or_none()
            if row is None:
                raise AccountUnfit("Akun itu tidak ada.")
            if _account(row).state != shown:
                raise AccountChanged(
                    f"Akun {row.username} baru saja diubah admin lain; lihat lagi keadaannya di bawah, lalu ulangi bila"
                    " masih perlu."
                )
            changed = _account((await connection.execute(changing)).one())
            await connection.execute(delete(sessions).where(sessions.c.account == account))
            subject = f"account:{account}"
            await record_in(connection, workspace, by, Act.CHANGED_ACCOUNT, subject, role=role, disabled=disabled)
    except IntegrityError:
        raise AccountUnfit("Pengenal akun dinas itu sudah dipakai akun lain.") from None
    return changed


async def reset_login(workspace: Workspace, account: uuid.UUID, password: str, *, by: uuid.UUID) -> Account:
    """For who has lost a phone or forgotten a password: a new temporary one, the code enrolled anew, signed out everywhere.

    Raises AccountUnfit.
    """
    known = next((one for one in await list_accounts(workspace) if one.id == account), None)
    if known is None:
        raise AccountUnfit("Akun itu tidak ada.")
    hashed = await workspace.passwords.hash(_fit(password, known.username))
    async with workspace.engine.begin() as connection:
        await connection.execute(
            update(accounts).where(accounts.c.id == account).values(password=hashed, totp=None, totp_used=0)
        )
        await connection.execute(delete(sessions).where(sessions.c.account == account))
        await connection.execute(delete(attempts).where(attempts.c.subject == f"account:{known.username}"))
        await record_in(connection, workspace, by, Act.RESET_LOGIN, f"account:{account}")
    return known


async def set_password(workspace: Workspace, account: Account, password: str, *, session: str) -> None:
    """Ends the account's other sessions than that of this fingerprint. Raises AccountUnfit when it is too easy."""
    hashed = await workspace.passwords.hash(_fit(password, account.username))
    others = delete(sessions).where(sessions.c.account == account.id, sessions.c.fingerprint != session)
    async with workspace.engine.begin() as connection:
        await connection.execute(update(accounts).where(accounts.c.id == account.id).values(password=hashed))
        await connection.execute(others)
        await record_in(connection, workspace, account.id, Act.CHANGED_LOGIN, f"account:{account.id}")


async def list_accounts(workspace: Workspace) -> list[Account]:
    async with workspace.engine.connect() as connection:
        return [_account(row) for row in await connection.execute(select(accounts).order_by(accounts.c.username))]


async def find_active(workspace: Workspace, account: uuid.UUID) -> Account | None:
    """None where there is none, or it is disabled."""
    query = select(accounts).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
    async with workspace.store.single.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else _account(row)


async def list_colleagues(workspace: Workspace, agency: str) -> list[Account]:
    """By name, those who may have that agency's conversations."""
    query = select(accounts).where(accounts.c.disabled_at.is_(None)).order_by(accounts.c.name)
    async with workspace.store.single.connect() as connection:
        found = [_account(row) for row in await connection.execute(query)]
    return [account for account in found if account.role is Role.ADMIN or covers(account.agencies, agency)]


async def find_account(workspace: Workspace, *, oidc_subject: str) -> Account | None:
    query = select(accounts).where(accounts.c.oidc_subject == oidc_subject, accounts.c.disabled_at.is_(None))
    async with workspace.engine.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else _account(row)


async def check_password(workspace: Workspace, username: str, password: str) -> Account | None:
    """None when either is wrong or the account is disabled, which nobody can tell apart by the time it takes."""
    query = select(accounts).where(accounts.c.username == username.strip().lower(), accounts.c.disabled_at.is_(None))
    async with workspace.engine.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    known = row.password if row is not None else None
    matches = await workspace.passwords.match(known, password[:_LONGEST_PASSWORD])
    return _account(row) if row is not None and matches else None


def new_totp_secret() -> str:
    return pyotp.random_base32()


async def enrol_totp(workspace: Workspace, account: Account, secret: str, code: str, *, session: str) -> bool:
    """Whether the code shows that the secret arrived in an authenticator; only then is it kept.

    Raises AccountUnfit where the account has one already, or the session of this fingerprint was ended meanwhile.
    """
    step = _step(workspace, secret, code)
    if step is None:
        return False
    enrolling = (
        update(accounts)
        .where(accounts.c.id == account.id, accounts.c.totp.is_(None))
        .values(totp=workspace.secrets.seal(secret.encode()), totp_used=step)
        .returning(accounts.c.id)
    )
    async with workspace.engine.begin() as connection:
        if (await connection.execute(enrolling)).one_or_none() is None:
            raise AccountUnfit(ENROLLED)
        # A reset that came in between has taken the authenticator away, and with it the sessions of whoever knew the password.
        if await connection.scalar(select(sessions.c.account).where(sessions.c.fingerprint == session)) is None:
            raise AccountUnfit("Sesi ini sudah berakhir. Masuk lagi.")
        await record_in(connection, workspace, account.id, Act.ENROLLED, f"account:{account.id}")
    return True


async def check_totp(workspace: Workspace, account: Account, code: str) -> bool:
    """Each code once: the step it belongs to is used up by the same statement that accepts it."""
    async with workspace.engine.begin() as connection:
        row = (await connection.execute(select(accounts.c.totp).where(accounts.c.id == account.id))).one()
        if row.totp is None:
            return False
        step = _step(workspace, workspace.secrets.open(row.totp).decode(), code)
        if step is None:
            return False
        using = (
            update(accounts)
            .where(accounts.c.id == account.id, accounts.c.totp_used < step)
            .values(totp_used=step)
            .returning(accounts.c.id)
        )
        return (await connection.execute(using)).one_or_none() is not None


def _step(workspace: Workspace, secret: str, code: str) -> int | None:
    """The 30 seconds that the code belongs to: now, or the ones before and after for a clock that is off."""
    now = int(workspace.clock().timestamp()) // _TOTP_STEP
    totp = pyotp.TOTP(secret)
    digits = "".join(code.split())
    return next((step for step in (now, now - 1, now + 1) if _same(totp, step, digits)), None)


def _same(totp: pyotp.TOTP, step: int, digits: str) -> bool:
    return pyotp.utils.strings_equal(totp.generate_otp(step), digits)


def _check_agencies(workspace: Workspace, role: Role, agencies: Collection[str]) -> None:
    if unknown := sorted(agency for agency in set(agencies) if agency not in workspace.agencies):
        raise AccountUnfit(
            f"Kantor tidak dikenal: {', '.join(unknown)}. Pakai id dari data/kantor.yml; untuk satu kecamatan atau desa:"
            " kecamatan:sedati, desa:waru/tropodo."
        )
    if role is not Role.ADMIN and not agencies:
        raise AccountUnfit("Petugas dan penyelia perlu paling sedikit satu kantor.")


def _fit(password: str, username: str) -> str:
    if len(password) < _SHORTEST_PASSWORD:
        raise AccountUnfit(f"Kata sandi paling sedikit {_SHORTEST_PASSWORD} huruf; kalimat pendek lebih mudah diingat.")
    if len(password) > _LONGEST_PASSWORD:
        raise AccountUnfit(f"Kata sandi paling banyak {_LONGEST_PASSWORD} huruf.")
    if username in password.lower() or len(set(password)) < 5:
        raise AccountUnfit("Kata sandi itu terlalu mudah ditebak; jangan memakai nama akun atau huruf berulang.")
    return password


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        agencies=tuple(row.agencies),
        oidc_subject=row.oidc_subject,
        has_totp=row.totp is not None,
        is_disabled=row.disabled_at is not None,
        password=row.password,
    )
