"""`praja user add`: the first account, and those that are made from the shell."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import aiohttp

from praja.database import database, migrate
from praja.offspring import humble
from praja.settings import ROOT, Settings

if TYPE_CHECKING:
    from console.settings import ConsoleSettings

__all__ = ["UserUnfit", "add_user", "console_settings"]

_STRENGTH = 16
"""bytes of the temporary password"""


class UserUnfit(Exception):
    """The account can't be made; the message says why."""


async def add_user(settings: Settings, username: str, name: str, role: str, agencies: Sequence[str]) -> str:
    """What to tell its owner; the temporary password is kept nowhere. Raises UserUnfit."""
    from bot.desk.agencies import Agencies
    from bot.desk.own import OwnDesk
    from bot.desk.room import DeskRoom
    from bot.desk.standard import read_standard
    from bot.notices import Notices
    from bot.store import Store
    from bot.texts import Texts
    from console.accounts import AccountUnfit, Role, add_account
    from console.app import open_workspace

    password = secrets.token_urlsafe(_STRENGTH)
    with database(settings) as url:
        await asyncio.to_thread(migrate, url)
        store = Store.open(url, settings.secret_keys)
        agencies_known, standard = Agencies(settings.data), read_standard(settings.data)
        room = DeskRoom(store, Texts(settings.data), agencies_known, standard, {}, {}, Notices(url), OwnDesk())
        async with aiohttp.ClientSession() as session:
            workspace = open_workspace(console_settings(settings), room, session)
            try:
                account = await add_account(workspace, username, name, Role(role), agencies, password)
            except AccountUnfit as unfit:
                raise UserUnfit(str(unfit)) from None
            finally:
                await store.engine.dispose()
    return (
        f"Akun {account.username} ({account.role}) dibuat. Kata sandi sementara: {password}\n"
        f"Masuk di {settings.public_url}/console/, daftarkan ponsel, lalu ganti kata sandinya."
    )


def console_settings(settings: Settings) -> ConsoleSettings:
    from console.settings import ConsoleSettings, OidcSettings
    from praja.dataset import FROZEN
    from praja.parts import NLU_PYTHON

    oidc = None
    if settings.oidc_issuer:
        oidc = OidcSettings(settings.oidc_issuer, settings.oidc_client_id or "", settings.oidc_client_secret or "")
    return ConsoleSettings(
        secret_key=settings.secret_keys,
        data=settings.data,
        public_url=settings.public_url,
        backend_url=settings.backend_address,
        backend_officer_token=settings.backend_officer_token,
        models=settings.models,
        command=humble((sys.executable, "-m", "praja.command")),
        root=ROOT,
        shadow=humble((str(NLU_PYTHON), "-W", "ignore", "-m", "nlu.shadow")),
        frozen=FROZEN,
        may_write_data=not settings.production,
        proxies=settings.proxy_networks,
        oidc=oidc,
    )
