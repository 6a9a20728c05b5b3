"""A draft that lies unfinished and a filing that is late are told once, in the daytime, while it is true."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from backend.notices import notice
from backend.server import BackendSettings, make_workspace
from tests.backend.conftest import CONTACT, Bot, Client, Clock, failed_attempts
from tests.backend.contract import check_shape

Look = Callable[[], Awaitable[None]]


@pytest.fixture
async def look(settings: BackendSettings, clock: Clock) -> AsyncIterator[Look]:
    """What the server does each minute."""
    workspace = make_workspace(settings, clock)
    yield lambda: notice(workspace)
    await workspace.engine.dispose()


async def told(bot: Bot, kind: str, count: int = 0) -> list[dict[str, Any]]:
    """Once `count` have come, and time enough for whatever else is due has gone by."""
    await bot.events(count, kind)
    await asyncio.sleep(0.8)
    return await bot.events(count, kind)


async def test_a_draft_is_remembered_once_after_a_day(channel: Client, bot: Bot, clock: Clock, look: Look) -> None:
    draft = await channel.open()
    clock.advance(hours=23)
    await channel.answer(draft, "nama", "Siti Nur Aminah")
    clock.advance(hours=23)
    await look()
    assert await told(bot, "draft_reminder") == []
    clock.advance(hours=1)
    for _ in range(2):
        await look()
        (event,) = await told(bot, "draft_reminder", 1)
        clock.advance(days=1)
    check_shape("Notice", event)
    assert (event["contact"], event["service"], event["at"]) == (CONTACT, "surat_uji", "2026-11-26T08:30:00+07:00")
    assert set(event) == {"event_id", "kind", "contact", "service", "at"}
    headers, body = bot.requests[-1]
    signature = hmac.new(b"webhook-secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Praja-Signature"] == f"sha256={signature}"


async def test_nobody_is_woken(channel: Client, bot: Bot, clock: Clock, look: Look) -> None:
    clock.advance(hours=9.5)  # 19.00
    await channel.open()
    clock.advance(days=1)
    await look()
    assert await told(bot, "draft_reminder") == []
    clock.advance(hours=12, minutes=59)
    assert await told(bot, "draft_reminder") == []
    clock.advance(minutes=1)
    assert len(await told(bot, "draft_reminder", 1)) == 1


@pytest.mark.parametrize("end", ["deleted", "submitted", "expired", "went on"])
async def test_what_is_no_longer_so_is_not_told(channel: Client, bot: Bot, clock: Clock, look: Look, end: str) -> None:
    clock.advance(hours=12)
    draft = await channel.open()
    clock.advance(days=1)
    await look()
    match end:
        case "deleted":
            await channel("DELETE", f"/drafts/{draft}")
        case "submitted":
            await channel.fill(draft)
            await channel("POST", f"/drafts/{draft}/submit")
        case "expired":
            clock.advance(days=6)
        case _:
            await channel.answer(draft, "nama", "Siti Nur Aminah")
    clock.advance(hours=12)
    await look()
    assert await told(bot, "draft_reminder") == []


async def test_a_late_filing_is_told_the_day_after(channel: Client, bot: Bot, clock: Clock, look: Look) -> None:
    filing = await channel.file()
    assert filing["due_on"] == "2026-11-30"
    clock.advance(days=6)
    await look()
    assert await told(bot, "overdue") == []
    clock.advance(days=1)
    for _ in range(2):
        await look()
        (event,) = await told(bot, "overdue", 1)
        clock.advance(days=1)
    check_shape("Notice", event)
    assert (event["number"], event["due_on"], event["contact"]) == (filing["number"], "2026-11-30", CONTACT)


@pytest.mark.parametrize("state", ["PERLU_PERBAIKAN", "DITOLAK", "DISETUJUI"])
async def test_only_what_lies_with_the_office_is_late(
    channel: Client, officer: Client, bot: Bot, clock: Clock, look: Look, state: str
) -> None:
    number = (await channel.file())["number"]
    await officer.move(number, "DIPROSES")
    fix = {"fix": [{"document": "kk", "reason": "buram"}]} if state == "PERLU_PERBAIKAN" else {}
    await officer.move(number, state, **fix)
    clock.advance(days=30)
    await look()
    assert await told(bot, "overdue") == []


async def test_it_comes_again_until_it_is_taken(
    settings: BackendSettings, channel: Client, bot: Bot, clock: Clock, look: Look
) -> None:
    await channel.open()
    clock.advance(days=1)
    bot.answers = [500, 500]
    await look()
    for count in (1, 2):
        await bot.events(count)
        await failed_attempts(settings, clock, "notices")
        clock.advance(seconds=30)
    await bot.events(3)
    clock.advance(hours=1)
    events = await told(bot, "draft_reminder")
    assert len(events) == 3
    assert len({event["event_id"] for event in events}) == 1


async def test_it_goes_where_the_draft_went(channel: Client, bot: Bot, clock: Clock, look: Look) -> None:
    draft = await channel.open()
    body = {"contact": "elsewhere", "channel": "whatsapp", "message_id": "m"}
    await channel("POST", f"/drafts/{draft}/contact", json=body)
    clock.advance(days=1)
    await asyncio.gather(look(), look())
    assert [event["contact"] for event in await told(bot, "draft_reminder", 1)] == ["elsewhere"]
