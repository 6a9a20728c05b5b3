"""A killed process loses nothing that it has answered 200 for, and its successor doesn't wait for the leases it held."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp

from bot.channels.whatsapp import WhatsAppSettings
from bot.server import BotSettings
from tests.bot.conftest import DATA
from tests.bot.outside import APP_SECRET, bot_running
from tests.fakes.rasa import TOKEN, FakeRasa
from tests.fakes.whatsapp import FakeWhatsApp

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.channels.whatsapp import WhatsAppSettings
from bot.server import BotSettings, serve

database, rasa, token, data, port, secret, number = sys.argv[1:]
asyncio.run(serve(BotSettings(
    database_url=database, secret_key="kunci-uji", data=Path(data), host="127.0.0.1", port=int(port), production=False,
    rasa_urls=[rasa], rasa_token=token, backend_url="http://127.0.0.1:9", backend_webhook_secret="r",
    actions_url="http://127.0.0.1:9",
    whatsapp=WhatsAppSettings("t", number, secret, "v", api_url="http://127.0.0.1:9"),
)))
"""


async def _process(settings: BotSettings, meta: FakeWhatsApp, rasa: FakeRasa) -> asyncio.subprocess.Process:
    """The whole room, once it answers."""
    arguments = (settings.database_url, rasa.url, TOKEN, str(DATA), str(settings.port), APP_SECRET)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, *arguments, meta.phone_number_id, cwd=Path(__file__).parents[2]
    )
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{settings.port}/healthz"):
                    return process
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def test_a_message_survives_the_death_of_the_process_that_took_it(
    settings: BotSettings, meta: FakeWhatsApp, rasa: FakeRasa
) -> None:
    rasa.delay = 60
    process = await _process(settings, meta, rasa)
    await meta.say("halo")
    async with asyncio.timeout(60):
        await rasa.asked.wait()
    process.kill()
    await process.wait()
    rasa.delay = 0
    whatsapp = WhatsAppSettings(meta.token, meta.phone_number_id, APP_SECRET, "v", api_url=meta.url)
    async with bot_running(replace(settings, telegram=None, whatsapp=whatsapp)) as successor:
        await meta.wait_messages()
        await successor.until(successor.idle)
    assert [sent.text for sent in meta.messages] == ["Jawaban: halo"]
    assert rasa.texts() == ["halo"]


async def test_a_process_ends_when_it_is_told_to(settings: BotSettings, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    process = await _process(settings, meta, rasa)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 60) == 0
