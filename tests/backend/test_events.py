"""The bot is told of every step, in order, until it takes it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime

import psycopg
from aiohttp.test_utils import TestClient, TestServer

from backend.server import BackendSettings, create_app
from tests.backend.conftest import CONTACT, Bot, Client, Clock, failed_attempts
from tests.backend.contract import check_shape
from tests.backend.test_transitions import KK


async def test_each_step_is_told_signed_and_at_once(channel: Client, officer: Client, bot: Bot) -> None:
    number = (await channel.file())["number"]
    await bot.events(1)
    await officer.move(number, "DIPROSES", note=None)
    await officer.move(number, "PERLU_PERBAIKAN", note="lihat catatan", fix=KK)
    events = await bot.events(3)
    assert [event["state"] for event in events] == ["MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN"]
    event = events[-1]
    check_shape("Event", event)
    assert (event["number"], event["contact"], event["note"], event["fix"]) == (number, CONTACT, "lihat catatan", KK)
    assert len({event["event_id"] for event in events}) == 3
    headers, body = bot.requests[-1]
    signature = hmac.new(b"webhook-secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Praja-Signature"] == f"sha256={signature}"


async def test_an_event_comes_again_until_it_is_taken_and_later_ones_wait(
    settings: BackendSettings, channel: Client, officer: Client, bot: Bot, clock: Clock
) -> None:
    bot.answers = [500, 302, 404]
    number = (await channel.file())["number"]
    other = (await channel.file(contact="other"))["number"]
    await bot.events(2)
    await officer.move(number, "DIPROSES")
    for waited, count in ((2, 3), (4, 5)):
        await failed_attempts(settings, clock, "chronology")
        clock.advance(seconds=waited)
        await bot.events(count)
    clock.advance(seconds=8)
    events = await bot.events(6)
    await asyncio.sleep(0.2)
    of_number = [event for event in events if event["number"] == number]
    states = [event["state"] for event in of_number]
    assert states == sorted(states, reverse=True), "MENUNGGU until it is taken, then DIPROSES"
    assert states[-1] == "DIPROSES"
    assert len({event["event_id"] for event in of_number}) == 2
    assert other in {event["number"] for event in events}, "one filing's trouble holds up no other"
    assert len(bot.requests) == 6


async def failed_attempt(settings: BackendSettings, clock: Clock) -> tuple[datetime, float]:
    """When the next is due, once the last is no longer claimed."""
    await failed_attempts(settings, clock, "chronology")
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        row = connection.execute("SELECT next_attempt_at FROM backend.chronology").fetchone()
    assert row is not None
    return row[0], (row[0] - clock()).total_seconds()


async def test_pauses_grow_to_ten_minutes(settings: BackendSettings, channel: Client, bot: Bot, clock: Clock) -> None:
    bot.answers = [500] * 12
    await channel.file()
    pauses = []
    for count in range(1, 13):
        await bot.events(count)
        clock.now, pause = await failed_attempt(settings, clock)
        pauses.append(pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


async def test_what_was_not_told_before_a_restart_is_told_after(
    settings: BackendSettings, clock: Clock, bot: Bot
) -> None:
    deaf = replace(settings, webhook_url="http://127.0.0.1:1/webhooks/backend")
    async with TestClient(TestServer(create_app(deaf, clock))) as client:
        number = (await Client(client, "channel-token").file())["number"]
        await Client(client, "officer-token").move(number, "DIPROSES")
        await asyncio.sleep(0.2)
    assert bot.requests == []
    clock.advance(minutes=10)
    async with TestClient(TestServer(create_app(settings, clock))):
        assert [event["state"] for event in await bot.events(2)] == ["MENUNGGU", "DIPROSES"]


async def test_several_processes_tell_each_event_once(settings: BackendSettings, clock: Clock, bot: Bot) -> None:
    async with (
        TestClient(TestServer(create_app(settings, clock))) as one,
        TestClient(TestServer(create_app(settings, clock))),
        TestClient(TestServer(create_app(settings, clock))),
    ):
        channel = Client(one, "channel-token")
        filings = await asyncio.gather(*(channel.file(contact=f"contact-{index}") for index in range(10)))
        await bot.events(10)
        await asyncio.sleep(0.7)
    told = [event["number"] for event in await bot.events(10)]
    assert sorted(told) == sorted(filing["number"] for filing in filings)
