"""Whether every part answers, by name: for `/readyz`, and for whoever starts the parts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import aiohttp
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.store import Store

__all__ = ["Health"]

_PATIENCE = 3.0


class Health:
    def __init__(self, store: Store, session: aiohttp.ClientSession, parts: Mapping[str, Sequence[str]]) -> None:
        """`parts` gives each part's addresses; one that answers is enough."""
        self._store = store
        self._session = session
        self._parts = parts

    async def parts(self) -> dict[str, bool]:
        async with asyncio.TaskGroup() as group:
            checks = {"database": group.create_task(self._database())}
            for name, urls in self._parts.items():
                checks[name] = group.create_task(self._answers(urls))
        return {name: check.result() for name, check in checks.items()}

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE), self._store.single.connect() as connection:
                await connection.execute(text("SELECT 1 FROM bot.conversations LIMIT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def _answers(self, urls: Sequence[str]) -> bool:
        for url in urls:
            try:
                async with asyncio.timeout(_PATIENCE), self._session.get(url) as response:
                    if response.ok:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                continue
        return False
