"""The library's calls to the Bot API, carried out by the HTTP client that we use everywhere: a quarter of the cost of its own."""

from __future__ import annotations

import io

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

__all__ = ["NOT_SENT", "AiohttpRequest"]

NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""causes of a NetworkError before anything was said"""
_CONNECTING = 10.0
"""seconds until a connection is free and made"""
_WRITING = 40.0
"""seconds that a large file may take to go out"""


class AiohttpRequest(BaseRequest):
    """https://docs.python-telegram-bot.org/telegram.request.baserequest.html"""

    def __init__(self, *, connections: int, read_timeout: float) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_timeout

    async def initialize(self) -> None:
        """Nothing: the session is opened by the first call, which is within the loop that it belongs to."""

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Of the times allowed only the one for reading is asked for; the others are the same for every call."""
        reading = read_timeout if isinstance(read_timeout, float | int) else self._read_timeout
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=self._connections))
        try:
            async with self._session.request(
                method,
                url,
                data=_form(request_data) if request_data else None,
                headers={"User-Agent": self.USER_AGENT},
                timeout=aiohttp.ClientTimeout(reading + _WRITING, connect=_CONNECTING, sock_read=reading),
            ) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise TimedOut from error
        except aiohttp.ClientError as error:
            # Its own words may hold the address, and the address the bot's token.
            raise NetworkError(type(error).__name__) from error


def _form(request_data: RequestData) -> dict[str, str] | aiohttp.FormData:
    parameters = request_data.json_parameters
    if not request_data.contains_files:
        return parameters
    form = aiohttp.FormData(parameters)
    for name, (filename, content, content_type) in request_data.multipart_data.items():
        # A file object is read piece by piece, and what goes wrong doesn't quote it.
        opened = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, opened, filename=filename, content_type=content_type)
    return form
