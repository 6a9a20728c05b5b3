"""Accounts as their owners and the admins see them: sessions, password, colleagues."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from console.access import access_accounts
from console.accounts import (
    Account,
    AccountChanged,
    AccountUnfit,
    Role,
    add_account,
    change_account,
    check_password,
    list_accounts,
    reset_login,
    set_password,
)
from console.attempts import begin, failed, was_right
from console.protection import WORKSPACE, page, signed_in
from console.sessions import end_others, list_sessions
from console.workspace import Workspace

__all__ = ["routes"]


def routes() -> list[web.RouteDef]:
    return [
        web.get("/akun", _show_own, name="own"),
        web.post("/akun/sandi", _change_password, name="password_post"),
        web.post("/akun/sesi", _end_other_sessions, name="sessions_post"),
        web.get("/akun/semua", _show_accounts, name="accounts"),
        web.post("/akun/semua", _add, name="accounts_post"),
        web.post("/akun/semua/{id}", _change, name="account_post"),
        web.post("/akun/semua/{id}/masuk", _reset, name="reset_post"),
    ]


async def _show_own(request: web.Request) -> web.Response:
    return await _own_page(request)


async def _change_password(request: web.Request) -> web.Response:
    workspace, session = request.config_dict[WORKSPACE], signed_in(request)
    form = await request.post()
    subject = f"account:{session.account.username}"
    if not await begin(workspace, subject):
        return await _own_page(request, "Terlalu banyak percobaan. Coba lagi 15 menit lagi.", 429)
    if await check_password(workspace, session.account.username, str(form.get("old", ""))) is None:
        await failed(workspace, subject)
        return await _own_page(request, "Kata sandi lama salah.", 401)
    await was_right(workspace, subject)
    try:
        await set_password(workspace, session.account, str(form.get("new", "")), session=session.fingerprint)
    except AccountUnfit as unfit:
        return await _own_page(request, str(unfit), 422)
    return await _own_page(request, "Kata sandi diganti. Sesi lain sudah diakhiri.")


async def _end_other_sessions(request: web.Request) -> web.Response:
    workspace, session = request.config_dict[WORKSPACE], signed_in(request)
    count = await end_others(workspace, session)
    return await _own_page(request, f"{count} sesi lain diakhiri.")


async def _own_page(request: web.Request, told: str | None = None, status: int = 200) -> web.Response:
    workspace, session = request.config_dict[WORKSPACE], signed_in(request)
    found = await list_sessions(workspace, session.account.id)
    return page(
        request,
        "own.html",
        status=status,
        told=told,
        sessions=found,
        current=session.fingerprint,
        agencies=workspace.agencies,
    )


async def _show_accounts(request: web.Request) -> web.Response:
    access_accounts(signed_in(request).account)
    return await _accounts_page(request)


async def _add(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    access_accounts(me)
    form = await request.post()
    try:
        account = await add_account(
            workspace,
            str(form.get("username", "")),
            str(form.get("name", "")),
            _role(str(form.get("role", ""))),
            _agencies(workspace, form),
            str(form.get("password", "")),
            by=me.id,
        )
    except AccountUnfit as unfit:
        return await _accounts_page(request, str(unfit), 422)
    return await _accounts_page(request, f"Akun {account.username} dibuat.")


async def _change(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    access_accounts(me)
    form = await request.post()
    try:
        account = await change_account(
            workspace,
            _colleague(request, me),
            _role(str(form.get("role", ""))),
            _agencies(workspace, form),
            oidc_subject=str(form.get("oidc_subject", "")).strip()[:255] or None,
            disabled="disabled" in form,
            by=me.id,
            shown=str(form.get("shown", "")),
        )
    except AccountChanged as changed_meanwhile:
        return await _accounts_page(request, str(changed_meanwhile), 409)
    except AccountUnfit as unfit:
        return await _accounts_page(request, str(unfit), 422)
    except ValueError:
        raise web.HTTPNotFound(text="Akun itu tidak ada.") from None
    return await _accounts_page(request, f"Akun {account.username} diubah; ia perlu masuk lagi.")


async def _reset(request: web.Request) -> web.Response:
    workspace, me = request.config_dict[WORKSPACE], signed_in(request).account
    access_accounts(me)
    password = str((await request.post()).get("password", ""))
    try:
        account = await reset_login(workspace, _colleague(request, me), password, by=me.id)
    except AccountUnfit as unfit:
        return await _accounts_page(request, str(unfit), 422)
    except ValueError:
        raise web.HTTPNotFound(text="Akun itu tidak ada.") from None
    told = f"{account.username} masuk lagi dengan kata sandi sementara itu, lalu mendaftarkan kodenya di ponsel."
    return await _accounts_page(request, told)


def _colleague(request: web.Request, me: Account) -> uuid.UUID:
    """Raises ValueError for what is no id, AccountUnfit for one's own."""
    account = uuid.UUID(request.match_info["id"])
    if account == me.id:
        raise AccountUnfit("Akun sendiri hanya bisa diubah oleh admin lain.")
    return account


async def _accounts_page(request: web.Request, told: str | None = None, status: int = 200) -> web.Response:
    workspace = request.config_dict[WORKSPACE]
    found = await list_accounts(workspace)
    return page(
        request,
        "accounts.html",
        status=status,
        told=told,
        accounts=found,
        roles=list(Role),
        agencies=workspace.agencies,
    )


def _agencies(workspace: Workspace, form: MultiDictProxy[Any]) -> list[str]:
    """Those that are ticked, and one of a single kecamatan or desa by its name."""
    ticked = [str(agency) for agency in form.getall("agencies", [])]
    local = str(form.get("local", "")).strip()
    return [*ticked, workspace.agencies.named(local) or local] if local else ticked


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise AccountUnfit("Pilih peran: petugas, penyelia, atau admin.") from None
