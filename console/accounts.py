"""Accounts of staff: who they are, what they may, and the two things that prove it is them."""

from __future__ import annotations

import enum
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pyotp
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.desk.agencies import covers
from console.tables import accounts, sessions
from console.workspace import Workspace

__all__ = [
    "Account",
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
    "set_password",
]

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")
_SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 200
_TOTP_STEP = 30
"""seconds"""


class AccountUnfit(ValueError):
    """The account can't be made or changed so; the message says why, in the reader's language."""


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


async def add_account(
    workspace: Workspace,
    username: str,
    name: str,
    role: Role,
    agencies: Collection[str],
    password: str,
) -> Account:
    """Raises AccountUnfit."""
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
            made = await connection.execute(insert(accounts).values(row).returning(*accounts.c))
            return _account(made.one())
    except IntegrityError:
        raise AccountUnfit(f"Nama akun {username} sudah dipakai.") from None


async def change_account(
    workspace: Workspace,
    account: uuid.UUID,
    role: Role,
    agencies: Collection[str],
    *,
    oidc_subject: str | None,
    disabled: bool,
) -> Account:
    """`oidc_subject` is the identity provider's `sub` of the same person.

    Signs the account out everywhere, so that what changed holds at once. Raises AccountUnfit.
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
            row = (await connection.execute(changing)).one_or_none()
            if row is None:
                raise AccountUnfit("Akun itu tidak ada.")
            await connection.execute(sessions.delete().where(sessions.c.account == account))
    except IntegrityError:
        raise AccountUnfit("Pengenal akun dinas itu sudah dipakai akun lain.") from None
    return _account(row)


async def set_password(workspace: Workspace, account: Account, password: str) -> None:
    """Raises AccountUnfit when the password is too easy."""
    hashed = await workspace.passwords.hash(_fit(password, account.username))
    async with workspace.engine.begin() as connection:
        await connection.execute(update(accounts).where(accounts.c.id == account.id).values(password=hashed))


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


async def enrol_totp(workspace: Workspace, account: Account, secret: str, code: str) -> bool:
    """Whether the code shows that the secret arrived in an authenticator; only then is it kept."""
    step = _step(workspace, secret, code)
    if step is None:
        return False
    async with workspace.engine.begin() as connection:
        await connection.execute(
            update(accounts)
            .where(accounts.c.id == account.id)
            .values(totp=workspace.secrets.seal(secret.encode()), totp_used=step)
        )
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
    )
