"""Client of the bot's own room: one-time links, and erasing what it keeps of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from actions.backend import BackendDown
from journal import turn_header

__all__ = ["Bot"]

_TIMEOUT = aiohttp.ClientTimeout(total=4, connect=2)


class Bot:
    """Raises BackendDown when the bot can't be asked: for the dialogue it is one more system that is away."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/") + "/internal"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session = session

    async def link(self, kind: str, conversation: str, subject: Mapping[str, str | int]) -> str:
        """Address of a page that opens once: `unggah`, `penilaian`, `data`."""
        body = await self._post("/links", {"kind": kind, "conversation": conversation, "subject": dict(subject)})
        return str(body["url"])

    async def erase(self, conversation: str) -> None:
        """Messages, files and the dialogue's memory of that conversation, once this turn is answered."""
        await self._post(f"/people/{conversation}/erasure", None)

    async def _post(self, path: str, body: Mapping[str, Any] | None) -> Any:
        try:
            async with self._session.post(
                self._url + path, json=body, headers={**self._headers, **turn_header()}, timeout=_TIMEOUT
            ) as response:
                if not response.ok:
                    raise BackendDown(f"bot {path.split('/')[1]}: {response.status}")
                return (
                    await response.json(content_type=None) if response.status == 200 or response.status == 201 else None
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BackendDown(f"bot {path.split('/')[1]}: {type(error).__name__}") from None
