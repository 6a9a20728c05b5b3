"""`praja bench inbox`: how fast a backlog is worked off when answering itself takes no time, so what the database alone allows."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import func, select

from bot.channels.simulator import Simulator
from bot.desk.agencies import Agencies
from bot.desk.own import OwnDesk
from bot.desk.reasons import Reasons
from bot.desk.room import DeskRoom
from bot.desk.standard import read_standard
from bot.inbox import receive
from bot.metrics import Metrics
from bot.notices import Notices
from bot.rasa import Rasa, TurnAnswer
from bot.reply import Reply
from bot.store import Store
from bot.tables import inbox
from bot.texts import Texts
from bot.turn import Turns
from bot.worker import Worker
from praja.database import migrate
from praja.postgres import create_database, embedded_postgres
from praja.settings import ROOT

__all__ = ["drain"]

_PEOPLE = 200
_MESSAGES = 15
"""of each"""
_BATCH = 100
_LEAST = 500.0
"""messages a second"""


class _AtOnce(Rasa):
    """Answers without being asked over the network."""

    async def turn(self, conversation: str, message_id: str, channel: str, content: Mapping[str, Any]) -> TurnAnswer:
        return TurnAnswer((Reply("Baik."),), None, None, None, understood=True)


async def drain(seconds: int) -> int:
    """Not 0 when fewer than 500 messages a second are answered. The seconds aren't used: the backlog ends by itself."""
    with tempfile.TemporaryDirectory(prefix="praja-bench-", ignore_cleanup_errors=True) as name:
        await asyncio.to_thread(os.chmod, name, 0o755)
        with embedded_postgres(Path(name) / "db") as server:
            url = create_database(server, "drain")
            await asyncio.to_thread(migrate, url)
            return await _drain(url)


async def _drain(url: str) -> int:
    async with AsyncExitStack() as stack:
        store = Store.open(url, "bench")
        stack.push_async_callback(store.engine.dispose)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        channel, notices = Simulator(), Notices(url)
        room = DeskRoom(
            store=store,
            texts=Texts(ROOT / "data"),
            agencies=Agencies(ROOT / "data"),
            standard=read_standard(ROOT / "data"),
            channels={channel.name: channel},
            templates={},
            notices=notices,
            desk=OwnDesk(),
        )
        turns = Turns(store, room.channels, _AtOnce(session, ["http://127.0.0.1:9"], ""), room.texts, "", ())
        worker = Worker(room, turns, Reasons(store, ROOT / "data"), notices, Metrics())
        stored = await _store_backlog(store, channel)
        print(f"{'pesan diterima dan disimpan':<42} {_PEOPLE * _MESSAGES / stored:7.0f}/s", flush=True)
        started = time.monotonic()
        working = asyncio.create_task(worker.run())
        while await _unanswered(store):  # noqa: ASYNC110 - the database is who knows
            await asyncio.sleep(0.05)
        rate = _PEOPLE * _MESSAGES / (time.monotonic() - started)
        worker.stop()
        await working
        print(f"{'pesan dijawab, satu pekerja':<42} {rate:7.0f}/s (paling sedikit {_LEAST:.0f})")
        print(f"{'ruang satu pesan dan jawabannya':<42} {await _bytes_a_message(store):7.0f} B, dengan indeks")
        return 0 if rate >= _LEAST else 1


async def _store_backlog(store: Store, channel: Simulator) -> float:
    """Seconds that it took."""
    updates = [
        update
        for number in range(_MESSAGES)
        for person in range(_PEOPLE)
        for update in channel.split(
            {"id": f"{person}-{number}", "sender": f"orang-{person}", "at": time.time(), "text": "halo"}
        )
    ]
    started = time.monotonic()
    for begin in range(0, len(updates), _BATCH):
        await receive(store, channel.name, updates[begin : begin + _BATCH])
    return time.monotonic() - started


async def _unanswered(store: Store) -> int:
    async with store.engine.connect() as connection:
        return await connection.scalar(select(func.count()).where(inbox.c.answered_at.is_(None))) or 0


async def _bytes_a_message(store: Store) -> float:
    tables = ("bot.inbox", "bot.outbox")
    async with store.engine.connect() as connection:
        sizes = [await connection.scalar(select(func.pg_total_relation_size(table))) or 0 for table in tables]
    return float(sum(sizes)) / (_PEOPLE * _MESSAGES)
