"""Who may what: every page asks here and nowhere else. An agency's matters are its own people's, and the admins'."""

from __future__ import annotations

from bot.desk.agencies import covers
from console.accounts import Account, Role

__all__ = [
    "Forbidden",
    "access_accounts",
    "access_agency",
    "access_audit",
    "access_board",
    "access_labels",
    "access_reports",
    "access_review",
    "access_training",
    "may_access_agency",
    "may_access_board",
]


_SUPERVISING = (Role.SUPERVISOR, Role.ADMIN)


class Forbidden(Exception):
    """The account may not do that; the message is a sentence for the reader."""


def may_access_agency(account: Account, agency: str | None) -> bool:
    """None: a matter that no agency has been found for yet, which whoever comes first may take."""
    return account.role is Role.ADMIN or agency is None or covers(account.agencies, agency)


def access_agency(account: Account, agency: str | None) -> None:
    """A conversation, a filing or a document of that agency. Raises Forbidden."""
    if not may_access_agency(account, agency):
        raise Forbidden("Ini urusan kantor lain. Minta petugas di sana, atau minta admin menambah kantor Anda.")


def access_board(account: Account) -> None:
    """Who waits and who works. Raises Forbidden."""
    _need(account, *_SUPERVISING)


def may_access_board(account: Account) -> bool:
    return account.role in _SUPERVISING


def access_reports(account: Account) -> None:
    """Raises Forbidden."""
    _need(account, Role.SUPERVISOR, Role.ADMIN)


def access_review(account: Account) -> None:
    """Messages of all agencies, masked: what citizens meant is nobody's secret from another agency. Raises Forbidden."""
    _need(account, Role.SUPERVISOR, Role.ADMIN)


def access_training(account: Account) -> None:
    """Models: trained, made live, sent back. Raises Forbidden."""
    _need(account, Role.ADMIN)


def access_labels(account: Account) -> None:
    """To change what messages are called; whoever reviews may propose a new one. Raises Forbidden."""
    _need(account, Role.ADMIN)


def access_accounts(account: Account) -> None:
    """Raises Forbidden."""
    _need(account, Role.ADMIN)


def access_audit(account: Account) -> None:
    """Raises Forbidden."""
    _need(account, Role.ADMIN)


def _need(account: Account, *roles: Role) -> None:
    if account.role not in roles:
        raise Forbidden(f"Halaman ini untuk {' dan '.join(roles)}. Hubungi admin bila Anda memerlukannya.")
