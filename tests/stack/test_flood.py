"""One sender at 100 messages a second: what the others notice of it, measured."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import statistics
import time
import uuid
from collections.abc import AsyncIterator
from itertools import cycle

import aiohttp
import pytest

from tests.stack.providers import APP_SECRET, PHONE_NUMBER_ID
from tests.stack.running import Running, running_with_channels

SECONDS = 30
PER_SECOND = 2
FLOOD = 100
_TALK = ("ktp saya hilang, ngurusnya gimana", "syaratnya apa aja", "bayar ga?", "berapa hari jadinya")


@pytest.mark.verify
def test_a_flooder_does_not_slow_the_others() -> None:
    with running_with_channels() as stack:
        alone, beside, stored = asyncio.run(_measure(stack))
    told = f"p95 of the others: {alone * 1000:.0f} ms alone, {beside * 1000:.0f} ms beside {stored} of a flooder's"
    print(told)  # noqa: T201
    assert beside < 2 * alone, told
    assert stored > 0.9 * FLOOD * SECONDS, told


async def _measure(stack: Running) -> tuple[float, float, int]:
    async with aiohttp.ClientSession(base_url=stack.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        await _p95_of_others(session, 5)
        alone = await _p95_of_others(session, SECONDS)
        async with _flooding(session) as taken:
            beside = await _p95_of_others(session, SECONDS)
        await _all_accounted_for(session)
    return alone, beside, len(taken)


async def _p95_of_others(session: aiohttp.ClientSession, seconds: int) -> float:
    """Each message by another person than the one before, begun on time however long earlier ones take."""
    started, texts = time.monotonic(), cycle(_TALK)
    turns = []
    for number in range(seconds * PER_SECOND):
        await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.monotonic()))
        turns.append(asyncio.create_task(_turn(session, next(texts))))
    return statistics.quantiles(await asyncio.gather(*turns), n=20)[-1]


async def _turn(session: aiohttp.ClientSession, text: str) -> float:
    started = time.perf_counter()
    body = {"sender": f"lain-{uuid.uuid4().hex[:12]}", "text": text}
    async with session.post("/simulator/messages", json=body) as answer:
        assert answer.status == 200, await answer.text()
        assert (await answer.json())["replies"]
    return time.perf_counter() - started


@contextlib.asynccontextmanager
async def _flooding(session: aiohttp.ClientSession) -> AsyncIterator[list[str]]:
    """The ids that were taken so far."""
    taken: list[str] = []
    pouring = asyncio.create_task(_pour(session, taken))
    try:
        yield taken
    finally:
        pouring.cancel()
        await asyncio.gather(pouring, return_exceptions=True)


async def _pour(session: aiohttp.ClientSession, taken: list[str]) -> None:
    started = time.monotonic()
    async with asyncio.TaskGroup() as posts:
        for number in range(FLOOD * SECONDS * 2):
            await asyncio.sleep(max(0.0, started + number / FLOOD - time.monotonic()))
            posts.create_task(_post(session, f"wamid.banjir{number}", taken))


async def _post(session: aiohttp.ClientSession, identifier: str, taken: list[str]) -> None:
    """As Meta does."""
    now = str(int(time.time()))
    message = {
        "from": "6281234500001",
        "id": identifier,
        "timestamp": now,
        "type": "text",
        "text": {"body": "ktp hilang"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"wa_id": "6281234500001", "profile": {"name": "Banjir"}}],
        "messages": [message],
    }
    raw = json.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}).encode()
    signature = "sha256=" + hmac.new(APP_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    async with session.post("/webhooks/whatsapp", data=raw, headers=headers) as answer:
        assert answer.status == 200
        taken.append(identifier)


async def _all_accounted_for(session: aiohttp.ClientSession) -> None:
    """The last of the flood is answered within its pause; the others were passed over, and nothing waits."""
    async with asyncio.timeout(120):
        while True:
            async with session.get("/metrics") as answer:
                lines = (await answer.text()).splitlines()
            if "praja_inbox_backlog 0.0" in lines:
                return
            await asyncio.sleep(1)
