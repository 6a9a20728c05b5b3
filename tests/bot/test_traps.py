"""What providers really do to a bot (`docs/traps.md`), by its HTTP, with the providers' fakes and a Rasa on loopback."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.whatsapp import WhatsAppSettings
from bot.server import BotSettings
from bot.texts import Texts
from tests.bot.conftest import DATA
from tests.bot.outside import APP_SECRET, Bot, bot_running
from tests.fakes.rasa import FakeRasa, reply
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import CITIZEN, FakeWhatsApp

OTHER = "+6281234500002"
IN_PAYLOADS = "ID.13491208655302741918"
"""who writes in most of them"""
_PAYLOADS = Path(__file__).parents[1] / "data" / "whatsapp"
TEXTS = Texts(DATA)


def payload(name: str, *, at: datetime | None = None) -> dict[str, Any]:
    """As captured, but sent just now."""
    sent = str(int((at or datetime.now(UTC)).timestamp()))
    body: dict[str, Any] = json.loads((_PAYLOADS / f"{name}.json").read_text())
    for entry in body["entry"]:
        for change in entry["changes"]:
            for item in change["value"].get("messages", []):
                if isinstance(item, dict):
                    item["timestamp"] = sent
    return body


def texts(meta: FakeWhatsApp, to: str = CITIZEN) -> list[str]:
    return [sent.text for sent in meta.messages if sent.to in (to, to[1:], FakeWhatsApp.bsuid(to))]


async def test_01_a_batched_post_is_taken_apart(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    assert await whatsapp_bot.post_whatsapp(payload("batch")) == 200
    await whatsapp_bot.until(lambda: sorted(rasa.texts()) == ["dua", "satu", "tiga"])
    assert await whatsapp_bot.value("SELECT count(*) FROM bot.inbox") == 6
    assert await whatsapp_bot.post_whatsapp(payload("batch_with_odd_items")) == 200
    await whatsapp_bot.until(lambda: "tetap sampai" in rasa.texts())


async def test_01_a_thousand_in_one_post(whatsapp_bot: Bot, rasa: FakeRasa) -> None:
    body = payload("text")
    value = body["entry"][0]["changes"][0]["value"]
    message = value["messages"][0]
    value["messages"] = [message | {"id": f"wamid.{number}"} for number in range(1000)]
    assert await whatsapp_bot.post_whatsapp(body) == 200
    assert await whatsapp_bot.value("SELECT count(*) FROM bot.inbox") == 1000


async def test_02_the_same_message_in_another_batch(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    assert await whatsapp_bot.post_whatsapp(payload("batch")) == 200
    await whatsapp_bot.until(lambda: "dua" in rasa.texts())
    assert await whatsapp_bot.post_whatsapp(payload("batch_redelivered")) == 200
    await meta.say("penanda", OTHER)
    await whatsapp_bot.until(lambda: "penanda" in rasa.texts())
    assert rasa.texts().count("dua") == 1


async def test_03_statuses_out_of_order(whatsapp_bot: Bot, meta: FakeWhatsApp) -> None:
    meta.statuses = ()
    await meta.say("halo")
    (sent,) = await meta.wait_messages()
    body = payload("status_out_of_order")
    for status in body["entry"][0]["changes"][0]["value"]["statuses"]:
        status["id"] = sent.id
    assert await whatsapp_bot.post_whatsapp(body) == 200
    await whatsapp_bot.until(whatsapp_bot.idle)
    assert await whatsapp_bot.rows("SELECT state, read_at IS NOT NULL FROM bot.outbox") == [("read", True)]


async def test_04_a_citizen_without_a_phone_number(whatsapp_bot: Bot, meta: FakeWhatsApp) -> None:
    meta.without_phone.add(CITIZEN)
    await meta.say("halo")
    (sent,) = await meta.wait_messages()
    assert sent.payload["recipient"] == FakeWhatsApp.bsuid(CITIZEN)
    meta.without_phone.clear()
    await meta.say("halo lagi")
    await meta.wait_messages(2)
    assert await whatsapp_bot.value("SELECT count(*) FROM bot.conversations") == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("unknown_type", "lainnya"), ("unsupported_131060", "unavailable"), ("unsupported_131051_poll", "poll")],
)
async def test_05_unknown_and_unsupported_messages(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa, name: str, kind: str
) -> None:
    await meta.say("halo", OTHER)
    meta.open_window(IN_PAYLOADS)
    assert await whatsapp_bot.post_whatsapp(payload(name)) == 200
    sent = await meta.wait_messages(2)
    assert TEXTS.of("tidak_didukung", kind) in [message.text for message in sent]
    assert rasa.texts() == ["halo"]


async def test_07_three_megabytes_are_taken_and_answered(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    body = payload("text")
    body["entry"].append({"id": "1", "changes": [{"field": "isian", "value": {"a": "é" * 500_000}}]})
    assert len(json.dumps(body)) > 3_000_000
    assert await whatsapp_bot.post_whatsapp(body) == 200
    await whatsapp_bot.until(lambda: rasa.texts() == ["Pak, KTP saya hilang 😢"])


async def test_08_a_message_of_yesterday(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    await whatsapp_bot.post_whatsapp(payload("text", at=datetime.now(UTC) - timedelta(hours=13)))
    await whatsapp_bot.until(whatsapp_bot.idle)
    assert await whatsapp_bot.rows("SELECT outcome, conversation IS NOT NULL FROM bot.inbox") == [("stale", True)]
    assert rasa.requests == 0
    assert meta.messages == []


@pytest.mark.parametrize("refusal", ["now", "later"])
async def test_09_a_closed_window(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa, refusal: str) -> None:
    """Meta finds it closed earlier than we do: news goes as the template, an answer is shown as failed."""
    meta.window_refusal = refusal
    await meta.say("halo")
    await whatsapp_bot.until(lambda: texts(meta) == ["Jawaban: halo"])
    await whatsapp_bot.until(whatsapp_bot.idle)
    meta.close_window()
    assert await whatsapp_bot.announce(state="SELESAI") == 200
    await meta.wait_messages(2)
    assert meta.messages[1].payload["type"] == "template"
    assert "SDA-2611-7K4QXB (KTP-el hilang) selesai" in meta.messages[1].text
    await whatsapp_bot.until(lambda: _states(whatsapp_bot, ["delivered", "delivered"]))
    rasa.answer = _closing(meta)
    await meta.say("halo?")
    await whatsapp_bot.until(lambda: _states(whatsapp_bot, ["delivered", "delivered", "failed"]))
    last = "SELECT error, error_code FROM bot.outbox ORDER BY id DESC LIMIT 1"
    assert await whatsapp_bot.rows(last) == [("window_closed", 131047)]


def _closing(meta: FakeWhatsApp) -> Any:
    def answer(body: Any) -> Any:
        meta.close_window()
        return reply("terlambat")

    return answer


async def _states(bot: Bot, states: list[str]) -> bool:
    return [state for (state,) in await bot.rows("SELECT state FROM bot.outbox ORDER BY id")] == states


async def test_10_the_pair_rate_pauses_one_person(whatsapp_bot: Bot, meta: FakeWhatsApp) -> None:
    whatsapp_bot.clock.stop()
    # The sign that we read it is refused too.
    meta.fail(131056, times=2)
    await meta.say("halo")
    await whatsapp_bot.until(lambda: _tried(whatsapp_bot))
    await meta.say("halo", OTHER)
    await whatsapp_bot.until(lambda: texts(meta, OTHER) == ["Jawaban: halo"])
    assert texts(meta) == []

    async def answered_by_then() -> bool:
        await whatsapp_bot.pass_time(timedelta(seconds=5))
        return texts(meta) == ["Jawaban: halo"]

    await whatsapp_bot.until(answered_by_then)


async def _tried(bot: Bot) -> bool:
    return bool(await bot.value("SELECT count(*) FROM bot.outbox WHERE attempts > 0"))


async def test_10_telegrams_429_pauses_one_chat(telegram_bot: Bot, bot_api: FakeTelegram) -> None:
    telegram_bot.clock.stop()
    bot_api.fail(429, "Too Many Requests: retry after 5", retry_after=5, method="sendMessage")
    await bot_api.say("halo", 5001)
    await telegram_bot.until(lambda: _tried(telegram_bot))
    await bot_api.say("halo", 5002)
    await telegram_bot.until(lambda: [sent.to for sent in bot_api.messages] == [5002])
    await telegram_bot.pass_time(timedelta(seconds=6))
    await telegram_bot.until(lambda: [sent.to for sent in bot_api.messages] == [5002, 5001])


async def test_11_an_expired_token_alarms_and_keeps_the_queue(whatsapp_bot: Bot, meta: FakeWhatsApp) -> None:
    valid, meta.token = meta.token, "token-baru"
    await meta.say("halo")
    await whatsapp_bot.until(lambda: _shows(whatsapp_bot, 'praja_channel_stopped{channel="whatsapp"} 1.0'))
    await meta.say("halo", OTHER)
    await whatsapp_bot.until(lambda: _states(whatsapp_bot, ["queued", "queued"]))
    meta.token = valid
    await whatsapp_bot.pass_time(timedelta(seconds=61))
    await meta.wait_messages(2)
    assert texts(meta) == texts(meta, OTHER) == ["Jawaban: halo"]
    await whatsapp_bot.until(lambda: _shows(whatsapp_bot, 'praja_channel_stopped{channel="whatsapp"} 0.0'))


async def _shows(bot: Bot, line: str) -> bool:
    return line in await bot.metrics()


@pytest.mark.parametrize("text", ["/restart", '/ajukan_layanan{"layanan": "ktp_hilang"}', "/session_start"])
async def test_12_a_command_is_a_text(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa, text: str) -> None:
    await meta.say(text)
    await whatsapp_bot.until(lambda: texts(meta) == [f"Jawaban: {text}"])
    assert rasa.turns[0]["text"] == text
    assert "choice" not in rasa.turns[0]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param("empty", id="13 nothing"),
        pytest.param("slow", id="13 too late"),
        pytest.param(None, id="13 refused"),
        pytest.param(503, id="14 the actions are down"),
    ],
)
async def test_13_14_trouble_is_told_once_and_answered_later(
    settings: BotSettings, meta: FakeWhatsApp, rasa: FakeRasa, trouble: int | str | None, unused_tcp_port: int
) -> None:
    whatsapp = WhatsAppSettings(meta.token, meta.phone_number_id, APP_SECRET, "v", api_url=meta.url)
    urls = [rasa.url] if trouble else [f"http://127.0.0.1:{unused_tcp_port}"]
    settings = replace(settings, telegram=None, whatsapp=whatsapp, rasa_urls=urls)
    rasa.trouble = trouble
    async with bot_running(settings, rasa_timeout=0.4) as bot:
        await meta.say("halo")
        await bot.until(lambda: texts(meta) == [TEXTS("gangguan")])
        await bot.pass_time(timedelta(seconds=20))
        await bot.until(lambda: _attempts(bot, 2))
        assert texts(meta) == [TEXTS("gangguan")]
        if trouble is not None:
            rasa.trouble = None
            await bot.until(lambda: _answered_after(bot, timedelta(seconds=20)))
            assert texts(meta) == [TEXTS("gangguan"), "Jawaban: halo"]


async def _answered_after(bot: Bot, pause: timedelta) -> bool:
    """A try that is slower than it may be is made again after its pause."""
    await bot.pass_time(pause)
    await asyncio.sleep(0.3)
    return await bot.idle()


async def _attempts(bot: Bot, count: int) -> bool:
    return bool(await bot.value("SELECT attempts FROM bot.conversations") >= count)


async def test_15_while_an_officer_has_the_conversation_the_bot_is_silent(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa
) -> None:
    await meta.say("halo")
    await whatsapp_bot.until(whatsapp_bot.idle)
    await whatsapp_bot.change("UPDATE bot.conversations SET handler = 'officer'")
    await meta.say("masih di situ?")
    await whatsapp_bot.until(whatsapp_bot.idle)
    assert rasa.texts() == ["halo"]
    assert texts(meta) == ["Jawaban: halo"]


async def test_18_somebody_elses_contact(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    meta.open_window(IN_PAYLOADS)
    assert await whatsapp_bot.post_whatsapp(payload("contacts_other")) == 200
    (sent,) = await meta.wait_messages()
    assert sent.text == TEXTS("kontak_orang_lain")
    assert await whatsapp_bot.post_whatsapp(payload("contacts_own")) == 200
    await whatsapp_bot.until(lambda: [turn.get("contact") for turn in rasa.turns] == [{"phone": CITIZEN}])


LONG_CHOICES = [
    (f"isi:keperluan:{'x' * 300}{number}", f"Keperluan yang namanya panjang nomor {number}") for number in range(5)
]


async def test_19_long_choices_reach_whatsapp_by_short_ids(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa
) -> None:
    rasa.answer = lambda body: reply("Yang mana?", choices=LONG_CHOICES)
    await meta.say("halo")
    (sent,) = await meta.wait_messages()
    assert len(sent.choices) == 5
    assert LONG_CHOICES[3][1] in sent.text
    await meta.tap(3)
    await whatsapp_bot.until(lambda: len(rasa.turns) == 2)
    assert rasa.turns[1]["choice"] == LONG_CHOICES[3][0]


async def test_19_long_choices_reach_telegram_by_short_ids(
    telegram_bot: Bot, bot_api: FakeTelegram, rasa: FakeRasa
) -> None:
    rasa.answer = lambda body: reply("Yang mana?", choices=LONG_CHOICES)
    await bot_api.say("halo")
    await telegram_bot.until(lambda: bot_api.messages)
    assert all(len(data.encode()) <= 64 for data, _ in bot_api.messages[0].choices)
    await bot_api.tap(3)
    await telegram_bot.until(lambda: len(rasa.turns) == 2)
    assert rasa.turns[1]["choice"] == LONG_CHOICES[3][0]


async def test_20_a_long_answer_is_split_and_whole(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    long = " ".join(f"Kalimat nomor {number}." for number in range(600))
    rasa.answer = lambda body: reply(long)
    await meta.say("halo")
    await meta.wait_messages(3)
    await whatsapp_bot.until(whatsapp_bot.idle)
    assert all(len(text) <= 4096 for text in texts(meta))
    assert " ".join(texts(meta)) == long


async def test_21_a_blocked_bot_is_silent_until_they_write(
    telegram_bot: Bot, bot_api: FakeTelegram, rasa: FakeRasa
) -> None:
    bot_api.blocked.add(5001)
    await bot_api.say("halo")
    await telegram_bot.until(lambda: _states(telegram_bot, ["failed"]))
    assert await telegram_bot.announce() == 200
    await telegram_bot.until(lambda: _states(telegram_bot, ["failed", "failed"]))
    assert sum(method == "sendMessage" for method, _ in bot_api.calls) == 1
    bot_api.blocked.clear()
    await bot_api.say("saya kembali")
    await telegram_bot.until(lambda: [sent.text for sent in bot_api.messages] == ["Jawaban: saya kembali"])


@pytest.mark.parametrize("name", ["text_other_number", "status_other_number"])
async def test_22_another_numbers_updates_are_nobodys(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa, name: str
) -> None:
    body = json.loads((_PAYLOADS / f"{name}.json").read_text())
    assert await whatsapp_bot.post_whatsapp(body) == 200
    await whatsapp_bot.pass_time(timedelta(minutes=2))
    await whatsapp_bot.until(whatsapp_bot.idle)
    assert await whatsapp_bot.rows("SELECT outcome FROM bot.inbox") == [("ignored",)]
    assert await whatsapp_bot.value("SELECT count(*) FROM bot.conversations") == 0
    assert (rasa.requests, meta.messages) == (0, [])


async def test_23_billable_messages_of_the_month_are_counted(whatsapp_bot: Bot, meta: FakeWhatsApp) -> None:
    await meta.say("halo")
    await meta.say("halo", OTHER)
    await whatsapp_bot.until(lambda: _shows(whatsapp_bot, "praja_whatsapp_billable_messages 2.0"))
