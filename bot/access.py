"""Who may use the room's inner doors: whoever holds the token that bot, Rasa and actions share."""

from __future__ import annotations

import hmac

from aiohttp import web

__all__ = ["require_bearer"]


def require_bearer(request: web.Request, token: str) -> None:
    """Raises HTTPUnauthorized; an empty token lets nobody in."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    known = hmac.compare_digest(given.encode(errors="replace"), token.encode())
    if scheme.lower() != "bearer" or not known or not token:
        raise web.HTTPUnauthorized
