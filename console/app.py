"""The console as an application, put under `/console/` of the bot's HTTP."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from aiohttp import web

from bot.desk.room import DeskRoom
from console import audit_page, board, citizen, desk, filings, handing_on, login, oidc, queue, reports, staff, stream
from console.backend import OfficerBackend
from console.passwords import Passwords
from console.protection import WORKSPACE, protect
from console.reasons import read_reasons
from console.replies import read_replies
from console.review import pages as review
from console.review.keeper import keep_review
from console.review.reader import keep_shadow
from console.review.room import ReviewRoom
from console.settings import ConsoleSettings
from console.training import pages as training
from console.training.keeper import keep_training
from console.training.room import TrainingRoom
from console.workspace import Workspace
from identity import Seal

__all__ = ["PREFIX", "create_console", "open_workspace"]

PREFIX = "/console"
_STATIC = Path(__file__).parent / "static"
_LARGEST_BODY = 16 * 1024 * 1024


def open_workspace(settings: ConsoleSettings, room: DeskRoom, session: aiohttp.ClientSession) -> Workspace:
    """Raises ReasonsUnfit, RepliesUnfit and ScheduleUnfit."""
    return Workspace(
        settings,
        room,
        Seal(settings.secret_key, "console.totp"),
        Passwords(settings.password_cost),
        read_reasons(settings.data),
        read_replies(settings.data),
        ReviewRoom.open(
            room.store,
            settings.secret_key,
            settings.data,
            frozen=settings.frozen,
            may_write=settings.may_write_data,
        ),
        TrainingRoom.open(room.store, settings),
        OfficerBackend(session, settings.backend_url, settings.backend_officer_token),
        session,
    )


def create_console(workspace: Workspace) -> web.Application:
    app = web.Application(middlewares=[protect], client_max_size=_LARGEST_BODY)
    app[WORKSPACE] = workspace
    app.cleanup_ctx.extend((keep_review, keep_shadow, keep_training))
    for part in (
        login,
        oidc,
        staff,
        audit_page,
        filings,
        queue,
        desk,
        citizen,
        handing_on,
        stream,
        board,
        reports,
        review,
        training,
    ):
        app.add_routes(part.routes())
    app.router.add_static("/static", _STATIC, name="static")
    return app
