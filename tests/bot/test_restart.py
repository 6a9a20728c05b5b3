"""A killed process loses nothing, and its successor doesn't wait for the leases it held."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.bot.conftest import DATA, Room
from tests.bot.fakes import update
from tests.fakes.rasa import TOKEN, FakeRasa

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.channels.whatsapp import WhatsAppSettings
from bot.server import BotSettings, serve

database, rasa, token, data = sys.argv[1:]
asyncio.run(serve(BotSettings(
    database_url=database, secret_key="kunci-uji", data=Path(data), host="127.0.0.1", port=0, production=False,
    rasa_urls=[rasa], rasa_token=token, backend_url="http://127.0.0.1:9", backend_webhook_secret="r",
    actions_url="http://127.0.0.1:9",
    whatsapp=WhatsAppSettings("t", "1", "r", "v", api_url="http://127.0.0.1:9"),
), {"worker"}))
"""


async def _worker(room: Room, rasa: FakeRasa) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, room.url, rasa.url, TOKEN, str(DATA), cwd=Path(__file__).parents[2]
    )


def _message(text: str) -> dict[str, object]:
    """As the real adapter of WhatsApp reads it, since the process under test has that one."""
    message = {"from": "6281234567890", "id": text, "timestamp": "9999999999", "type": "text", "text": {"body": text}}
    return {"field": "messages", "value": {"metadata": {"phone_number_id": "1"}, "messages": [message]}}


async def test_a_worker_killed_in_mid_turn_is_replaced_at_once(room: Room, rasa: FakeRasa) -> None:
    first = update("m1")
    await room.receive(type(first)(first.external_id, first.sender, None, _message("halo")))
    rasa.delay = 60
    worker = await _worker(room, rasa)
    await room.until(lambda: rasa.requests == 1, 30)
    worker.kill()
    await worker.wait()
    rasa.delay = 0
    successor = await _worker(room, rasa)

    async def answered() -> bool:
        return bool(await room.value("SELECT outcome IS NOT DISTINCT FROM 'answered' FROM bot.inbox"))

    await room.until(answered, 20)
    successor.terminate()
    assert await asyncio.wait_for(successor.wait(), 10) == 0
    assert await room.rows("SELECT count(*) FROM bot.outbox") == [(1,)]
