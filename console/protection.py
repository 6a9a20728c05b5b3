"""The border of the console: who is asking, whether the request is really theirs, and what browsers are told to refuse."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from bot.desk.officer import DeskRefused, Refusal
from console.access import Forbidden
from console.backend import BackendDown, BackendRefused
from console.sessions import Proof, Session, read_session
from console.workspace import Workspace
from identity import present

__all__ = [
    "COOKIE",
    "SESSION",
    "WORKSPACE",
    "forget",
    "harden",
    "page",
    "protect",
    "remember",
    "sent_file",
    "signed_in",
]

COOKIE = "praja_sesi"
WORKSPACE = web.AppKey("workspace", Workspace)
SESSION = web.RequestKey("session", Session)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OPEN = frozenset({"login", "login_post", "static", "oidc_start", "oidc_back"})
"""names of routes that need no session"""
_HALF = frozenset({"totp", "totp_post", "enrol", "enrol_post", "logout"})
"""and of those that need only the password's"""
_SAFE = frozenset({"GET", "HEAD"})
_INLINE = frozenset({"application/pdf", "image/jpeg", "image/png", "image/webp"})
_SENTENCES = {
    400: "Permintaan itu tidak bisa dibaca. Kembali, lalu ulangi.",
    404: "Halaman itu tidak ada.",
    405: "Alamat itu tidak dibuka seperti ini. Kembali, lalu pakai tombolnya.",
    413: "Berkas itu terlalu besar; paling besar 15 MB.",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "object-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)


@web.middleware
async def protect(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await _admit(request, handler)
    except web.HTTPException as answer:
        if answer.status < 400 or request.headers.get("HX-Request"):
            harden(request, answer)
            raise
        response = page(request, "refused.html", status=answer.status, reason=_sentence(answer))
    except Forbidden as refusal:
        response = page(request, "refused.html", status=403, reason=str(refusal))
    except DeskRefused as refused:
        status = 404 if refused.reason is Refusal.GONE else 403
        response = page(request, "refused.html", status=status, reason=refused.sentence)
    except BackendRefused as answered:
        response = page(request, "refused.html", status=answered.status, reason=str(answered))
    except BackendDown:
        response = page(request, "down.html", status=503)
    if not response.prepared:
        harden(request, response)
    return response


def _sentence(answer: web.HTTPException) -> str:
    """aiohttp's own words are in English and begin with the number."""
    said = answer.text or ""
    return _SENTENCES.get(answer.status, _SENTENCES[400]) if said[:3].isdigit() or not said else said


async def _admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    name = request.match_info.route.name or ""
    if request.method not in _SAFE and not _is_from_here(request):
        raise web.HTTPForbidden(text="Permintaan itu tidak datang dari halaman ini. Buka lagi halamannya, lalu ulangi.")
    session = await _session(request)
    if name in _OPEN:
        await _read_form(request)
        return await handler(request)
    if session is None or (session.proof is not Proof.BOTH and name not in _HALF):
        return _to_login(request, session)
    request[SESSION] = session
    await _read_form(request)
    if request.method not in _SAFE and not await _has_token(request, session):
        raise web.HTTPForbidden(text="Sesi halaman ini sudah berganti. Muat ulang halamannya, lalu ulangi.")
    return await handler(request)


async def _read_form(request: web.Request) -> None:
    """Kept by the request, so that handlers find it read. Raises HTTPBadRequest."""
    if request.method in _SAFE:
        return
    try:
        await request.post()
    except (ValueError, LookupError):
        raise web.HTTPBadRequest from None


async def _session(request: web.Request) -> Session | None:
    token = request.cookies.get(COOKIE)
    return await read_session(request.config_dict[WORKSPACE], token) if token else None


def _to_login(request: web.Request, session: Session | None) -> web.Response:
    target = "/console/masuk" if session is None else "/console/masuk/kode"
    if request.headers.get("HX-Request"):
        # A fragment would put the login page into a corner of the old one.
        return web.Response(status=401, headers={"HX-Redirect": target})
    return web.Response(status=303, headers={"Location": target})


def _is_from_here(request: web.Request) -> bool:
    """By what browsers say by themselves; who says nothing is no browser and holds no cookie by accident."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    settings = request.config_dict[WORKSPACE].settings
    return origin != "null" and urlsplit(origin).netloc in (request.host, urlsplit(settings.public_url).netloc)


async def _has_token(request: web.Request, session: Session) -> bool:
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given = str((await request.post()).get("csrf", ""))
    expected = session.csrf_token(present(request.config_dict[WORKSPACE].settings.secret_key))
    return hmac.compare_digest((given or "").encode(errors="replace"), expected.encode())


def harden(request: web.Request, response: web.StreamResponse) -> None:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "SAMEORIGIN"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    headers.setdefault("Cache-Control", "no-store")
    if request.config_dict[WORKSPACE].settings.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"


def remember(workspace: Workspace, response: web.StreamResponse, token: str) -> None:
    response.set_cookie(
        COOKIE, token, path="/console", httponly=True, samesite="Lax", secure=workspace.settings.is_secure
    )


def forget(workspace: Workspace, response: web.StreamResponse) -> None:
    response.del_cookie(COOKIE, path="/console", httponly=True, samesite="Lax", secure=workspace.settings.is_secure)


def signed_in(request: web.Request) -> Session:
    return request[SESSION]


def page(request: web.Request, template: str, /, *, status: int = 200, **values: object) -> web.Response:
    """`me`, `csrf` and `path` are there for every template; the first two are None for who isn't signed in."""
    workspace = request.config_dict[WORKSPACE]
    session = request.get(SESSION)
    common = {
        "me": session.account if session is not None and session.proof is Proof.BOTH else None,
        "csrf": session.csrf_token(present(workspace.settings.secret_key)) if session is not None else None,
        "path": request.path,
    }
    return web.Response(
        text=workspace.pages.render(template, {**common, **values}), content_type="text/html", status=status
    )


def sent_file(content_type: str, content: bytes) -> web.Response:
    """What a citizen or an officer sent: shown where browsers can, and it may run nothing, even in a window of its own."""
    return web.Response(
        body=content,
        content_type=content_type if content_type in _INLINE else "application/octet-stream",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"},
    )
