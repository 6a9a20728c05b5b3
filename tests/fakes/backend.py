"""What the bot asks the application backend for, on loopback: surveys, a person's data, filings (`backend-api.md`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.fakes.served import Served

__all__ = ["TOKEN", "FakeBackend"]

TOKEN = "token-backend"


class FakeBackend(Served):
    """Set `trouble` to the status it answers everything with until it is None again."""

    def __init__(self) -> None:
        self.surveys: list[tuple[str, str, dict[str, Any]]] = []
        """number, contact, body"""
        self.filings: dict[str, list[dict[str, Any]]] = {}
        """by contact, newest first"""
        self.asked: list[str] = []
        """contacts whose filings were asked for"""
        self.refused: set[str] = set()
        """contacts whose filings can't be given just now"""
        self.rating: Callable[[], Awaitable[None]] | None = None
        """done before a survey is taken"""
        self.trouble: int | None = None
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/healthz", self._alive),
                web.put("/api/v1/filings/{number}/survey", self._survey),
                web.get("/api/v1/people/{contact}/export", self._export),
                web.get("/api/v1/filings", self._filings),
            ]
        )
        super().__init__(app)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path != "/healthz":
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return web.Response(status=401)
            if self.trouble is not None:
                return web.Response(status=self.trouble)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _survey(self, request: web.Request) -> web.Response:
        if self.rating is not None:
            await self.rating()
        self.surveys.append((request.match_info["number"], request.query["contact"], await request.json()))
        return web.Response(status=204)

    async def _export(self, request: web.Request) -> web.Response:
        return web.json_response({"contact": request.match_info["contact"], "drafts": [], "filings": []})

    async def _filings(self, request: web.Request) -> web.Response:
        contact = request.query["contact"]
        if contact in self.refused:
            return web.Response(status=500)
        self.asked.append(contact)
        return web.json_response({"filings": self.filings.get(contact, []), "next": None})
