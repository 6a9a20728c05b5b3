"""Signing in with the district's own identity provider (OpenID Connect Core 1.0, code flow with PKCE), such as Keycloak.

The provider proves who somebody is, with its own second factor; what they may is our account's: an admin links the two by
the provider's `sub`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from console.accounts import AccountUnfit, find_account
from console.audit import Act, record
from console.protection import WORKSPACE, page, remember
from console.sessions import Proof, open_session
from console.settings import OidcSettings
from console.workspace import Workspace
from identity import Seal, SealBroken

__all__ = ["routes"]

_COOKIE = "praja_oidc"
_PATH = "/console/masuk"
_PATIENCE = 600
"""seconds that signing in over there may take"""
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_DOWN = "Penyedia akun dinas sedang tidak menjawab. Coba lagi, atau masuk dengan nama akun dan kata sandi."
_FAILED = "Masuk dengan akun dinas tidak berhasil. Coba sekali lagi dari halaman ini."
_UNKNOWN = "Akun dinas Anda belum dihubungkan. Minta admin menghubungkannya dengan akun Praja Anda."


class _Failed(Exception):
    """What the provider or the browser sent can't be trusted."""


@dataclass(frozen=True)
class _Provider:
    issuer: str
    authorization: str
    token: str
    keys: str


def routes() -> list[web.RouteDef]:
    return [
        web.get("/masuk/oidc", _start, name="oidc_start"),
        web.get("/masuk/oidc/kembali", _back, name="oidc_back"),
    ]


async def _start(request: web.Request) -> web.StreamResponse:
    workspace, settings = _settings(request)
    try:
        provider = await _discover(workspace, settings)
    except (aiohttp.ClientError, TimeoutError, _Failed):
        return _problem(request, _DOWN, 503)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "scope": "openid",
        "client_id": settings.client_id,
        "redirect_uri": _address(workspace),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    answer = web.Response(status=303, headers={"Location": f"{provider.authorization}?{urlencode(asked)}"})
    kept = {"state": state, "nonce": nonce, "verifier": verifier, "until": _now(workspace) + _PATIENCE}
    answer.set_cookie(
        _COOKIE,
        base64.urlsafe_b64encode(_seal(workspace).seal(json.dumps(kept).encode())).decode(),
        path=_PATH,
        max_age=_PATIENCE,
        httponly=True,
        samesite="Lax",
        secure=workspace.settings.is_secure,
    )
    return answer


async def _back(request: web.Request) -> web.StreamResponse:
    workspace, settings = _settings(request)
    try:
        kept = _kept(workspace, request.cookies.get(_COOKIE, ""))
        if not secrets.compare_digest(request.query.get("state", "").encode(), kept["state"].encode()):
            raise _Failed("state")
        subject = await _subject(workspace, settings, request.query.get("code", ""), kept)
    except (aiohttp.ClientError, TimeoutError):
        return _problem(request, _DOWN, 503)
    except _Failed:
        await record(workspace, None, Act.REFUSED, "account:?", by="oidc")
        return _problem(request, _FAILED, 401)
    account = await find_account(workspace, oidc_subject=subject)
    if account is None:
        await record(workspace, None, Act.REFUSED, "account:?", by="oidc")
        return _problem(request, _UNKNOWN, 403)
    try:
        token = await open_session(workspace, account, Proof.BOTH, request.headers.get("User-Agent", "?"))
    except AccountUnfit as unfit:
        return _problem(request, str(unfit), 401)
    await record(workspace, account.id, Act.SIGNED_IN, f"account:{account.id}", by="oidc")
    answer = web.Response(status=303, headers={"Location": "/console/"})
    answer.del_cookie(_COOKIE, path=_PATH)
    remember(workspace, answer, token)
    return answer


async def _subject(workspace: Workspace, settings: OidcSettings, code: str, kept: dict[str, Any]) -> str:
    """Who the provider says it is. Raises _Failed."""
    provider = await _discover(workspace, settings)
    exchanged = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _address(workspace),
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "code_verifier": kept["verifier"],
    }
    session = workspace.session
    async with session.post(provider.token, data=exchanged, timeout=_TIMEOUT) as response:
        if response.status >= 500:
            raise aiohttp.ClientError
        if not response.ok:
            raise _Failed("code")
        issued = await response.json(content_type=None)
    async with session.get(provider.keys, timeout=_TIMEOUT) as response:
        response.raise_for_status()
        keys = await response.json(content_type=None)
    try:
        token = jwt.decode(issued["id_token"], KeySet.import_key_set(keys), algorithms=_ALGORITHMS)
        claims = jwt.JWTClaimsRegistry(
            now=lambda: _now(workspace),
            leeway=30,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": kept["nonce"]},
        )
        claims.validate(token.claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise _Failed("id_token") from None
    return str(token.claims["sub"])


async def _discover(workspace: Workspace, settings: OidcSettings) -> _Provider:
    """OpenID Connect Discovery 1.0, 4. Raises _Failed."""
    address = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    async with workspace.session.get(address, timeout=_TIMEOUT) as response:
        response.raise_for_status()
        found = await response.json(content_type=None)
    try:
        provider = _Provider(
            found["issuer"], found["authorization_endpoint"], found["token_endpoint"], found["jwks_uri"]
        )
    except (KeyError, TypeError):
        raise _Failed("configuration") from None
    if provider.issuer != settings.issuer:
        raise _Failed("issuer")
    return provider


def _kept(workspace: Workspace, cookie: str) -> dict[str, Any]:
    """What was put into the browser at the start. Raises _Failed."""
    try:
        kept: dict[str, Any] = json.loads(_seal(workspace).open(base64.urlsafe_b64decode(cookie.encode())))
    except (SealBroken, ValueError):
        raise _Failed("cookie") from None
    if kept["until"] < _now(workspace):
        raise _Failed("too late")
    return kept


def _settings(request: web.Request) -> tuple[Workspace, OidcSettings]:
    workspace = request.config_dict[WORKSPACE]
    if workspace.settings.oidc is None:
        raise web.HTTPNotFound(text="Masuk dengan akun dinas tidak dipakai di sini.")
    return workspace, workspace.settings.oidc


def _problem(request: web.Request, problem: str, status: int) -> web.Response:
    return page(request, "login.html", status=status, problem=problem, has_oidc=True)


def _address(workspace: Workspace) -> str:
    return f"{workspace.settings.public_url.rstrip('/')}{_PATH}/oidc/kembali"


def _seal(workspace: Workspace) -> Seal:
    return Seal(workspace.settings.secret_key, "console.oidc")


def _now(workspace: Workspace) -> int:
    return int(workspace.clock().timestamp())
