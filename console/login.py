"""Signing in: a password, then a code from an authenticator; the first time, the authenticator is enrolled."""

from __future__ import annotations

import hashlib

import pyotp
import segno
from aiohttp import web

from console.accounts import ENROLLED, Account, AccountUnfit, check_password, check_totp, enrol_totp, new_totp_secret
from console.attempts import begin, failed, succeeded, was_right
from console.audit import Act, record
from console.protection import WORKSPACE, forget, page, remember, signed_in
from console.sessions import Proof, end_session, open_session, strengthen
from console.visitor import visitor_address
from console.workspace import Workspace

__all__ = ["routes"]

_WRONG = "Nama akun atau kata sandi salah."
_WRONG_CODE = "Kode itu salah atau sudah dipakai. Tunggu kode berikutnya, lalu coba lagi."
_LOCKED = "Terlalu banyak percobaan. Coba lagi 15 menit lagi, atau hubungi admin."


def routes() -> list[web.RouteDef]:
    return [
        web.get("/masuk", _show_login, name="login"),
        web.post("/masuk", _login, name="login_post"),
        web.get("/masuk/kode", _show_code, name="totp"),
        web.post("/masuk/kode", _code, name="totp_post"),
        web.get("/masuk/daftar", _show_enrolment, name="enrol"),
        web.post("/masuk/daftar", _enrol, name="enrol_post"),
        web.post("/keluar", _logout, name="logout"),
    ]


async def _show_login(request: web.Request) -> web.Response:
    return _login_page(request)


async def _login(request: web.Request) -> web.Response:
    workspace = request.config_dict[WORKSPACE]
    form = await request.post()
    username, password = str(form.get("username", "")).strip().lower()[:100], str(form.get("password", ""))
    subjects = (f"account:{username}", f"address:{_address(request)}")
    if not await begin(workspace, *subjects):
        return _login_page(request, problem=_LOCKED, status=429)
    account = await check_password(workspace, username, password)
    if account is None:
        # The name as typed may be a password; it isn't written down.
        await record(workspace, None, Act.REFUSED, "account:?")
        for _ in await failed(workspace, *subjects):
            await record(workspace, None, Act.LOCKED, "account:?")
        return _login_page(request, problem=_WRONG, status=401)
    await was_right(workspace, *subjects)
    try:
        token = await open_session(workspace, account, Proof.FIRST, request.headers.get("User-Agent", "?"))
    except AccountUnfit as unfit:
        return _login_page(request, problem=str(unfit), status=401)
    answer = _go("/console/masuk/kode" if account.has_totp else "/console/masuk/daftar")
    remember(workspace, answer, token)
    return answer


async def _show_code(request: web.Request) -> web.Response:
    session = signed_in(request)
    if not session.account.has_totp:
        return _go("/console/masuk/daftar")
    return page(request, "code.html", problem=None)


async def _code(request: web.Request) -> web.Response:
    workspace, session = request.config_dict[WORKSPACE], signed_in(request)
    subject = f"account:{session.account.username}"
    if not await begin(workspace, subject):
        return page(request, "code.html", problem=_LOCKED, status=429)
    if not await check_totp(workspace, session.account, str((await request.post()).get("code", ""))):
        await record(workspace, session.account.id, Act.REFUSED, f"account:{session.account.id}")
        for _ in await failed(workspace, subject):
            await record(workspace, session.account.id, Act.LOCKED, f"account:{session.account.id}")
        return page(request, "code.html", problem=_WRONG_CODE, status=401)
    return await _enter(workspace, request, session.account)


async def _show_enrolment(request: web.Request) -> web.Response:
    account = signed_in(request).account
    if account.has_totp:
        return _go("/console/masuk/kode")
    return _enrolment_page(request, account, new_totp_secret())


async def _enrol(request: web.Request) -> web.Response:
    workspace, session = request.config_dict[WORKSPACE], signed_in(request)
    account = session.account
    if account.has_totp:
        # As it was when this began: a body that is long in coming brings no reset authenticator back.
        raise web.HTTPForbidden(text=ENROLLED)
    form = await request.post()
    secret, code = str(form.get("secret", "")), str(form.get("code", ""))
    try:
        is_right = _is_secret(secret) and await enrol_totp(
            workspace, account, secret, code, session=session.fingerprint
        )
    except AccountUnfit as unfit:
        raise web.HTTPForbidden(text=str(unfit)) from None
    if not is_right:
        return _enrolment_page(request, account, new_totp_secret(), problem=_WRONG_CODE)
    return await _enter(workspace, request, account)


async def _logout(request: web.Request) -> web.Response:
    workspace, session = request.config_dict[WORKSPACE], signed_in(request)
    await end_session(workspace, session)
    answer = _go("/console/masuk")
    forget(workspace, answer)
    return answer


async def _enter(workspace: Workspace, request: web.Request, account: Account) -> web.Response:
    await succeeded(workspace, f"account:{account.username}", f"address:{_address(request)}")
    try:
        token = await strengthen(workspace, signed_in(request))
    except AccountUnfit as unfit:
        return _login_page(request, problem=str(unfit), status=401)
    await record(workspace, account.id, Act.SIGNED_IN, f"account:{account.id}")
    answer = _go("/console/")
    remember(workspace, answer, token)
    return answer


def _login_page(request: web.Request, *, problem: str | None = None, status: int = 200) -> web.Response:
    oidc = request.config_dict[WORKSPACE].settings.oidc
    return page(request, "login.html", status=status, problem=problem, has_oidc=oidc is not None)


def _enrolment_page(request: web.Request, account: Account, secret: str, problem: str | None = None) -> web.Response:
    address = pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name="Praja Sidoarjo")
    drawn = segno.make(address, micro=False).svg_data_uri(scale=5, border=2)
    return page(request, "enrolment.html", status=401 if problem else 200, secret=secret, drawn=drawn, problem=problem)


def _is_secret(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def _address(request: web.Request) -> str:
    address = visitor_address(request, request.config_dict[WORKSPACE].settings.proxies)
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def _go(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
