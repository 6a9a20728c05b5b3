"""Review of messages: what is picked, how people judge it, what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import insert, select, text, update

from bot.tables import conversations, frames, handoffs, inbox
from console.accounts import Account, Role, add_account
from console.app import PREFIX, create_console, open_workspace
from console.review.insight import observe
from console.review.keeper import keep
from console.review.opinions import (
    Label,
    decide,
    disagreements,
    final_labels,
    open_reviews,
    undo,
    waiting_for,
)
from console.review.reviewed_set import draft
from console.review.selection import Why, forget, pick
from console.tables import audit, opinions, reviews
from console.workspace import Workspace
from learning.training_file import read_folder
from tests.bot.fakes import Clock
from tests.console.conftest import DATA, PASSWORD, Visit, Visitor, sign_in

NIK = "3515085708909999"


@pytest.fixture
async def colleague(workspace: Workspace) -> Account:
    return await add_account(workspace, "dewi", "Dewi S.", Role.SUPERVISOR, ["kejari"], PASSWORD)


class Talk:
    """One citizen's messages, a minute apart, which Rasa made frames of; the last was an hour ago."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.conversation = uuid.uuid4()
        self._at = workspace.clock() - timedelta(hours=1)
        self._begun = False

    async def say(self, written: str, intent: str | None = "cek_status", confidence: float = 0.99, **more: Any) -> int:
        store = self._workspace.store
        entities = more.pop("entities", [])
        self._at += timedelta(minutes=1)
        async with self._workspace.engine.begin() as connection:
            if not self._begun:
                self._begun = True
                await connection.execute(
                    insert(conversations).values(id=self.conversation, channel="whatsapp", created_at=self._at)
                )
            received = insert(inbox).values(
                channel="whatsapp", external_id=str(uuid.uuid4()), conversation=self.conversation, raw=b"",
                received_at=more.pop("at", self._at), answered_at=self._at,
            )  # fmt: skip
            message = await connection.scalar(received.returning(inbox.c.id))
            await connection.execute(
                insert(frames).values(
                    **{
                        "inbox": message,
                        "intent": intent,
                        "confidence": confidence,
                        "in_form": False,
                        "text": store.frame.seal(written.encode()),
                        "entities": store.frame.seal_json(entities),
                        **more,
                    }
                )
            )
        assert isinstance(message, int)
        return message

    async def hand_over(self, reason: str) -> None:
        async with self._workspace.engine.begin() as connection:
            await connection.execute(
                insert(handoffs).values(conversation=self.conversation, reason=reason, requested_at=self._at)
            )


async def reasons(workspace: Workspace, message: int) -> set[str]:
    """Why it was picked, chance aside."""
    async with workspace.engine.connect() as connection:
        found = await connection.scalar(select(reviews.c.reasons).where(reviews.c.message == message))
    return set(found or ()) - {Why.RANDOM}


async def picked(workspace: Workspace, *texts: str, twice: bool = False, random: bool = False) -> list[int]:
    """Messages that wait for judgement, each by another citizen; who draws lots is the test."""
    messages = [await Talk(workspace).say(text, "tanya_biaya", 0.3) for text in texts]
    await pick(workspace.review)
    drawn = [Why.UNSURE, Why.RANDOM] if random else [Why.UNSURE]
    async with workspace.engine.begin() as connection:
        await connection.execute(
            update(reviews).where(reviews.c.message.in_(messages)).values(twice=twice, reasons=drawn)
        )
    return messages


