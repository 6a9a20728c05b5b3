"""Sending to, fetching from and acknowledging at the Bot API: what is shown, and what each refusal means."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from telegram.error import BadRequest, Conflict, NetworkError, TelegramError, TimedOut

from bot.channel import (
    Address,
    Channel,
    ChosenReply,
    FileReference,
    Message,
    Outgoing,
    OutgoingFile,
    SendFailed,
    SendFailure,
)
from bot.channels.telegram import Telegram, TelegramSettings
from bot.channels.telegram.failures import refusal
from tests.fakes.telegram import CITIZEN, FakeTelegram

_CHAT = Address("chat", str(CITIZEN))
_JPEG = OutgoingFile("bukti.jpg", "image/jpeg", b"\xff\xd8" + b"x" * 1000)
_PDF = OutgoingFile("bukti.pdf", "application/pdf", b"%PDF-1.7")


@pytest.fixture(autouse=True)
async def known_chat(bot_api: FakeTelegram) -> None:
    await bot_api.say("halo")
    bot_api.pending.clear()


async def _failure(telegram: Telegram, message: Outgoing | None = None, chat: Address = _CHAT) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await telegram.send([chat], message or Outgoing("halo"))
    return caught.value


def test_it_is_a_channel(telegram: Telegram) -> None:
    channel: Channel = telegram
    assert channel.name == "telegram"


async def test_text(telegram: Telegram, bot_api: FakeTelegram) -> None:
    sent = await telegram.send([Address("phone", "+62812"), _CHAT], Outgoing("https://sidoarjokab.go.id *ini*"))
    (shown,) = bot_api.messages
    assert (shown.to, shown.text, shown.choices) == (CITIZEN, "https://sidoarjokab.go.id *ini*", [])
    assert sent == str(shown.id)
    _, parameters = bot_api.calls[-1]
    assert parameters["link_preview_options"] == '{"is_disabled": true}'


async def test_longest_text(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await telegram.send([_CHAT], Outgoing("x" * telegram.capabilities.text))
    assert len(bot_api.messages[0].text) == 4096
    assert (await _failure(telegram, Outgoing("x" * 4097))).failure is SendFailure.PAYLOAD


async def test_no_address(telegram: Telegram) -> None:
    assert (await _failure(telegram, chat=Address("phone", "+62812"))).failure is SendFailure.RECIPIENT


async def test_choices_come_back(telegram: Telegram, bot_api: FakeTelegram) -> None:
    choices = [(f"123456789012345678:{number}", f"Pilihan yang panjang nomor {number}") for number in range(24)]
    await telegram.send([_CHAT], Outgoing("pilih", choices))
    (shown,) = bot_api.messages
    assert shown.choices == choices
    assert shown.rows == [1] * 24
    await bot_api.tap("Pilihan yang panjang nomor 3")
    (update,) = telegram.split(bot_api.pending[-1])
    assert telegram.parse(update.body) == Message(
        choice=ChosenReply(123456789012345678, 3, "Pilihan yang panjang nomor 3")
    )


async def test_short_titles_share_a_row(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await telegram.send([_CHAT], Outgoing("?", [("41:0", "Ya"), ("41:1", "Tidak"), ("41:2", "Nanti")]))
    assert bot_api.messages[0].rows == [2, 1]


async def test_callback_data_over_64_bytes_is_our_mistake(telegram: Telegram) -> None:
    assert (await _failure(telegram, Outgoing("?", [("x" * 65, "Ya")]))).failure is SendFailure.PAYLOAD


async def test_picture_and_document(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await telegram.send([_CHAT], Outgoing("ini buktinya", [("41:0", "Ya")], file=_JPEG))
    await telegram.send([_CHAT], Outgoing("", file=_PDF))
    picture, document = bot_api.messages
    assert (picture.text, picture.file, picture.choices) == (
        "ini buktinya",
        ("bukti.jpg", _JPEG.content),
        [("41:0", "Ya")],
    )
    assert document.file == ("bukti.pdf", _PDF.content)
    assert [method for method, _ in bot_api.calls] == ["sendPhoto", "sendDocument"]


async def test_a_picture_over_ten_megabytes_goes_as_a_document(telegram: Telegram, bot_api: FakeTelegram) -> None:
    large = OutgoingFile("bukti.jpg", "image/jpeg", b"x" * (10 * 1024 * 1024 + 1))
    await telegram.send([_CHAT], Outgoing("", file=large))
    assert [method for method, _ in bot_api.calls] == ["sendDocument"]


async def test_a_long_caption_follows_its_file(telegram: Telegram, bot_api: FakeTelegram) -> None:
    sent = await telegram.send([_CHAT], Outgoing("x" * 1025, [("41:0", "Ya")], file=_PDF))
    file, text = bot_api.messages
    assert (file.text, file.choices, text.text, text.choices) == ("", [], "x" * 1025, [("41:0", "Ya")])
    assert sent == str(text.id)


async def test_blocked(telegram: Telegram, bot_api: FakeTelegram) -> None:
    bot_api.blocked.add(CITIZEN)
    failed = await _failure(telegram)
    assert (failed.failure, failed.code) == (SendFailure.RECIPIENT, 403)


async def test_unknown_chat(telegram: Telegram) -> None:
    failed = await _failure(telegram, chat=Address("chat", "4999"))
    assert (failed.failure, failed.code) == (SendFailure.RECIPIENT, 400)


@pytest.mark.parametrize(
    ("seconds", "failure"), [(5, SendFailure.RETRY), (60, SendFailure.RETRY), (61, SendFailure.CHANNEL_BUSY)]
)
async def test_flood(telegram: Telegram, bot_api: FakeTelegram, seconds: int, failure: SendFailure) -> None:
    bot_api.fail(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
    failed = await _failure(telegram)
    assert (failed.failure, failed.code, failed.retry_after) == (failure, 429, timedelta(seconds=seconds))
    await telegram.send([_CHAT], Outgoing("halo"))


async def test_a_revoked_token_is_the_operators(telegram: Telegram, bot_api: FakeTelegram) -> None:
    bot_api.token = "7001:baru"
    assert (await _failure(telegram)).failure is SendFailure.OPERATOR


async def test_telegram_in_trouble(telegram: Telegram, bot_api: FakeTelegram) -> None:
    bot_api.fail(502, "Bad Gateway")
    assert (await _failure(telegram)).failure is SendFailure.RETRY


async def test_no_connection_sends_nothing(unused_tcp_port: int) -> None:
    nobody = Telegram(TelegramSettings("7001:t", api_url=f"http://127.0.0.1:{unused_tcp_port}"))
    assert (await _failure(nobody)).failure is SendFailure.RETRY
    await nobody.close()


async def test_a_connection_that_breaks_after_the_message_went_out_may_have_sent_it(unused_tcp_port: int) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", unused_tcp_port):
        cut_off = Telegram(TelegramSettings("7001:t", api_url=f"http://127.0.0.1:{unused_tcp_port}"))
        assert (await _failure(cut_off)).failure is SendFailure.UNKNOWN
        await cut_off.close()


def _caused(error: TelegramError, cause: Exception) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (_caused(TimedOut(), TimeoutError()), SendFailure.UNKNOWN),
        (_caused(TimedOut(), aiohttp.SocketTimeoutError()), SendFailure.UNKNOWN),
        (_caused(TimedOut(), aiohttp.ConnectionTimeoutError()), SendFailure.RETRY),
        (_caused(NetworkError("x"), aiohttp.ServerDisconnectedError()), SendFailure.UNKNOWN),
        (BadRequest("Chat not found"), SendFailure.RECIPIENT),
        (BadRequest("Message is too long"), SendFailure.PAYLOAD),
        (Conflict("x"), SendFailure.OPERATOR),
        (TelegramError("Invalid server response"), SendFailure.UNKNOWN),
    ],
)
def test_what_an_error_means(error: TelegramError, failure: SendFailure) -> None:
    assert refusal(error).failure is failure


async def _received_file(telegram: Telegram, bot_api: FakeTelegram, content: bytes) -> FileReference:
    await bot_api.send_photo(content, caption="KK saya")
    event = telegram.parse(telegram.split(bot_api.pending[-1])[0].body)
    assert isinstance(event, Message)
    assert event.file is not None
    assert (event.file.size, event.file.caption) == (len(content), "KK saya")
    return event.file


async def _no_download(telegram: Telegram, file: FileReference, failure: SendFailure) -> None:
    with pytest.raises(SendFailed) as caught:
        await telegram.download(file)
    assert caught.value.failure is failure


async def test_download(telegram: Telegram, bot_api: FakeTelegram) -> None:
    assert await telegram.download(await _received_file(telegram, bot_api, b"\xff\xd8 foto")) == b"\xff\xd8 foto"


async def test_download_of_what_is_gone_or_too_large(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await _no_download(telegram, FileReference("hilang", "x", "image/jpeg", None), SendFailure.RECIPIENT)
    for size in (16 * 1024 * 1024 + 1, 20 * 1024 * 1024 + 1):
        key = bot_api.add_file(b"x" * size)
        await _no_download(telegram, FileReference(key, "x", "image/jpeg", None), SendFailure.RECIPIENT)


async def test_download_when_telegram_is_in_trouble(telegram: Telegram, bot_api: FakeTelegram) -> None:
    file = await _received_file(telegram, bot_api, b"foto")
    bot_api.fail(502, "Bad Gateway", method="getFile")
    await _no_download(telegram, file, SendFailure.RETRY)
    bot_api.fail(429, "Too Many Requests: retry after 90", retry_after=90, method="getFile")
    await _no_download(telegram, file, SendFailure.RETRY)


async def test_acknowledge_types(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await bot_api.say("halo")
    await telegram.acknowledge(bot_api.pending[-1])
    assert [(method, parameters["chat_id"], parameters["action"]) for method, parameters in bot_api.calls] == [
        ("sendChatAction", str(CITIZEN), "typing")
    ]


async def test_acknowledge_types_nothing_before_an_answer_that_is_there_at_once(
    telegram: Telegram, bot_api: FakeTelegram
) -> None:
    await bot_api.say("halo")
    answered = asyncio.Event()
    acknowledging = asyncio.create_task(telegram.acknowledge(bot_api.pending[-1], answered))
    await asyncio.sleep(0)
    answered.set()
    await acknowledging
    assert bot_api.calls == []
    await telegram.acknowledge(bot_api.pending[-1], asyncio.Event())
    assert [method for method, _ in bot_api.calls] == ["sendChatAction"]


async def test_acknowledge_stops_the_spinner(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await telegram.send([_CHAT], Outgoing("?", [("41:0", "Ya")]))
    await bot_api.tap(0)
    tap = bot_api.pending[-1]
    await telegram.acknowledge(tap)
    assert bot_api.answered == {tap["callback_query"]["id"]}
    await telegram.acknowledge(tap)


async def test_acknowledge_never_raises(telegram: Telegram, bot_api: FakeTelegram) -> None:
    await bot_api.say("halo")
    bot_api.blocked.add(CITIZEN)
    await telegram.acknowledge(bot_api.pending[-1])
    await telegram.acknowledge({"callback_query": 5})
