"""The page `/data/TOKEN`: everything kept of a person, once, to whoever holds the link.

Opening it downloads nothing: messengers open links by themselves to show what is behind them.
"""

from __future__ import annotations

from aiohttp import web

from bot.backend import Backend, BackendDown, BackendRefused
from bot.links import Link, LinkKind, find, use, yield_back
from bot.page import PagePrinter, local_hour
from bot.store import Store

__all__ = ["DownloadPage"]

_NAME = "data-saya.json"


class DownloadPage:
    def __init__(self, store: Store, printer: PagePrinter, backend: Backend) -> None:
        self._store = store
        self._printer = printer
        self._backend = backend

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/data/{token}", self._show), web.post("/data/{token}", self._give)]

    async def _show(self, request: web.Request) -> web.Response:
        link = await self._find(request)
        if link is None:
            return self._printer.told("tidak_berlaku", status=410)
        return self._printer.page("data", until=local_hour(link.expires_at))

    async def _give(self, request: web.Request) -> web.Response:
        link = await self._find(request)
        if link is None:
            return self._printer.told("tidak_berlaku", status=410)
        async with self._store.engine.begin() as connection:
            if not await use(connection, self._store, link):
                return self._printer.told("tidak_berlaku", status=410)
        try:
            content = await self._backend.export(str(link.conversation))
        except (BackendDown, BackendRefused):
            await yield_back(self._store, link)
            return self._printer.told("gangguan", status=503)
        return web.Response(
            body=content,
            content_type="application/json",
            charset="utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{_NAME}"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
            },
        )

    async def _find(self, request: web.Request) -> Link | None:
        """The link while it may still be used."""
        link = await find(self._store, LinkKind.DATA, request.match_info["token"])
        return link if link is not None and not link.used and not link.expired else None
