"""Whether every part answers, by name: for `/readyz`, and for whoever starts the parts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import aiohttp
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.store import Store

__all__ = ["Health"]

_PATIENCE = 3.0


class Health:
    def __init__(
        self,
        store: Store,
        session: aiohttp.ClientSession,
        parts: Mapping[str, Sequence[str]],
        foreign: Collection[str] = (),
    ) -> None:
        """`parts` gives each part's addresses; one that answers is enough. Of `foreign` parts, which need not know how one
        asks whether they are well, any answer that is no trouble is.
        """
        self._store = store
        self._session = session
        self._parts = parts
        self._foreign = foreign

    async def parts(self) -> dict[str, bool]:
        async with asyncio.TaskGroup() as group:
            checks = {"database": group.create_task(self._database())}
            for name, urls in self._parts.items():
                checks[name] = group.create_task(self._answers(urls, 500 if name in self._foreign else 400))
        return {name: check.result() for name, check in checks.items()}

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE), self._store.single.connect() as connection:
                await connection.execute(text("SELECT 1 FROM bot.conversations LIMIT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def _answers(self, urls: Sequence[str], below: int) -> bool:
        for url in urls:
            try:
                async with asyncio.timeout(_PATIENCE), self._session.get(url) as response:
                    if response.status < below:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                continue
        return False
