"""The room as a process, seen from outside: webhooks, simulator, files, health and metrics."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.server import ALL_ROLES, BotSettings, running
from praja.ports import free_ports
from tests.bot.outside import APP_SECRET, BACKEND_SECRET, Bot, bot_running, signed
from tests.fakes.rasa import TOKEN, FakeRasa, reply


async def test_the_simulator_waits_for_the_answer(bot: Bot, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply("Yang mana?", choices=[("mulai:ktp_hilang", "KTP hilang")])
    (shown,) = await bot.say(text="mau urus ktp")
    assert shown["text"] == "Yang mana?"
    assert shown["choices"] == [{"id": f"{shown['id']}:0", "title": "KTP hilang"}]
    await bot.say(choice=shown["choices"][0]["id"])
    assert rasa.turns[1]["choice"] == "mulai:ktp_hilang"
    assert [later["id"] for later in await bot.later(after=shown["id"])] == [shown["id"] + 1]
    assert await bot.later("hp-2") == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"location": {"lat": -7.4, "lon": 112.7}}, {"location": {"lat": -7.4, "lon": 112.7}}),
        ({"contact": {"phone": "+628123450000"}}, {"contact": {"phone": "+628123450000"}}),
        ({"text": "/restart"}, {"text": "/restart"}),
    ],
)
async def test_the_simulator_sends_what_a_phone_does(
    bot: Bot, rasa: FakeRasa, content: dict[str, Any], expected: dict[str, Any]
) -> None:
    await bot.say(**content)
    assert expected.items() <= rasa.turns[0].items()
    assert rasa.turns[0]["channel"] == "simulator"


async def test_a_file_is_given_to_whoever_holds_the_token(bot: Bot, rasa: FakeRasa) -> None:
    data = base64.b64encode(b"foto kk").decode()
    await bot.say(file={"name": "kk.jpg", "content_type": "image/jpeg", "data": data}, text="ini KK")
    file = rasa.turns[0]["file"]
    assert file["caption"] == "ini KK"
    for headers, status in [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": "Bearer x"}, 401),
        ({}, 401),
    ]:
        async with bot.http.get(file["url"], headers=headers) as response:
            assert response.status == status
            assert (await response.read() == b"foto kk") == (status == 200)
    for days, status in ((6, 200), (2, 404)):
        bot.clock.advance(timedelta(days=days))
        async with bot.http.get(file["url"], headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            assert response.status == status
    async with bot.http.get(f"{file['url']}0", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "null", "{}", '{"sender": "a"}', '{"sender": "", "text": "a"}', '{"sender": "a", "text": 1}'),
        *('{"sender": "a", "text": "a", "choice": "1:0"}', '{"sender": "a", "location": {"lat": 91, "lon": 0}}'),
        '{"sender": "a", "file": {"name": "a", "content_type": "b", "data": "%"}}',
        "[" * 100_000,
    ],
)
async def test_what_is_not_a_message_is_refused(bot: Bot, body: str) -> None:
    assert await bot.post("/simulator/messages", body.encode()) == 400
    assert await bot.value("SELECT count(*) FROM bot.inbox") == 0


async def test_trouble_shows_at_once_and_the_answer_later(bot: Bot, rasa: FakeRasa) -> None:
    rasa.trouble = 503
    (shown,) = await bot.say(text="halo")
    assert "terganggu" in shown["text"]
    rasa.trouble = None
    await bot.pass_time(timedelta(seconds=20))
    answers = await bot.until_later(shown["id"])
    assert answers[0]["text"] == "Jawaban: halo"


async def test_an_officers_conversation_gets_no_reply_of_the_bot(bot: Bot) -> None:
    await bot.say(text="halo")
    await bot.change("UPDATE bot.conversations SET handler = 'officer'")
    assert await bot.say(text="halo?") == []


async def test_a_document_for_the_citizen_can_be_fetched(bot: Bot, rasa: FakeRasa, backend: str) -> None:
    file = {"url": f"{backend}/hasil.pdf", "name": "hasil.pdf", "content_type": "application/pdf"}
    rasa.answer = lambda body: {**reply(), "replies": [{"text": "Ini hasilnya.", "choices": [], "file": file}]}
    (shown,) = await bot.say(text="mana hasilnya")
    assert shown["file"]["name"] == "hasil.pdf"
    async with bot.http.get(bot.url + shown["file"]["url"], params={"sender": "hp-1"}) as response:
        assert await response.read() == b"%PDF hasil"
    async with bot.http.get(bot.url + shown["file"]["url"], params={"sender": "hp-2"}) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/simulator", "text/html"),
        ("/simulator/simulator.js", "text/javascript"),
        ("/simulator/simulator.css", "text/css"),
    ],
)
async def test_the_page_is_served_under_a_strict_policy(bot: Bot, path: str, kind: str) -> None:
    async with bot.http.get(bot.url + path) as response:
        assert response.status == 200
        assert response.content_type == kind
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]


async def test_the_page_holds_no_inline_code(bot: Bot) -> None:
    async with bot.http.get(f"{bot.url}/simulator") as response:
        page = await response.text()
    assert "style=" not in page
    assert "<style" not in page
    assert " onclick" not in page


async def test_in_production_there_is_no_simulator(settings: BotSettings) -> None:
    async with bot_running(replace(settings, telegram=None, production=True)) as bot:
        async with bot.http.get(f"{bot.url}/simulator") as response:
            assert response.status == 404
        assert await bot.post("/simulator/messages", b"{}") == 404


async def test_whatsapp_is_verified_over_the_raw_body_and_stored_before_anything(bot: Bot) -> None:
    raw = b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"\\u00e9","value":{}}]}]}'
    assert await bot.post("/webhooks/whatsapp", raw) == 401
    for header in ("sha256=00", "", signed(raw + b" ", APP_SECRET), signed(raw, "lain")):
        assert await bot.post("/webhooks/whatsapp", raw, **{"X-Hub-Signature-256": header}) == 401
    assert await bot.value("SELECT count(*) FROM bot.inbox") == 0
    assert await bot.post("/webhooks/whatsapp", raw, **{"X-Hub-Signature-256": signed(raw, APP_SECRET)}) == 200
    assert await bot.value("SELECT count(*) FROM bot.inbox") == 1


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"1", b'"a"', b"\xff", b"[" * 100_000])
async def test_a_signed_body_that_is_no_object_is_refused(bot: Bot, raw: bytes) -> None:
    assert await bot.post("/webhooks/whatsapp", raw, **{"X-Hub-Signature-256": signed(raw, APP_SECRET)}) == 400
    assert await bot.value("SELECT count(*) FROM bot.inbox") == 0


async def test_a_body_of_three_megabytes_is_taken_and_of_five_is_not(bot: Bot) -> None:
    for megabytes, status in [(3, 200), (5, 413)]:
        raw = json.dumps({"object": "x", "entry": [], "padding": "a" * megabytes * 1024 * 1024}).encode()
        assert await bot.post("/webhooks/whatsapp", raw, **{"X-Hub-Signature-256": signed(raw, APP_SECRET)}) == status


async def test_the_handshake_of_whatsapp(bot: Bot) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "kata-sandi"}
    async with bot.http.get(f"{bot.url}/webhooks/whatsapp", params=query) as response:
        assert (response.status, await response.text()) == (200, "1158201444")
    query["hub.verify_token"] = "salah"
    async with bot.http.get(f"{bot.url}/webhooks/whatsapp", params=query) as response:
        assert response.status == 403


@pytest.mark.parametrize("silent", [pytest.param(True, id="no server"), pytest.param(False, id="no model")])
async def test_readiness_names_each_part(bot: Bot, rasa: FakeRasa, silent: bool) -> None:
    async with bot.http.get(f"{bot.url}/healthz") as response:
        assert response.status == 200
    async with bot.http.get(f"{bot.url}/readyz") as response:
        assert response.status == 200
        parts = dict.fromkeys(("database", "rasa", "actions", "backend"), True)
        assert await response.json() == {"ready": True, "parts": parts}
    if silent:
        await rasa.__aexit__(None, None, None)
    rasa.loaded = False
    async with bot.http.get(f"{bot.url}/readyz") as response:
        assert response.status == 503
        assert (await response.json())["parts"] == {**parts, "rasa": False}


async def test_metrics_count_what_operators_watch(bot: Bot) -> None:
    await bot.say(text="halo")
    shown = await bot.metrics()
    for line in (
        "praja_inbox_backlog 0.0",
        'praja_turn_seconds_count{outcome="answered"} 1.0',
        'praja_outbox{state="sent"} 1.0',
        "praja_whatsapp_billable_messages 0.0",
    ):
        assert line in shown


@pytest.mark.parametrize(
    ("state", "said"),
    [("DIPROSES", "sedang diproses"), ("SELESAI", "selesai"), ("KEADAAN_BARU", "Ada kabar"), ("DITOLAK", "ditolak")],
)
async def test_a_filings_news_reaches_the_citizen(bot: Bot, state: str, said: str) -> None:
    (shown,) = await bot.say(text="halo")
    assert await bot.announce(state=state, note="Datang pukul 9.") == 200
    news = await bot.until_later(shown["id"])
    assert "SDA-2611-7K4QXB" in news[0]["text"]
    assert said in news[0]["text"]
    assert "Catatan petugas: Datang pukul 9." in news[0]["text"]


async def test_what_has_to_be_mended_is_listed_and_told_once(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    fix = [{"document": "surat_kehilangan", "reason": "foto terpotong"}, {"field": "alamat", "reason": "RT kosong"}]
    for _ in range(2):
        assert await bot.announce(state="PERLU_PERBAIKAN", fix=fix) == 200
    news = await bot.until_later(shown["id"])
    assert "- surat kehilangan: foto terpotong\n- alamat: RT kosong" in news[0]["text"]
    assert await bot.value("SELECT count(*) FROM bot.outbox WHERE kind = 'notification'") == 1


async def test_news_that_is_not_the_backends_is_refused(bot: Bot) -> None:
    await bot.say(text="halo")
    assert await bot.post("/webhooks/backend", b"{}") == 401
    assert await bot.post("/webhooks/backend", b"{}", **{"X-Praja-Signature": signed(b"{}", "lain")}) == 401
    assert await bot.post("/webhooks/backend", b"{}", **{"X-Praja-Signature": signed(b"{}", BACKEND_SECRET)}) == 400
    assert await bot.announce(number=None) == 400
    assert await bot.announce(contact="bukan-siapa-siapa") == 200
    assert await bot.announce(contact="8c1b1a52-9d1e-4a3e-8f55-0d1f6f1a0001") == 200
    assert await bot.value("SELECT count(*) FROM bot.outbox WHERE kind = 'notification'") == 0


async def test_roles_may_run_apart(settings: BotSettings) -> None:
    settings = replace(settings, telegram=None)
    async with contextlib.AsyncExitStack() as stack:
        for role in ALL_ROLES - {"http"}:
            await stack.enter_async_context(running(replace(settings, port=free_ports(1)[0]), {role}))
        await stack.enter_async_context(running(settings, {"http"}))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        async with http.post(
            f"http://127.0.0.1:{settings.port}/simulator/messages", json={"sender": "hp-1", "text": "halo"}
        ) as response:
            assert (await response.json())["replies"][0]["text"] == "Jawaban: halo"
