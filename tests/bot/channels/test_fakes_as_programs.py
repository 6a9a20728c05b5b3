"""The fakes as a person or another process drives them: started by `python -m`, told what to do over `/_control/`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.channel import Address, Outgoing, SendFailed, SendFailure
from bot.channels.telegram import Telegram, TelegramSettings
from bot.channels.whatsapp import WhatsApp, WhatsAppSettings

_ROOT = Path(__file__).parents[3]


class Driver:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def order(self, action: str, **order: Any) -> None:
        async with self.session.post(f"{self.url}/_control/{action}", json=order) as response:
            assert response.status == 200, await response.text()

    async def messages(self) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/_control/messages") as response:
            return list((await response.json())["messages"])


@asynccontextmanager
async def _program(name: str, port: int) -> AsyncIterator[Driver]:
    arguments = ("-u", "-m", f"tests.fakes.{name}", "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            assert b"Running on" in await process.stdout.readline()
            yield Driver(f"http://127.0.0.1:{port}", session)
    finally:
        process.terminate()
        await process.communicate()


_CHOICES = [("41:0", "Ya"), ("41:1", "Tidak")]


async def test_whatsapp(unused_tcp_port: int) -> None:
    async with _program("whatsapp", unused_tcp_port) as driver:
        settings = WhatsAppSettings("token-uji", "100000000000001", "rahasia-uji", "verifikasi-uji", driver.url)
        channel = WhatsApp(settings, driver.session)
        citizen = [Address("phone", "+6281234500001")]
        await driver.order("say", **{"from": "+6281234500001", "text": "halo"})
        await channel.send(citizen, Outgoing("benar?", _CHOICES))
        (shown,) = await driver.messages()
        assert (shown["text"], shown["choices"]) == ("benar?", [{"id": id_, "title": title} for id_, title in _CHOICES])
        await driver.order("tap", **{"from": "+6281234500001", "title": "Tidak"})
        await driver.order("photo", data="/9g=", caption="KK saya")
        await driver.order("fail", code=131056)
        with pytest.raises(SendFailed) as caught:
            await channel.send(citizen, Outgoing("halo"))
        assert caught.value.failure is SendFailure.RETRY


async def test_telegram(unused_tcp_port: int) -> None:
    async with _program("telegram", unused_tcp_port) as driver:
        channel = Telegram(TelegramSettings("7001:token-uji", driver.url))
        await driver.order("say", **{"from": 5001, "text": "halo"})
        await channel.send([Address("chat", "5001")], Outgoing("benar?", _CHOICES))
        (shown,) = await driver.messages()
        assert (shown["text"], shown["choices"]) == ("benar?", [{"id": id_, "title": title} for id_, title in _CHOICES])
        await driver.order("tap", **{"from": 5001, "index": 1})
        await driver.order("photo", data="/9g=", caption="KK saya")
        await driver.order("fail", code=403, description="Forbidden: bot was blocked by the user")
        with pytest.raises(SendFailed) as caught:
            await channel.send([Address("chat", "5001")], Outgoing("halo"))
        assert caught.value.failure is SendFailure.RECIPIENT
        await channel.close()
