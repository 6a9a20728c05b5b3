"""What lies between the actions and the application backend, and fails in the ways a network and a server can."""

from __future__ import annotations

import asyncio
import enum
from collections import Counter
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from tests.fakes.served import Served

__all__ = ["Failing", "Proxy"]

_LATE = 3.0
_MOST = 64 * 1024 * 1024
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding"})


class Failing(enum.StrEnum):
    ERROR = "error"
    """500, and nothing is done"""
    LOST = "lost"
    """it is done, and the connection ends without an answer"""
    SLOW = "slow"
    """answered, seconds later"""
    HANGING = "hanging"
    """it is done, and answered after everybody has lost patience"""


class Proxy(Served):
    """Passes on to `target`; set `failing` to fail until it is None again."""

    def __init__(self, target: str) -> None:
        self.failing: Failing | None = None
        self.failed: Counter[Failing] = Counter()
        self._target = target
        self._over = asyncio.Event()
        app = web.Application(client_max_size=_MOST)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        app.on_shutdown.append(self._shut)
        super().__init__(app)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._session.close()

    async def _shut(self, app: web.Application) -> None:
        self._over.set()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        failing = self.failing
        if failing is not None:
            self.failed[failing] += 1
        if failing is Failing.ERROR:
            return web.Response(status=500, text="trouble")
        if failing is Failing.SLOW:
            await asyncio.sleep(_LATE)
        try:
            async with self._session.request(
                request.method,
                self._target + request.path_qs,
                headers={name: value for name, value in request.headers.items() if name.lower() not in _OURS},
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OURS}
                response = web.Response(status=answer.status, headers=headers, body=await answer.read())
        except aiohttp.ClientError:
            return self._cut(request)
        if failing is Failing.LOST:
            return self._cut(request)
        if failing is Failing.HANGING:
            await self._over.wait()
        return response

    def _cut(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)
