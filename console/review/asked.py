"""What the pages of review read of a request and answer with."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from console.access import access_review
from console.accounts import Account
from console.protection import WORKSPACE, signed_in
from console.workspace import Workspace

__all__ = ["number", "reviewer", "sent", "to"]


def reviewer(request: web.Request) -> tuple[Workspace, Account]:
    """Raises Forbidden."""
    account = signed_in(request).account
    access_review(account)
    return request.config_dict[WORKSPACE], account


def number(text: object) -> int | None:
    written = str(text or "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None


def to(path: str, query: Mapping[str, str] = {}) -> web.Response:
    given = {name: value for name, value in query.items() if value}
    return web.Response(status=303, headers={"Location": f"{path}?{urlencode(given)}" if given else path})


def sent(content: str, name: str, content_type: str) -> web.Response:
    return web.Response(
        text=content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
