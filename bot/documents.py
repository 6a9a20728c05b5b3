"""Documents for citizens: a reply names them by address, and they are fetched from the backend when they are sent."""

from __future__ import annotations

import aiohttp

from bot.channel import OutgoingFile, SendFailed, SendFailure
from bot.reply import FileLink

__all__ = ["Documents"]

_TIMEOUT = aiohttp.ClientTimeout(total=20)


class Documents:
    def __init__(self, session: aiohttp.ClientSession, backend_url: str, backend_token: str) -> None:
        self._session = session
        self._root = backend_url.rstrip("/") + "/"
        self._headers = {"Authorization": f"Bearer {backend_token}"}

    async def fetch(self, file: FileLink) -> OutgoingFile:
        """Raises SendFailed: RETRY, or PAYLOAD when it isn't there. The token is shown to the backend only."""
        if not file.url.startswith(self._root):
            raise SendFailed(SendFailure.PAYLOAD, None, "a reply's file isn't the backend's")
        try:
            async with self._session.get(
                file.url, headers=self._headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                if 400 <= response.status < 500:
                    raise SendFailed(SendFailure.PAYLOAD, response.status, "the backend doesn't give the file out")
                if response.status != 200:
                    raise SendFailed(SendFailure.RETRY, response.status, "the backend failed to give the file out")
                return OutgoingFile(file.name, file.content_type, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SendFailed(SendFailure.RETRY, None, type(error).__name__) from None
