"""The console as an application, put under `/console/` of the bot's HTTP."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from aiohttp import web

from bot.desk.room import DeskRoom
from console import board, desk, filings, login, oidc, reports, staff, stream
from console.backend import OfficerBackend
from console.protection import WORKSPACE, protect
from console.reasons import read_reasons
from console.replies import read_replies
from console.review import pages as review
from console.review.keeper import keep_review
from console.review.room import ReviewRoom
from console.settings import ConsoleSettings
from console.workspace import Workspace
from identity import Seal

__all__ = ["PREFIX", "create_console", "open_workspace"]

PREFIX = "/console"
_STATIC = Path(__file__).parent / "static"
_LARGEST_BODY = 16 * 1024 * 1024


def open_workspace(settings: ConsoleSettings, room: DeskRoom, session: aiohttp.ClientSession) -> Workspace:
    """Raises ReasonsUnfit and RepliesUnfit."""
    return Workspace(
        settings,
        room,
        Seal(settings.secret_key, "console.totp"),
        read_reasons(settings.data),
        read_replies(settings.data),
        ReviewRoom.open(room.store, settings.secret_key, settings.data, may_write=settings.may_write_data),
        OfficerBackend(session, settings.backend_url, settings.backend_officer_token),
        session,
    )


def create_console(workspace: Workspace) -> web.Application:
    app = web.Application(middlewares=[protect], client_max_size=_LARGEST_BODY)
    app[WORKSPACE] = workspace
    app.cleanup_ctx.append(keep_review)
    for part in (login, oidc, staff, filings, desk, stream, board, reports, review):
        app.add_routes(part.routes())
    app.router.add_static("/static", _STATIC, name="static")
    return app
