"""Tells the bot what it is to know, each thing until it is taken.

What is due is claimed by moving its next attempt beyond the request's time limit, so several processes may deliver, and
what one of them held when it was killed is sent again by another.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import aiohttp
from sqlalchemy import Select, Table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.workspace import Workspace

__all__ = ["Delivery", "Queue"]

_logger = logging.getLogger(__name__)

_POLL = 0.5
"""seconds; what another process wrote is seen by then, our own at once"""
_BATCH = 20
_TIME_LIMIT = aiohttp.ClientTimeout(total=10)
_CLAIM = timedelta(seconds=20)
_LONGEST_PAUSE = 600


class Queue(Protocol):
    """One kind of thing to tell, each a row."""

    @property
    def table(self) -> Table:
        """with `id`, `attempts`, `next_attempt_at`, `delivered_at`"""

    def due(self, now: datetime) -> Select[tuple[UUID]]:
        """ids of the rows that may be told now, those that were are left out by the caller"""

    async def write(self, connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """id → what is told, JSON"""


@dataclass(frozen=True)
class _Letter:
    table: Table
    id: UUID
    attempts: int
    body: bytes


class Delivery:
    def __init__(self, workspace: Workspace, queues: Sequence[Queue], url: str, secret: str) -> None:
        self._workspace = workspace
        self._queues = queues
        self._url = url
        self._secret = secret.encode()

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIME_LIMIT) as session:
            while True:
                letters: list[_Letter] = []
                try:
                    for queue in self._queues:
                        letters += await self._claim(queue)
                    await asyncio.gather(*(self._deliver(session, letter) for letter in letters))
                except Exception as error:
                    # Nothing may end this loop; what wasn't delivered is claimed again.
                    _logger.warning("events wait: %s", type(error).__name__)
                    letters = []
                if not letters:
                    await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_POLL):
                await self._workspace.happened.wait()
        except TimeoutError:
            pass
        self._workspace.happened.clear()

    async def _claim(self, queue: Queue) -> list[_Letter]:
        now, table = self._workspace.clock(), queue.table
        due = (
            queue.due(now)
            .where(table.c.delivered_at.is_(None), table.c.next_attempt_at <= now)
            .order_by(table.c.next_attempt_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True, of=table)
            .cte("claimed")
        )
        claiming = (
            update(table)
            .where(table.c.id == due.c.id)
            .values(attempts=table.c.attempts + 1, next_attempt_at=now + _CLAIM)
            .returning(table.c.id, table.c.attempts)
        )
        async with self._workspace.engine.begin() as connection:
            attempts = {row.id: row.attempts for row in await connection.execute(claiming)}
            written = await queue.write(connection, list(attempts)) if attempts else {}
        return [
            _Letter(table, identifier, attempts[identifier], json.dumps(body, ensure_ascii=False).encode())
            for identifier, body in written.items()
        ]

    async def _deliver(self, session: aiohttp.ClientSession, letter: _Letter) -> None:
        trouble = await self._post(session, letter.body)
        now = self._workspace.clock()
        if trouble is None:
            outcome = {"delivered_at": now}
        else:
            pause = min(2 ** min(letter.attempts - 1, 20), _LONGEST_PAUSE)
            outcome = {"next_attempt_at": now + timedelta(seconds=pause)}
            _logger.warning("event %s not taken (%s), attempt %d", letter.id, trouble, letter.attempts)
        async with self._workspace.engine.begin() as connection:
            await connection.execute(update(letter.table).where(letter.table.c.id == letter.id).values(outcome))

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> str | None:
        """None when it was taken, else what went wrong."""
        headers = {
            "Content-Type": "application/json",
            "X-Praja-Signature": "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
        }
        try:
            async with session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                return None if 200 <= response.status < 300 else str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
