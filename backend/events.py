"""Tells the bot what happened to filings: each entry of a chronology, in its filing's order, until it is taken.

An entry is claimed by moving its next attempt beyond the request's time limit, so several processes may deliver, and
what one of them held when it was killed is sent again by another.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from datetime import timedelta
from typing import Any

import aiohttp
from sqlalchemy import Row, exists, select, update

from backend.calendar import LOCAL_TIME
from backend.filing_view import names_of
from backend.tables import chronology, filings
from backend.workspace import Workspace

__all__ = ["EventDelivery"]

_logger = logging.getLogger(__name__)

_POLL = 0.5
"""seconds; entries written by another process are seen by then, our own at once"""
_BATCH = 20
_TIME_LIMIT = aiohttp.ClientTimeout(total=10)
_CLAIM = timedelta(seconds=20)
_LONGEST_PAUSE = 600


class EventDelivery:
    def __init__(self, workspace: Workspace, url: str, secret: str) -> None:
        self._workspace = workspace
        self._url = url
        self._secret = secret.encode()

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIME_LIMIT) as session:
            while True:
                try:
                    claimed = await self._claim()
                    await asyncio.gather(*(self._deliver(session, entry) for entry in claimed))
                except Exception as error:
                    # Nothing may end this loop; what wasn't delivered is claimed again.
                    _logger.warning("events wait: %s", type(error).__name__)
                    claimed = []
                if not claimed:
                    await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_POLL):
                await self._workspace.happened.wait()
        except TimeoutError:
            pass
        self._workspace.happened.clear()

    async def _claim(self) -> list[Row[Any]]:
        """Due entries that are the oldest undelivered one of their filing."""
        now = self._workspace.clock()
        older = chronology.alias("older")
        due = (
            select(chronology.c.id)
            .where(
                chronology.c.delivered_at.is_(None),
                chronology.c.next_attempt_at <= now,
                ~exists().where(
                    older.c.number == chronology.c.number,
                    older.c.position < chronology.c.position,
                    older.c.delivered_at.is_(None),
                ),
            )
            .order_by(chronology.c.next_attempt_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        claiming = (
            update(chronology)
            .where(chronology.c.id == due.c.id, chronology.c.number == filings.c.number)
            .values(attempts=chronology.c.attempts + 1, next_attempt_at=now + _CLAIM)
            .returning(*chronology.c, filings.c.service, filings.c.contact)
        )
        async with self._workspace.engine.begin() as connection:
            return list(await connection.execute(claiming))

    async def _deliver(self, session: aiohttp.ClientSession, entry: Row[Any]) -> None:
        trouble = await self._post(session, self._body(entry))
        now = self._workspace.clock()
        if trouble is None:
            outcome = {"delivered_at": now}
        else:
            pause = min(2 ** min(entry.attempts - 1, 20), _LONGEST_PAUSE)
            outcome = {"next_attempt_at": now + timedelta(seconds=pause)}
            _logger.warning("event %s not taken (%s), attempt %d", entry.id, trouble, entry.attempts)
        async with self._workspace.engine.begin() as connection:
            await connection.execute(update(chronology).where(chronology.c.id == entry.id).values(outcome))

    def _body(self, entry: Row[Any]) -> bytes:
        words = self._workspace.seal.open_json(entry.words)
        event = {
            "event_id": str(entry.id),
            "number": entry.number,
            "service": entry.service,
            "state": entry.state,
            "note": words["note"],
            "fix": words["fix"],
            "fix_names": names_of(self._workspace, entry.service, words["fix"]),
            "at": entry.at.astimezone(LOCAL_TIME).isoformat(),
            "contact": entry.contact,
        }
        return json.dumps(event, ensure_ascii=False).encode()

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
