"""An account as the desk knows it."""

from __future__ import annotations

from bot.desk.officer import Officer
from console.accounts import Account, Role

__all__ = ["officer_of"]


def officer_of(account: Account) -> Officer:
    return Officer(str(account.id), account.name, None if account.role is Role.ADMIN else frozenset(account.agencies))