async def until_waiting(workspace: Workspace, tasks: int = 1, instead: asyncio.Task[Any] | None = None) -> None:
    """So many wait in the database for one another, or the one who should doesn't and is done."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(1000):
        async with workspace.engine.connect() as connection:
            if int(await connection.scalar(text(waiting)) or 0) >= tasks or (instead and instead.done()):
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


class TestSelection:
    @pytest.mark.parametrize(
        ("frame", "why"),
        [
            ({"confidence": 0.4}, {Why.UNSURE}),
            ({"service": "ktp_hilang", "service_confidence": 0.4}, {Why.UNSURE}),
            ({"intent": "nlu_fallback", "confidence": 0.9}, {Why.NOT_UNDERSTOOD}),
            ({"margin": 0.4}, {Why.UNSURE}),
            ({"confidence": 0.5, "margin": 0.6}, set()),
            ({"confidence": 1.0, "margin": -0.2}, {Why.UNSURE}),
            ({"understood": False}, {Why.NOT_UNDERSTOOD}),
            ({"displeased": True}, {Why.OBJECTED}),
            ({}, set()),
            ({"confidence": 0.1, "in_form": True}, set()),
            ({"confidence": 0.1, "in_form": None}, set()),
        ],
    )
    async def test_by_the_message_itself(self, workspace: Workspace, frame: dict[str, Any], why: set[str]) -> None:
        message = await Talk(workspace).say("permohonan saya bagaimana", **frame)
        await pick(workspace.review)
        assert await reasons(workspace, message) == why

    @pytest.mark.parametrize("then", ["bukan itu min", "Maksud saya yang akta", "lho kok gak nyambung", "dudu iku cak"])
    async def test_by_an_objection_to_the_answer(self, workspace: Workspace, then: str) -> None:
        talk = Talk(workspace)
        first, second = await talk.say("urus akta"), await talk.say(then)
        await pick(workspace.review)
        assert await reasons(workspace, first) == {Why.OBJECTED}
        assert await reasons(workspace, second) == set()

    @pytest.mark.parametrize(("reason", "why"), [("buntu", {Why.TAKEN_OVER}), ("diminta", set())])
    async def test_by_an_officer_who_had_to_take_over(self, workspace: Workspace, reason: str, why: set[str]) -> None:
        talk = Talk(workspace)
        message = await talk.say("bisa tidak")
        await talk.hand_over(reason)
        await pick(workspace.review)
        assert await reasons(workspace, message) == why

    async def test_a_fifth_at_random_and_a_tenth_for_two(self, workspace: Workspace) -> None:
        talk = Talk(workspace)
        for n in range(600):
            await talk.say(f"berapa lama {n}", at=workspace.clock() - timedelta(hours=1))
        assert await pick(workspace.review) == await _count(workspace)
        assert 80 < await _count(workspace) < 160
        async with workspace.engine.connect() as connection:
            found = (await connection.execute(select(reviews.c.reasons, reviews.c.twice))).all()
        assert {tuple(row.reasons) for row in found} == {("acak",)}
        assert 2 <= sum(row.twice for row in found) <= 30

    async def test_again_changes_nothing(self, workspace: Workspace) -> None:
        await picked(workspace, "satu", "dua")
        assert await pick(workspace.review) == 0
        assert await _count(workspace) == 2

    async def test_the_keeper_picks_by_itself(self, workspace: Workspace) -> None:
        await Talk(workspace).say("halo", confidence=0.1)
        keeping = asyncio.create_task(keep(workspace.review, pause=0.01))
        for _ in range(500):
            await asyncio.sleep(0.02)
            if await _count(workspace):
                break
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        assert await _count(workspace) == 1

    async def test_what_may_still_be_followed_by_something_waits(self, workspace: Workspace, clock: Clock) -> None:
        message = await Talk(workspace).say("halo", confidence=0.1, at=workspace.clock())
        assert await pick(workspace.review) == 0
        clock.advance(timedelta(minutes=20))
        assert await pick(workspace.review) == 1
        assert await reasons(workspace, message) == {Why.UNSURE}

    async def test_nothing_personal_enters(self, workspace: Workspace, supervisor: Account) -> None:
        written = f"nama saya Siti Aminah nik {NIK} hp 0812 3456 7890 rumah jl. mawar 5, SDA-2611-7K4QXB siti@contoh.id"
        talk = Talk(workspace)
        await talk.say(
            written, confidence=0.1,
            entities=[{"entity": "nama_orang", "value": "siti aminah"}, {"entity": "alamat", "value": "jl. mawar 5"}],
        )  # fmt: skip
        await talk.say(f"atas nama Budi Santoso {NIK}", confidence=0.1)
        await pick(workspace.review)
        found = await open_reviews(workspace.review, supervisor)
        shown = " ".join([one.text + str(one.following) for one in found])
        assert len(found) == 2
        assert not re.search(r"siti|aminah|budi|mawar|\d{4}|7K4QXB", shown, re.IGNORECASE)
        assert "nama saya <nama> nik <nomor>" in shown
        async with workspace.engine.connect() as connection:
            sealed = (await connection.execute(select(reviews.c.text, reviews.c.after))).all()
        assert all(b"nama" not in row.text and b"nama" not in row.after for row in sealed)

    async def test_what_the_bot_forgets_is_forgotten(self, workspace: Workspace, supervisor: Account) -> None:
        first, _ = await picked(workspace, "satu", "dua")
        await decide(workspace, supervisor, [first], Label("cek_status", None))
        async with workspace.engine.begin() as connection:
            await connection.execute(update(frames).values(text=None, entities=None))
        await forget(workspace.review)
        async with workspace.engine.connect() as connection:
            left = (await connection.execute(select(reviews.c.message, reviews.c.text, reviews.c.after))).all()
        assert [tuple(row) for row in left] == [(first, None, None)]
        assert [one.text for one in await final_labels(workspace.review)] == [None]


class TestOpinions:
    async def test_one_is_enough_and_the_quicker_counts(
        self, workspace: Workspace, supervisor: Account, colleague: Account
    ) -> None:
        (message,) = await picked(workspace, "gratis ya")
        assert await decide(workspace, supervisor, [message], Label("tanya_biaya", "ktp_baru")) == 1
        assert await decide(workspace, colleague, [message], Label("ya", None)) == 0
        (judged,) = await final_labels(workspace.review)
        assert judged.label == Label("tanya_biaya", "ktp_baru")

    async def test_of_two_at_once_one_opinion_counts(
        self, workspace: Workspace, supervisor: Account, colleague: Account
    ) -> None:
        messages = await picked(workspace, *(f"gratis ya {n}" for n in range(5)))
        both = await asyncio.gather(
            decide(workspace, supervisor, messages, Label("tanya_biaya", None)),
            decide(workspace, colleague, messages[::-1], Label("ya", None)),
            pick(workspace.review),
            pick(workspace.review),
        )
        assert sorted(both[:2]) == [0, 5]
        async with workspace.engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM console.opinions")) == 5

    async def test_two_who_differ_are_settled_by_a_third(
        self, workspace: Workspace, supervisor: Account, colleague: Account, admin: Account
    ) -> None:
        (message,) = await picked(workspace, "gratis ya", twice=True)
        await decide(workspace, supervisor, [message], Label("tanya_biaya", None))
        assert await final_labels(workspace.review) == []
        assert await open_reviews(workspace.review, supervisor) == []
        (second,) = await open_reviews(workspace.review, colleague)
        assert (second.stage, second.earlier) == (2, ())
        await decide(workspace, colleague, [message], Label("ya", None))
        for account in (supervisor, colleague):
            assert await decide(workspace, account, [message], Label("ya", None)) == 0
        (third,) = await open_reviews(workspace.review, admin)
        assert (third.stage, third.earlier) == (3, [Label("tanya_biaya", None), Label("ya", None)])
        assert await waiting_for(workspace.review) == {3: 1}
        (waiting,) = await disagreements(workspace.review, 9)
        assert waiting.settled is None
        await decide(workspace, admin, [message], Label("tanya_biaya", None))
        assert [one.label for one in await final_labels(workspace.review)] == [Label("tanya_biaya", None)]
        (settled,) = await disagreements(workspace.review, 9)
        assert [who for who, _ in settled.opinions] == ["Bu Penyelia", "Dewi S."]
        assert settled.settled == ("Kepala Admin", Label("tanya_biaya", None))

    async def test_two_who_agree_need_no_third(
        self, workspace: Workspace, supervisor: Account, colleague: Account, admin: Account
    ) -> None:
        (message,) = await picked(workspace, "gratis ya", twice=True)
        for account in (supervisor, colleague):
            await decide(workspace, account, [message], Label("tanya_biaya", None))
        assert await open_reviews(workspace.review, admin) == []
        assert len(await final_labels(workspace.review)) == 1

    async def test_what_was_labelled_together_is_undone_together(
        self, workspace: Workspace, supervisor: Account, colleague: Account
    ) -> None:
        messages = await picked(workspace, "gratis ya", "gratis apa tidak", "gratis nggak")
        assert await decide(workspace, supervisor, messages, Label("tanya_biaya", None)) == 3
        assert await undo(workspace, colleague, None) == 0
        assert await undo(workspace, supervisor, None) == 3
        assert await final_labels(workspace.review) == []
        async with workspace.engine.connect() as connection:
            acts = list(await connection.scalars(select(audit.c.act).where(audit.c.subject == f"review:{messages[0]}")))
        assert acts == ["menilai pesan", "membatalkan penilaian"]

    async def test_what_others_built_on_stays(
        self, workspace: Workspace, supervisor: Account, colleague: Account, admin: Account
    ) -> None:
        (message,) = await picked(workspace, "gratis ya", twice=True)
        await decide(workspace, supervisor, [message], Label("tanya_biaya", None))
        await decide(workspace, colleague, [message], Label("ya", None))
        assert await undo(workspace, supervisor, None) == 0
        async with workspace.engine.connect() as connection:
            act = await connection.scalar(select(opinions.c.act).where(opinions.c.account == colleague.id))
        assert await undo(workspace, admin, act) == 1
        assert await undo(workspace, supervisor, None) == 1


class TestPages:
    async def test_officers_are_refused(self, visit: Visit, officer: Account, clock: Clock) -> None:
        visitor = await visit()
        token = await sign_in(visitor, "rina", clock)
        for path in ("", "/keputusan", "/mutu", "/set", "/wawasan", "/acak.jsonl", "/set/2026-01-01-00000000.yml"):
            assert (await visitor.get(f"/console/tinjauan{path}")).status == 403, path
        for path in ("/nilai", "/batal", "/set"):
            assert (await visitor.post(f"/console/tinjauan{path}", data={"csrf": token})).status == 403, path

    async def test_judging_and_taking_back(
        self, visit: Visit, supervisor: Account, workspace: Workspace, clock: Clock
    ) -> None:
        await picked(workspace, "bikin ktp kena biaya berapa min", "bikin ktp kena biaya berapa ya min", "kapan buka")
        visitor = await visit()
        token = await sign_in(visitor, "bos", clock)
        shown = await (await visitor.get("/console/tinjauan?mode=kelompok")).text()
        assert "bikin ktp kena biaya berapa" in shown
        assert 'data-key="1"' in shown
        assert "1 pesan mirip" in shown
        messages = re.findall(r'name="message" value="(\d+)"', shown)
        assert len(messages) == 2
        form = {"csrf": token, "mode": "kelompok", "intent": "tanya_biaya"}
        data = aiohttp.FormData([*form.items(), ("service", "KTP-el hilang (ktp_hilang)")])
        for message in messages:
            data.add_field("message", message)
        shown = await (await visitor.post("/console/tinjauan/nilai", data=data)).text()
        assert "kapan buka" in shown
        assert "untuk 2 pesan" in shown
        assert [one.label for one in await final_labels(workspace.review)] == [Label("tanya_biaya", "ktp_hilang")] * 2
        decisions = await (await visitor.get("/console/tinjauan/keputusan")).text()
        assert "Bu Penyelia" in decisions
        await visitor.post("/console/tinjauan/batal", data={"csrf": token})
        assert await final_labels(workspace.review) == []

    async def test_skipping_goes_round(
        self, visit: Visit, supervisor: Account, workspace: Workspace, clock: Clock
    ) -> None:
        first, second = await picked(workspace, "satu hal", "perkara lain")
        visitor = await visit()
        await sign_in(visitor, "bos", clock)
        for after, expected in ((None, second), (second, first), (first, second)):
            query = "" if after is None else f"?after={after}"
            shown = await (await visitor.get(f"/console/tinjauan{query}")).text()
            assert f'name="message" value="{expected}"' in shown

    @pytest.mark.parametrize(
        "fault", [{"service": "layanan khayal"}, {"intent": "kirim_berkas"}, {"intent": "<script>"}]
    )
    async def test_an_unknown_label_is_refused(
        self, visit: Visit, supervisor: Account, workspace: Workspace, clock: Clock, fault: dict[str, str]
    ) -> None:
        (message,) = await picked(workspace, "satu hal")
        visitor = await visit()
        token = await sign_in(visitor, "bos", clock)
        form = {"csrf": token, "message": str(message), "intent": "ya", "service": "", **fault}
        answer = await visitor.post("/console/tinjauan/nilai", data=form)
        assert answer.status == 422
        assert 'role="alert"' in await answer.text()
        assert await final_labels(workspace.review) == []

    async def test_quality_of_the_random_stream_alone(
        self, visit: Visit, supervisor: Account, colleague: Account, workspace: Workspace, clock: Clock
    ) -> None:
        right = await picked(workspace, "satu", "dua", "tiga", random=True)
        wrong = await picked(workspace, "empat", random=True, twice=True)
        hard = await picked(workspace, "lima")
        await decide(workspace, supervisor, right, Label("tanya_biaya", None))
        for account in (supervisor, colleague):
            await decide(workspace, account, wrong, Label("tanya_syarat", None))
        await decide(workspace, supervisor, hard, Label("salam", None))
        visitor = await visit()
        await sign_in(visitor, "bos", clock)
        shown = " ".join((await (await visitor.get("/console/tinjauan/mutu")).text()).split())
        assert '75,0 % <span class="soft">(30,1–95,4 %)' in shown
        assert "4 sudah dinilai" in shown
        assert "Tanya syarat dikira Tanya biaya: 1" in shown
        assert "1 pesan" in shown

    async def test_insight(self, visit: Visit, supervisor: Account, workspace: Workspace, clock: Clock) -> None:
        talk = Talk(workspace)
        before = workspace.clock() - timedelta(days=20)
        for n in range(20):
            await talk.say(f"halo {n}", "salam", at=before)
        for n in range(6):
            await talk.say(f"pajak motor saya {n}", "tanya_biaya", service="pbb_cetak_ulang")
            await talk.say("perpanjang sim bisa disini" if n % 2 else "SIM saya mati mau perpanjangan", "di_luar_topik")
        await talk.hand_over("buntu")
        visitor = await visit()
        await sign_in(visitor, "bos", clock)
        shown = " ".join((await (await visitor.get("/console/tinjauan/wawasan")).text()).split())
        rising = shown[shown.index("Yang naik") : shown.index("Ditanyakan, tetapi")]
        assert "Tanya biaya" in rising
        assert "pbb_cetak_ulang" in rising
        assert "Salam" not in rising
        # Two wordings of one wish are one.
        assert re.search(r"</svg> 6</td><td>“[^”]+”<br>“[^”]+”</td>", shown)
        assert ">Salam</th><td>20</td>" in shown
        assert "100 %" in shown

    async def test_drift_of_confidence(
        self, visit: Visit, supervisor: Account, workspace: Workspace, clock: Clock
    ) -> None:
        talk = Talk(workspace)
        for weeks, confidences in ((3, (0.95, 0.85)), (2, (0.95, 0.85)), (1, (0.45, 0.35))):
            at = workspace.clock() - timedelta(weeks=weeks)
            for n in range(60):
                await talk.say(f"halo {n}", "salam", confidences[n % 2], at=at, model="a.tar.gz")
        await talk.say("halo", "salam", 0.5, model="b.tar.gz")
        first, same, moved, another = (await observe(workspace.review)).drift
        assert (first.stability, round(first.mean, 2), first.messages) == (None, 0.9, 60)
        assert (same.stability, same.has_moved) == (0.0, False)
        assert moved.has_moved
        assert (another.model, another.stability) == ("b.tar.gz", None)
        visitor = await visit()
        await sign_in(visitor, "bos", clock)
        assert "bergeser" in await (await visitor.get("/console/tinjauan/wawasan")).text()


class TestSets:
    @pytest.fixture
    async def writable(self, workspace: Workspace, tmp_path: Path) -> Path:
        """A checkout of one's own, since it is written to; with few messages, since all are read again after that."""
        data = tmp_path / "data"
        shutil.copytree(DATA, data, ignore=shutil.ignore_patterns("nlu"))
        (data / "nlu").mkdir()
        shutil.copy(DATA / "nlu" / "pamit.yml", data / "nlu")
        return data

    @pytest.fixture
    async def developer(
        self, workspace: Workspace, writable: Path, supervisor: Account, clock: Clock
    ) -> AsyncIterator[tuple[Visitor, str]]:
        settings = replace(workspace.settings, data=writable, may_write_data=True)
        app = web.Application()
        app.add_subapp(PREFIX, create_console(open_workspace(settings, workspace.room, workspace.session)))
        async with Visitor(TestServer(app)) as visitor:
            yield visitor, await sign_in(visitor, "bos", clock)

    async def test_written_where_the_program_is_developed(
        self, workspace: Workspace, writable: Path, developer: tuple[Visitor, str], supervisor: Account
    ) -> None:
        visitor, token = developer
        taught = "syarat bikin ktp pemula buat anakku opo wae xyz"
        messages = await picked(workspace, taught, taught.upper(), "apik tenan xyz", "bayar piro xyz")
        random = await picked(workspace, "bayar piro, xyz?", random=True)
        await decide(workspace, supervisor, messages[:2], Label("tanya_syarat", "ktp_baru"))
        await decide(workspace, supervisor, [messages[2]], Label(None, None))
        await decide(workspace, supervisor, [messages[3], *random], Label("tanya_biaya", None))
        page = await (await visitor.post("/console/tinjauan/set", data={"csrf": token})).text()
        name = re.search(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", page)
        assert name is not None
        (example,) = read_folder(writable / "tinjauan")
        assert (writable / "tinjauan" / f"{name[0]}.yml").exists()
        assert (example.intent, example.service, example.author) == ("tanya_syarat", "ktp_baru", "tinjauan")
        assert "bayar piro, xyz?" in (writable / "tinjauan" / "acak.jsonl").read_text()
        again = await visitor.post("/console/tinjauan/set", data={"csrf": token})
        assert again.status == 409
        download = await visitor.get(f"/console/tinjauan/set/{name[0]}.yml")
        assert await download.text() == (writable / "tinjauan" / f"{name[0]}.yml").read_text()
        assert (await visitor.get("/console/tinjauan/set/2026-01-01-00000000.yml")).status == 404

    async def test_conflicts_are_shown_and_left_out(
        self, visit: Visit, workspace: Workspace, supervisor: Account, clock: Clock
    ) -> None:
        known = next(one for one in read_folder(DATA / "nlu") if one.intent == "tanya_biaya" and not one.service)
        first, second, third = await picked(workspace, known.text, "xyz sama saja", "XYZ, sama saja!")
        await decide(workspace, supervisor, [first], Label("salam", None))
        await decide(workspace, supervisor, [second], Label("salam", None))
        await decide(workspace, supervisor, [third], Label("pamit", None))
        visitor = await visit()
        token = await sign_in(visitor, "bos", clock)
        page = await (await visitor.get("/console/tinjauan/set")).text()
        assert "Bertentangan: 2 pesan" in page
        assert "data: Tanya biaya" in page
        assert (await visitor.post("/console/tinjauan/set", data={"csrf": token})).status == 409
        await undo(workspace, supervisor, None)
        made = await visitor.post("/console/tinjauan/set", data={"csrf": token})
        assert "siap diunduh" in await made.text()
        assert not (DATA / "tinjauan").exists()

    async def test_what_is_taught_is_not_measured_by(
        self, visit: Visit, workspace: Workspace, supervisor: Account, clock: Clock
    ) -> None:
        taught = next(one for one in read_folder(DATA / "nlu") if len(one.text.split()) > 5)
        random = await picked(workspace, taught.text, "belum ada yang menulis xyz begini", random=True)
        await decide(workspace, supervisor, random, Label("salam", None))
        visitor = await visit()
        await sign_in(visitor, "bos", clock)
        measured = await (await visitor.get("/console/tinjauan/acak.jsonl")).text()
        assert [json.loads(line)["text"] for line in measured.splitlines()] == ["belum ada yang menulis xyz begini"]

    async def test_taken_back_after_the_set_it_comes_into_the_next(
        self, workspace: Workspace, developer: tuple[Visitor, str], writable: Path, supervisor: Account
    ) -> None:
        visitor, token = developer
        (message,) = await picked(workspace, "xyz satu hal")
        await decide(workspace, supervisor, [message], Label("salam", None))
        await visitor.post("/console/tinjauan/set", data={"csrf": token})
        await undo(workspace, supervisor, None)
        await decide(workspace, supervisor, [message], Label("pamit", None))
        page = await (await visitor.get("/console/tinjauan/set")).text()
        assert "Bertentangan: 1 pesan" in page

    async def test_withdrawn_its_messages_come_into_the_next_and_it_can_be_put_back(
        self, workspace: Workspace, developer: tuple[Visitor, str], writable: Path, supervisor: Account
    ) -> None:
        visitor, token = developer
        (message,) = await picked(workspace, "xyz satu hal yang baru")
        await decide(workspace, supervisor, [message], Label("salam", None))
        page = await (await visitor.post("/console/tinjauan/set", data={"csrf": token})).text()
        name = re.search(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", page)
        assert name is not None
        address, file = f"/console/tinjauan/set/{name[0]}", writable / "tinjauan" / f"{name[0]}.yml"
        before = file.read_text()
        assert "xyz satu hal yang baru" in await (await visitor.get(address)).text()
        page = await (await visitor.post(f"{address}/tarik", data={"csrf": token})).text()
        assert "<strong>1</strong> contoh baru" in page
        assert f"set {name[0]} ditarik oleh Bu Penyelia (1 contoh)" in page
        assert not file.exists()
        assert (await visitor.post(f"{address}/tarik", data={"csrf": token})).status == 409
        page = await (await visitor.post(f"{address}/pasang", data={"csrf": token})).text()
        assert "<strong>0</strong> contoh baru" in page
        assert file.read_text() == before
        assert (await visitor.post(f"{address}/pasang", data={"csrf": token})).status == 409

    async def test_what_no_longer_fits_is_not_put_back(
        self, workspace: Workspace, developer: tuple[Visitor, str], supervisor: Account
    ) -> None:
        visitor, token = developer
        (message,) = await picked(workspace, "xyz satu hal yang baru")
        names = []
        for intent in ("salam", "pamit"):
            await decide(workspace, supervisor, [message], Label(intent, None))
            page = await (await visitor.post("/console/tinjauan/set", data={"csrf": token})).text()
            names += re.findall(r"Set (\d{4}-\d{2}-\d{2}-[0-9a-f]{8}) dibuat", page)
            if intent == "salam":
                await visitor.post(f"/console/tinjauan/set/{names[0]}/tarik", data={"csrf": token})
                await undo(workspace, supervisor, None)
        refused = await visitor.post(f"/console/tinjauan/set/{names[0]}/pasang", data={"csrf": token})
        assert refused.status == 409
        assert "Bertentangan: “xyz satu hal yang baru”" in await refused.text()

    async def test_what_the_frozen_sets_measure_by_is_not_taught(
        self, workspace: Workspace, supervisor: Account, tmp_path: Path
    ) -> None:
        frozen = tmp_path / "beku"
        frozen.mkdir()
        (frozen / "messages.jsonl").write_text('{"text": "ktp xyz saya hilang kemarin"}\n{"text": "xyz nggih"}\n')
        messages = await picked(workspace, "KTP xyz saya hilang kemarin?", "xyz nggih")
        await decide(workspace, supervisor, messages, Label("ya", None))
        made = await draft(replace(workspace.review, frozen=frozen))
        assert ([example.text for example in made.examples], made.kept_apart) == (["xyz nggih"], 1)


async def _count(workspace: Workspace) -> int:
    async with workspace.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM console.reviews")) or 0)
