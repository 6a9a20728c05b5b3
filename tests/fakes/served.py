"""What every fake that is reached over HTTP is: an application on a port of its own for as long as the block lasts."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer

__all__ = ["Served"]


class Served:
    """`async with Fake() as fake: … fake.url …`."""

    def __init__(self, app: web.Application) -> None:
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        """Before the block ends; it answers no more."""
        await self._server.close()

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
