"""The bot's own room as the actions use it: it gives out files and makes one-time links."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.links import LinkKind, read_subject

__all__ = ["FakeBot"]


@dataclass
class FakeBot:
    url: str = ""
    files: list[bytes | None] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/internal/files/{position}", self._file),
                web.post("/internal/links", self._link),
                web.post("/internal/people/{conversation}/erasure", self._erase),
            ]
        )
        return app

    def keep(self, content: bytes) -> str:
        self.files.append(content)
        return f"{self.url}/internal/files/{len(self.files) - 1}"

    async def _file(self, request: web.Request) -> web.Response:
        content = self.files[int(request.match_info["position"])]
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    def forget_files(self) -> None:
        """As if they had been sent long ago."""
        self.files = [None] * len(self.files)

    async def _link(self, request: web.Request) -> web.Response:
        wish = await request.json()
        try:
            read_subject(LinkKind(wish["kind"]), wish["subject"])
        except ValueError:
            raise web.HTTPUnprocessableEntity from None
        self.links.append(wish)
        return web.json_response({"url": f"https://praja.example/unggah/{len(self.links)}"}, status=201)

    async def _erase(self, request: web.Request) -> web.Response:
        self.erased.append(request.match_info["conversation"])
        return web.Response(status=202)
