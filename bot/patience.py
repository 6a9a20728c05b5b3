"""How long a request may take to arrive: who sends it drop by drop would keep its connection, and its memory, for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

__all__ = ["Patience", "in_time"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_UPLOADS = ("/unggah/", "/console/")
"""where somebody known to us sends files, perhaps from a phone in a village"""


@dataclass(frozen=True)
class Patience:
    """Seconds."""

    head: float = 30.0
    """from the connection, or from the answer before it"""
    body: float = 30.0
    upload: float = 300.0
    rest: float = 5.0
    """in which what still comes of a refused body is thrown away, so that the refusal can be read"""


def in_time(patience: Patience) -> Middleware:
    """A middleware: 408 when the body hasn't come in time. The answer may take as long as it likes."""

    @web.middleware
    async def limited(request: web.Request, handler: _Handler) -> web.StreamResponse:
        arriving = asyncio.timeout(patience.upload if request.path.startswith(_UPLOADS) else patience.body)

        def arrived() -> None:
            with contextlib.suppress(RuntimeError):  # answered before all of it was there
                arriving.reschedule(None)

        try:
            async with arriving:
                request.content.on_eof(arrived)
                return await handler(request)
        except TimeoutError:
            if not arriving.expired():
                raise
            raise web.HTTPRequestTimeout from None

    return limited
