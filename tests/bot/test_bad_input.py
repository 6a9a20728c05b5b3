"""What people and machines really send: a clear answer in Indonesian or a clean refusal, and nothing half-stored."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from typing import Any

import pytest

from bot.texts import Texts
from tests.bot.conftest import DATA
from tests.bot.outside import Bot
from tests.fakes.rasa import TOKEN, FakeRasa
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp

TEXTS = Texts(DATA)
ODD_TEXTS = [
    pytest.param("😀😀😀", "😀😀😀", id="emoji only"),
    pytest.param("مرحبا أريد بطاقة \u202eabc", "مرحبا أريد بطاقة \u202eabc", id="right to left"),
    pytest.param("ktp\0 hilang\0", "ktp hilang", id="NUL"),
    pytest.param("buruk \ud800 sekali \udc00", "buruk � sekali �", id="lone surrogates"),
    pytest.param("\\u0000 \\\\", "\\u0000 \\\\", id="backslashes"),
    pytest.param("'; DROP TABLE bot.inbox; --", "'; DROP TABLE bot.inbox; --", id="SQL"),
]
ODD_WITHOUT_RASA = [
    pytest.param("a" * 5000, TEXTS("terlalu_panjang", huruf=4096), id="5000 characters"),
    pytest.param(" \0 \n", TEXTS("pesan_kosong"), id="nothing"),
]


async def _nothing_stored(bot: Bot) -> bool:
    counts = [await bot.value(f"SELECT count(*) FROM bot.{table}") for table in ("inbox", "conversations", "addresses")]
    return counts == [0, 0, 0]


@pytest.mark.parametrize(("text", "read"), ODD_TEXTS)
async def test_odd_texts_by_whatsapp(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa, text: str, read: str
) -> None:
    await meta.say(text)
    await meta.wait_messages()
    assert rasa.texts() == [read]
    assert meta.messages[0].text == f"Jawaban: {read}"


@pytest.mark.parametrize(("text", "read"), ODD_TEXTS)
async def test_odd_texts_by_telegram(
    telegram_bot: Bot, bot_api: FakeTelegram, rasa: FakeRasa, text: str, read: str
) -> None:
    await bot_api.say(text)
    await bot_api.wait_messages()
    assert rasa.texts() == [read]
    assert bot_api.messages[0].text == f"Jawaban: {read}"


@pytest.mark.parametrize(("text", "read"), ODD_TEXTS)
async def test_odd_texts_by_the_simulator(bot: Bot, rasa: FakeRasa, text: str, read: str) -> None:
    (shown,) = await bot.say(f"hp-{text}", text=text)
    assert shown["text"] == f"Jawaban: {read}"
    assert len(await bot.later(f"hp-{read}")) == 1


@pytest.mark.parametrize(("text", "answer"), ODD_WITHOUT_RASA)
async def test_texts_that_are_too_long_or_empty(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa, text: str, answer: str
) -> None:
    await meta.say(text)
    await meta.wait_messages()
    (shown,) = await whatsapp_bot.say(text=text)
    assert [shown["text"], meta.messages[0].text] == [answer, answer]
    assert rasa.requests == 0


async def test_odd_characters_anywhere_in_an_update(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    """They get into names of fields, kinds, file names and the reasons we note down; none may hold up what comes after."""
    odd = "\0x\ud800"
    metadata = {"phone_number_id": meta.phone_number_id}
    changes: list[Any] = [
        {"field": odd, "value": {odd: odd}},
        {"field": "messages", "value": {"metadata": metadata, "errors": [{"code": 1, "title": odd}]}},
        {"field": "messages", "value": {"metadata": metadata, "statuses": [{"id": "a", "status": "b", odd: odd}]}},
        odd,
    ]
    assert await whatsapp_bot.post_whatsapp({"entry": [{"id": odd, "changes": changes}]}) == 200
    await meta.receive({"type": odd, odd: {}})
    await meta.wait_messages()
    assert meta.messages[0].text == TEXTS.of("tidak_didukung", "lainnya")
    await meta.send_document(b"isi", f"kk{odd}.pdf", "application/pdf", caption=odd)
    await meta.wait_messages(2)
    assert rasa.turns[0]["file"]["name"] == "kkx�.pdf"
    await whatsapp_bot.until(lambda: _dealt_with(whatsapp_bot, 5))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("image/jpeg", "image/jpeg"),
        ("image/jpeg\r\nX-Evil: 1", "application/octet-stream"),
        ("\ud800/x", "application/octet-stream"),
        ("a/" + "b" * 150, "application/octet-stream"),
    ],
)
async def test_a_file_of_an_odd_type_can_be_fetched(bot: Bot, rasa: FakeRasa, told: str, kept: str) -> None:
    data = base64.b64encode(b"isi").decode()
    await bot.say(file={"name": "kk\r\n\0.jpg", "content_type": told, "data": data})
    file = rasa.turns[0]["file"]
    assert file["content_type"] == kept
    async with bot.http.get(file["url"], headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, kept)
        assert "X-Evil" not in response.headers


async def _dealt_with(bot: Bot, count: int) -> bool:
    return bool(await bot.value("SELECT count(*) FROM bot.inbox WHERE answered_at IS NOT NULL") >= count)


@pytest.mark.parametrize("depth", [100, 500, 900, 960, 980, 990, 995, 1500])
async def test_deeply_nested_bodies_are_stored_or_refused(whatsapp_bot: Bot, depth: int) -> None:
    raw = b'{"a":' * depth + b"1" + b"}" * depth
    status = await whatsapp_bot.post_signed(raw)
    assert status in (200, 400)
    assert await whatsapp_bot.value("SELECT count(*) FROM bot.inbox") == (status == 200)
    await whatsapp_bot.until(whatsapp_bot.idle)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b'{"entry": [' + b"9" * 5000 + b"]}", id="a number of 5000 digits"),
        pytest.param(b"null", id="null"),
    ],
)
async def test_malformed_json_leaves_nothing(whatsapp_bot: Bot, raw: bytes) -> None:
    assert await whatsapp_bot.post_signed(raw) == 400
    assert await whatsapp_bot.post("/simulator/messages", raw) == 400
    assert await _nothing_stored(whatsapp_bot)


@pytest.fixture
def telegram_secret() -> dict[str, str]:
    return {"X-Telegram-Bot-Api-Secret-Token": "rahasia"}


async def test_telegrams_door(telegram_bot: Bot, bot_api: FakeTelegram, telegram_secret: dict[str, str]) -> None:
    update = json.dumps({"update_id": 7, "message": 5}).encode()
    assert await telegram_bot.post("/webhooks/telegram", update) == 401
    assert await telegram_bot.post("/webhooks/telegram", update, **{"X-Telegram-Bot-Api-Secret-Token": "salah"}) == 401
    assert await telegram_bot.post("/webhooks/telegram", b"{", **telegram_secret) == 400
    assert await telegram_bot.post("/webhooks/telegram", b" " * (4 * 1024 * 1024 + 1), **telegram_secret) == 413
    assert await _nothing_stored(telegram_bot)
    assert await telegram_bot.post("/webhooks/telegram", update, **telegram_secret) == 200
    await bot_api.say("halo")
    assert (await bot_api.wait_messages())[0].text == "Jawaban: halo"
    await telegram_bot.until(telegram_bot.idle)
    assert await telegram_bot.value("SELECT outcome FROM bot.inbox WHERE external_id = '7'") == "unreadable"


async def test_a_body_that_is_too_large_leaves_nothing(whatsapp_bot: Bot) -> None:
    assert await whatsapp_bot.post_signed(b'{"a":"' + b"a" * (4 * 1024 * 1024) + b'"}') == 413
    assert await _nothing_stored(whatsapp_bot)


async def test_a_body_that_never_ends_leaves_nothing(whatsapp_bot: Bot) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", whatsapp_bot.settings.port, family=socket.AF_INET)
    writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    async with whatsapp_bot.http.get(f"{whatsapp_bot.url}/healthz") as response:
        assert response.status == 200
    assert await _nothing_stored(whatsapp_bot)


async def test_thirty_megabytes_from_a_simulated_phone(bot: Bot, rasa: FakeRasa) -> None:
    data = base64.b64encode(bytes(30 * 1024 * 1024)).decode()
    (shown,) = await bot.say(file={"name": "besar.pdf", "content_type": "application/pdf", "data": data})
    assert shown["text"] == TEXTS("berkas_terlalu_besar", batas=15)
    assert rasa.requests == 0
    assert await bot.value("SELECT max(length(raw)) FROM bot.inbox") < 1000
    assert await bot.value("SELECT count(*) FROM bot.files") == 0


async def test_a_file_over_the_limit_by_whatsapp(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    await meta.send_document(bytes(16 * 1024 * 1024), "besar.pdf", "application/pdf")
    await meta.wait_messages()
    assert meta.messages[0].text == TEXTS("berkas_terlalu_besar", batas=15)
    assert rasa.requests == 0
    assert await whatsapp_bot.value("SELECT count(*) FROM bot.files") == 0
