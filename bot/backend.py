"""Client of the application backend, for what the room asks it itself: surveys, a person's data, filings to follow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

__all__ = ["Backend", "BackendDown", "BackendRefused"]

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=3)


class BackendDown(Exception):
    """It can't be reached or is in trouble; the same may be asked again later."""


class BackendRefused(Exception):
    """It won't do that, now or later; the message is the status."""


class Backend:
    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._root = url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def rate(
        self, number: str, contact: str, message_id: str, scores: Mapping[str, int], suggestion: str | None
    ) -> None:
        """Give the marks of a survey. Raises BackendDown, BackendRefused."""
        body: dict[str, Any] = {"message_id": message_id, "scores": dict(scores)}
        if suggestion:
            body["suggestion"] = suggestion
        await self._call("PUT", f"/filings/{number}/survey", params={"contact": contact}, json=body)

    async def export(self, contact: str) -> bytes:
        """Everything that is kept of that contact, as a JSON document. Raises BackendDown, BackendRefused."""
        return await self._call("GET", f"/people/{contact}/export")

    async def filings(self, contact: str) -> Sequence[Mapping[str, Any]]:
        """The contact's newest filings, a page of them. Raises BackendDown, BackendRefused."""
        try:
            body = json.loads(await self._call("GET", "/filings", params={"contact": contact}))
            return [filing for filing in body["filings"] if isinstance(filing, dict)]
        except (ValueError, TypeError, KeyError):
            raise BackendDown("answer is not as agreed") from None

    async def _call(self, method: str, path: str, **request: Any) -> bytes:
        try:
            async with self._session.request(
                method, self._root + path, headers=self._headers, timeout=_TIMEOUT, allow_redirects=False, **request
            ) as response:
                content = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BackendDown(type(error).__name__) from None
        if status >= 500 or status in (401, 408, 429):
            raise BackendDown(str(status))
        if not 200 <= status < 300:
            raise BackendRefused(str(status))
        return content
