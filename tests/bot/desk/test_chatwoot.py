"""A district's Chatwoot as the desk: everything gets there once and in order, and agents are the citizen's officers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.desk.chatwoot import ChatwootSettings
from bot.server import BotSettings
from bot.texts import Texts
from tests.bot.desk.people import wants_person
from tests.bot.outside import Bot, bot_running
from tests.fakes.chatwoot import ACCOUNT, INBOX, TOKEN, FakeChatwoot
from tests.fakes.rasa import FakeRasa

DATA = Path(__file__).parents[3] / "data"
NIK = "3515085708909999"
PHOTO = {"name": "kk.png", "content_type": "image/png", "data": "iVBORw0KGgo="}
REACTION = json.loads((Path(__file__).parents[2] / "data" / "whatsapp" / "reaction.json").read_text())
READING = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'bot.files'::regclass AND NOT granted"


@dataclass
class Desk:
    bot: Bot
    there: FakeChatwoot

    async def handler(self) -> tuple[str, str | None]:
        ((handler, officer),) = await self.bot.rows("SELECT handler, officer FROM bot.conversations")
        return handler, officer

    async def ask(self) -> None:
        await self.bot.say(text="mau bicara petugas")
        await self.bot.until(lambda: bool(self.there.talks) and len(self.there.talk.said()) >= 1)

    async def heard(self) -> list[str]:
        return [reply["text"] for reply in await self.bot.later()]


@pytest.fixture
async def desk(settings: BotSettings, rasa: FakeRasa) -> AsyncIterator[Desk]:
    rasa.answer = wants_person
    async with FakeChatwoot(webhook=f"http://127.0.0.1:{settings.port}/webhooks/chatwoot") as there:
        chatwoot = ChatwootSettings(there.url, TOKEN, ACCOUNT, INBOX, there.secret)
        async with bot_running(replace(settings, telegram=None, chatwoot=chatwoot)) as bot:
            there.now = lambda: bot.clock().timestamp()
            yield Desk(bot, there)


async def test_a_hand_off_opens_a_conversation_there(desk: Desk) -> None:
    await desk.bot.say(text=f"ktp hilang, NIK {NIK}")
    await desk.ask()
    talk = desk.there.talk
    assert talk.attributes == {
        "serah_terima": str(await desk.bot.value("SELECT handoff FROM bot.chatwoot")),
        "alasan": "diminta",
        "instansi": "Dinas Kependudukan dan Pencatatan Sipil (Dispendukcapil)",
        "kanal": "simulator",
        "layanan": "ktp_hilang",
    }
    assert talk.said() == ["mau bicara petugas"]
    (note,) = talk.said(private=True)
    assert "Warga: ktp hilang, NIK 3515••••••••9999" in note
    assert not any(NIK in str(one.messages) for one in desk.there.talks.values())
    await desk.bot.say(text="masih di sana?")
    await desk.bot.say(file=PHOTO)
    await desk.bot.until(lambda: len(talk.said()) == 3)
    assert talk.messages[-1]["attachments"] == [b"\x89PNG\r\n\x1a\n"]


async def test_a_photo_that_comes_while_its_conversation_is_read_is_carried_with_its_file(desk: Desk) -> None:
    await desk.ask()
    async with desk.bot.store.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE bot.files"))
        await desk.bot.say(text="masih di sana?")
        await desk.bot.until(lambda: desk.bot.value(READING))
        sending = asyncio.create_task(desk.bot.say(file=PHOTO))
        await desk.bot.until(lambda: desk.bot.value("SELECT count(*) = 3 FROM bot.inbox"))
    await sending
    await desk.bot.until(lambda: len(desk.there.talk.said()) == 3)
    assert desk.there.talk.messages[-1]["attachments"] == [b"\x89PNG\r\n\x1a\n"]


async def test_one_that_can_not_be_read_holds_up_no_other(desk: Desk) -> None:
    await desk.bot.say(text="halo")
    await desk.bot.change("UPDATE bot.outbox SET body = 'x'")
    await desk.bot.say(text="mau bicara petugas")
    await desk.bot.say("hp-2", text="mau bicara petugas")
    await desk.bot.until(lambda: any(talk.said() for talk in desk.there.talks.values()))


async def test_an_agents_words_reach_the_citizen_and_the_bot_is_silent(desk: Desk, rasa: FakeRasa) -> None:
    await desk.ask()
    assert await desk.there.agent_says("jangan sampai warga tahu", private=True) == 200
    assert await desk.there.agent_says("Ada yang bisa dibantu?") == 200
    await desk.bot.until(desk.bot.idle)
    assert (await desk.heard())[-1] == "Ada yang bisa dibantu?"
    assert "jangan sampai warga tahu" not in await desk.heard()
    assert await desk.handler() == ("officer", "chatwoot:11")
    assert await desk.bot.say(text="iya") == []
    assert rasa.texts() == ["mau bicara petugas"]


async def test_the_same_event_told_twice_is_sent_once(desk: Desk) -> None:
    await desk.ask()
    await desk.there.agent_says("Halo.", id=555)
    await desk.there.agent_says("Halo.", id=555)
    await desk.bot.until(desk.bot.idle)
    assert (await desk.heard()).count("Halo.") == 1


async def _state(desk: Desk, state: str) -> None:
    await desk.bot.change(f"UPDATE bot.outbox SET state = '{state}', error = 'recipient' WHERE kind = 'officer'")


async def test_how_far_an_agents_message_got_is_told_there(desk: Desk) -> None:
    await desk.ask()
    await desk.there.agent_says("Ada yang bisa dibantu?")
    shown = desk.there.talk.messages[-1]
    await desk.bot.until(lambda: shown.get("status") in ("sent", "delivered"))
    # It's down for a moment.
    desk.there.trouble = [502]
    await _state(desk, "read")
    await desk.bot.until(lambda: shown.get("status") == "read")
    await _state(desk, "failed")
    await desk.bot.until(lambda: shown.get("status") == "failed")
    assert shown["external_error"] == Texts(DATA).of("meja_gagal", "recipient")


async def test_a_message_that_was_deleted_there_is_left_alone(desk: Desk) -> None:
    await desk.ask()
    await desk.there.agent_says("Halo.")
    desk.there.talk.messages.pop()
    await desk.bot.until(lambda: desk.bot.value("SELECT told IS NOT NULL FROM bot.chatwoot_deliveries"))
    before = desk.there.requests
    await _state(desk, "read")
    await desk.bot.until(lambda: desk.bot.value("SELECT told = 'read' FROM bot.chatwoot_deliveries"))
    assert desk.there.requests == before + 1


async def test_assignment_takes_it_and_resolving_gives_it_back(desk: Desk, rasa: FakeRasa) -> None:
    await desk.ask()
    await desk.there.agent_takes()
    assert await desk.handler() == ("officer", "chatwoot:11")
    await desk.there.agent_takes({"id": 12, "name": "Joko", "type": "user"})
    assert await desk.handler() == ("officer", "chatwoot:12")
    # No lease runs there: it is kept however long it takes.
    await desk.bot.pass_time(timedelta(minutes=30))
    await desk.there.agent_resolves()
    assert await desk.handler() == ("bot", None)
    (answer,) = await desk.bot.say(text="halo")
    assert answer["text"] == "Jawaban: halo"
    assert len(desk.there.talks) == 1


async def test_one_that_waits_is_resolved_too(desk: Desk) -> None:
    await desk.ask()
    await desk.there.agent_resolves()
    assert await desk.handler() == ("bot", None)


async def test_a_second_hand_off_is_a_new_conversation_of_the_same_contact(desk: Desk) -> None:
    await desk.ask()
    first = max(desk.there.talks)
    await desk.there.agent_resolves()
    await desk.bot.say(text="petugas lagi")
    await desk.bot.until(lambda: len(desk.there.talks) == 2 and bool(desk.there.talk.said()))
    assert len(desk.there.contacts) == 1
    await desk.there.agent_resolves(first)
    assert (await desk.handler())[0] == "queued"
    await desk.there.agent_says("terlambat", number=first)
    assert "terlambat" not in await desk.heard()
    assert any("bot" in note for note in desk.there.talks[first].said(private=True)[1:])


async def test_going_back_to_the_bot_resolves_it_there(desk: Desk) -> None:
    await desk.ask()
    await desk.bot.say(text="bot")
    await desk.bot.until(lambda: desk.there.talk.status == "resolved")


async def test_chatwoot_down_for_a_while_loses_and_doubles_nothing(desk: Desk) -> None:
    desk.there.trouble = [500, 502, 0]
    await desk.bot.say(text="petugas")
    await desk.bot.say(text="halo?")

    async def all_there() -> bool:
        await desk.bot.pass_time(timedelta(seconds=10))
        return bool(desk.there.talks) and desk.there.talk.said() == ["petugas", "halo?"]

    await desk.bot.until(all_there)
    desk.there.trouble = [0]
    await desk.bot.say(text="lagi")

    async def again() -> bool:
        await desk.bot.pass_time(timedelta(seconds=10))
        return desk.there.talk.said()[-1] == "lagi" and await desk.bot.value("SELECT attempts = 0 FROM bot.chatwoot")

    await desk.bot.until(again)
    assert desk.there.talk.said() == ["petugas", "halo?", "lagi"]


async def test_opening_goes_on_where_it_broke_off(desk: Desk) -> None:
    await desk.bot.say(text="ktp hilang")
    # The conversation is opened and nobody hears of it; then the note isn't taken.
    desk.there.lost, desk.there.refused = {"conversations"}, {"messages"}
    await desk.bot.say(text="petugas")

    async def all_there() -> bool:
        await desk.bot.pass_time(timedelta(seconds=10))
        return bool(desk.there.talks) and desk.there.talk.said() == ["petugas"]

    await desk.bot.until(all_there)
    assert len(desk.there.talks) == 1
    (note,) = desk.there.talk.said(private=True)
    assert "Warga: ktp hilang" in note


async def test_an_agent_who_answers_before_the_note_is_there_stops_nobody(desk: Desk) -> None:
    """Nothing waits for an agent then; what came before is in the note."""
    desk.there.refused = {"messages"}
    await desk.bot.say(text="petugas")
    await desk.bot.until(lambda: bool(desk.there.talks))
    await desk.bot.change("UPDATE bot.handoffs SET waiting_since = NULL")

    async def noted() -> bool:
        await desk.bot.pass_time(timedelta(seconds=10))
        return bool(desk.there.talk.said(private=True))

    await desk.bot.until(noted)
    await desk.bot.say(text="masih di sana?")
    await desk.bot.until(lambda: desk.there.talk.said() == ["masih di sana?"])


async def test_a_reaction_is_no_news(desk: Desk) -> None:
    """Looked for again and again, it would keep the newer hand-offs from being carried over."""
    await desk.ask()
    await desk.bot.until(desk.bot.idle)
    last = "SELECT max(id) FROM bot.inbox"
    await desk.bot.change(
        "INSERT INTO bot.inbox (channel, external_id, conversation, raw, received_at, answered_at, outcome)"
        " SELECT channel, 'reaksi', conversation, raw, received_at, answered_at, 'ignored' FROM bot.inbox"
        f" WHERE id = ({last})"
    )
    async with desk.bot.store.single.connect() as connection:
        raw = desk.bot.store.seal_raw(REACTION["entry"][0]["changes"][0])
        await connection.execute(text("UPDATE bot.inbox SET raw = :raw WHERE external_id = 'reaksi'"), {"raw": raw})
        await connection.execute(text("UPDATE bot.conversations SET channel = 'whatsapp'"))
    await desk.bot.pass_time(timedelta(seconds=1))
    await desk.bot.until(lambda: desk.bot.value(f"SELECT forwarded = ({last}) FROM bot.chatwoot"))


async def test_resolving_waits_for_the_file_before_it(desk: Desk) -> None:
    await desk.ask()
    desk.there.files["surat.pdf"] = b"%PDF surat"
    fetching, desk.there.giving = asyncio.Event(), asyncio.Event()
    desk.there.asked = fetching
    at_home = f"{desk.there.url}/rails/active_storage/surat.pdf"
    saying = asyncio.create_task(
        desk.there.agent_says("Ini.", attachments=[{"data_url": at_home, "file_type": "file"}])
    )
    await fetching.wait()
    resolving = asyncio.create_task(desk.there.agent_resolves())
    await asyncio.wait({resolving}, timeout=1)
    desk.there.giving.set()
    assert await saying == await resolving == 200
    await desk.bot.until(desk.bot.idle)
    assert (await desk.heard())[-2] == "Ini."
    assert await desk.handler() == ("bot", None)


async def test_what_an_agent_sent_is_told_again_until_it_is_kept(desk: Desk) -> None:
    """Told twice, by the account's webhook and the inbox's; while the first was dealt with, the database was away."""
    await desk.ask()
    await desk.bot.change("ALTER TABLE bot.outbox RENAME TO away")
    assert await desk.there.agent_says("Halo.", id=555) == 500
    await desk.bot.change("ALTER TABLE bot.away RENAME TO outbox")
    assert await desk.there.agent_says("Halo.", id=555) == 200
    await desk.bot.until(desk.bot.idle)
    assert (await desk.heard()).count("Halo.") == 1


async def test_an_agents_attachment_is_fetched_from_there_only(desk: Desk) -> None:
    await desk.ask()
    desk.there.files["surat.pdf"] = b"%PDF surat"
    at_home = f"{desk.there.url}/rails/active_storage/surat.pdf"
    await desk.there.agent_says("Ini.", attachments=[{"data_url": at_home, "file_type": "file"}])
    await desk.bot.until(desk.bot.idle)
    reply = (await desk.bot.later())[-1]
    assert (reply["text"], reply["file"]["name"], reply["file"]["content_type"]) == (
        "Ini.",
        "surat.pdf",
        "application/pdf",
    )
    async with desk.bot.http.get(desk.bot.url + reply["file"]["url"], params={"sender": "hp-1"}) as response:
        assert await response.read() == b"%PDF surat"
    await desk.there.agent_says("Itu.", attachments=[{"data_url": "http://169.254.169.254/x", "file_type": "file"}])
    assert "Itu." not in await desk.heard()
    assert len(desk.there.talk.said(private=True)) == 2


async def test_only_chatwoot_is_listened_to(desk: Desk) -> None:
    await desk.ask()
    event = {"event": "conversation_status_changed", "id": max(desk.there.talks), "status": "resolved"}
    assert await desk.there.tell(event, signed=False) == 401
    assert await desk.there.tell(event, at=time.time() - 600) == 401
    assert await desk.there.tell(event, path="/salah", signed=False) == 401
    desk.there.secret = "lain"
    assert await desk.there.tell(event) == 401
    assert (await desk.handler())[0] == "queued"
    assert await desk.there.tell(event, path="/rahasia-chatwoot", signed=False) == 200
    assert (await desk.handler())[0] == "bot"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"event": "message_created"}', b'{"event": "contact_created"}']
)
async def test_odd_events_are_no_mistake(desk: Desk, body: bytes) -> None:
    assert await desk.bot.post("/webhooks/chatwoot/rahasia-chatwoot", body) == 200


async def test_other_conversations_of_the_account_are_none_of_ours(desk: Desk) -> None:
    await desk.ask()
    event = {"event": "conversation_status_changed", "id": 99999, "status": "resolved"}
    assert await desk.there.tell(event) == 200
    assert (await desk.handler())[0] == "queued"
    async with desk.bot.store.single.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM bot.chatwoot_deliveries")) == 0
