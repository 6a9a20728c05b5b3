"""The backend as a server: put together, guarded, started and stopped."""

from __future__ import annotations

import asyncio
import functools
import hmac
import json
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml
from aiohttp import web
from sqlalchemy import make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from backend.answer import Problem, answer_json
from backend.api import Api, Route
from backend.asker import Asker, Role
from backend.border import read_header, read_query
from backend.catalogue import load_catalogue
from backend.delivery import Delivery
from backend.document_store import DocumentStore
from backend.events import Events
from backend.notices import Notices, keep_noticing
from backend.regions import load_regions
from backend.retention import keep_tidy
from backend.workspace import Retention, Workspace
from identity import Seal, Secrets, redact
from journal import TURN_HEADER, of_turn, present_turn, span

__all__ = ["BackendSettings", "create_app", "make_workspace", "serve"]

_logger = logging.getLogger(__name__)
_OPENAPI = Path(__file__).with_name("openapi.yml")


@dataclass(frozen=True)
class BackendSettings:
    database_url: str
    """plain `postgresql://…`; the tables are there"""
    home: Path
    """sealed files go to `documents` in it"""
    data: Path
    """the folder with `layanan/`, `kantor.yml`, `wilayah.csv`"""
    secret_key: Secrets = field(repr=False)
    token: str = field(repr=False)
    officer_token: str = field(repr=False)
    webhook_url: str
    webhook_secret: str = field(repr=False)
    host: str
    port: int
    retention: Retention = field(default_factory=Retention)

    def __post_init__(self) -> None:
        if not self.token or not self.officer_token or self.token == self.officer_token:
            raise ValueError("PRAJA_BACKEND_TOKEN dan PRAJA_BACKEND_OFFICER_TOKEN harus diisi, dan harus berbeda.")


def _now() -> datetime:
    return datetime.now(UTC)


async def serve(settings: BackendSettings) -> None:
    """Serve until cancelled."""
    runner = web.AppRunner(create_app(settings), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def create_app(settings: BackendSettings, clock: Callable[[], datetime] = _now) -> web.Application:
    """Raises CatalogueError."""
    workspace = make_workspace(settings, clock)
    app = web.Application(middlewares=[_note_turn, _tell_problems])
    for route in Api(workspace).routes():
        app.router.add_route(route.method, Api.PREFIX + route.path, _guard(settings, route))
    app.router.add_get("/openapi.json", _give_openapi(), allow_head=False)
    app.router.add_get("/healthz", _tell_health(workspace), allow_head=False)
    app.cleanup_ctx.append(_work_in_background(workspace, settings))
    return app


def make_workspace(settings: BackendSettings, clock: Callable[[], datetime]) -> Workspace:
    """Raises CatalogueError when the catalogue doesn't fit its schema."""
    return Workspace(
        engine=create_async_engine(
            make_url(settings.database_url).set(drivername="postgresql+psycopg"),
            pool_size=10,
            pool_pre_ping=True,
            hide_parameters=True,
        ),
        catalogue=load_catalogue(settings.data),
        regions=load_regions(settings.data),
        seal=Seal(settings.secret_key, "backend.answers"),
        store=DocumentStore(settings.home / "documents", Seal(settings.secret_key, "backend.documents")),
        clock=clock,
        retention=settings.retention,
    )


def _guard(settings: BackendSettings, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    tokens = {Role.CHANNEL: settings.token.encode(), Role.OFFICER: settings.officer_token.encode()}

    async def handle(request: web.Request) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        presented = given.strip().encode(errors="surrogateescape")
        matching = [role for role, token in tokens.items() if hmac.compare_digest(presented, token)]
        if scheme.lower() != "bearer" or not matching:
            raise Problem(401, "unauthorized", "Kunci layanan tidak ada atau tidak cocok.")
        if matching[0] not in route.roles:
            raise Problem(403, "wrong-role", "Kunci layanan ini tidak berhak atas langkah itu.")
        contact = read_header(request, "Praja-Contact") or read_query(request, "contact")
        return await route.handler(request, Asker(matching[0], contact, read_header(request, "Praja-Proof")))

    return handle


@web.middleware
async def _note_turn(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What is done for a citizen's message is logged with the number of its turn."""
    with of_turn(request.headers.get(TURN_HEADER)):
        started = time.monotonic()
        with span(f"{request.method} {_pattern(request)}"):
            response = await handler(request)
        if present_turn():
            took = 1000 * (time.monotonic() - started)
            _logger.info("%s %s %d in %.0f ms", request.method, _pattern(request), response.status, took)
        return response


@web.middleware
async def _tell_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    headers = {}
    try:
        return await handler(request)
    except Problem as caught:
        problem = caught
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kind = error.reason.lower().replace(" ", "-")
        problem = Problem(error.status, kind, "Alamat atau cara itu tidak dikenal layanan ini.")
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        _logger.warning("database in trouble: %s", type(error).__name__)
        problem = Problem(503, "database-down", "Layanan sedang terganggu; coba lagi sebentar.")
    except Exception:
        failure = redact(traceback.format_exc())
        _logger.error("%s %s failed\n%s", request.method, _pattern(request), failure)  # noqa: TRY400 - not in clear
        problem = Problem(500, "internal", "Layanan sedang terganggu; petugas sudah diberi tahu lewat catatan.")
    response = problem.answer().response()
    response.headers.update(headers)
    return response


def _pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "?"


def _give_openapi() -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=_openapi(), content_type="application/json")

    return handle


@functools.cache
def _openapi() -> bytes:
    return json.dumps(yaml.safe_load(_OPENAPI.read_text(encoding="utf-8")), ensure_ascii=False).encode()


def _tell_health(workspace: Workspace) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        async with workspace.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return answer_json({"status": "ok"}).response()

    return handle


def _work_in_background(
    workspace: Workspace, settings: BackendSettings
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(app: web.Application) -> AsyncIterator[None]:
        queues = (Events(workspace), Notices(workspace))
        delivery = Delivery(workspace, queues, settings.webhook_url, settings.webhook_secret)
        work = (delivery.run(), keep_tidy(workspace), keep_noticing(workspace))
        tasks = [asyncio.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await workspace.engine.dispose()

    return context
