"""The desk as an officer uses it, in a real browser: by keys, with canned replies, notes, another try, and to whom it goes on."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from bot.desk.states import claim, heard
from bot.inbox import receive
from console.accounts import Account, Role, add_account
from console.scope import officer_of
from console.workspace import Workspace
from tests.backend.conftest import Client
from tests.bot.fakes import Clock, update
from tests.console.conftest import PASSWORD
from tests.console.test_desk import waiting
from tests.console.test_review_in_a_browser import CHROMIUM, PICTURES, WIDTH, browsing
from tests.stack.officer import serious_faults

pytestmark = [
    pytest.mark.verify,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed (Debian: apt-get install chromium)"),
]


async def writes(workspace: Workspace, conversation: str, who: str, words: str) -> None:
    """The citizen, to an officer."""
    room = workspace.room
    await receive(room.store, "whatsapp", [update(f"wamid.{uuid.uuid4()}", bsuid=who, text=words)])
    async with room.store.engine.begin() as connection:
        await heard(connection, room, uuid.UUID(conversation), room.store.clock())


async def fail(workspace: Workspace) -> None:
    async with workspace.engine.begin() as connection:
        await connection.execute(
            text("UPDATE bot.outbox SET state = 'failed', error = 'recipient' WHERE kind = 'officer'")
        )


async def of_officers(workspace: Workspace) -> list[tuple[str, str]]:
    async with workspace.engine.connect() as connection:
        rows = await connection.execute(text("SELECT kind, state FROM bot.outbox WHERE kind = 'officer' ORDER BY id"))
        return [(row.kind, row.state) for row in rows]


async def test_a_conversation_is_taken_answered_noted_and_handed_on(
    workspace: Workspace, officer: Account, backend: object
) -> None:
    conversation = await waiting(workspace, "KTP saya hilang bu")
    async with browsing(workspace, officer) as (page, address):
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.goto(f"{address}/")
        await expect(page).to_have_title("(1) Percakapan · Meja Praja")
        await page.keyboard.press("j")
        await page.wait_for_url(f"**/{conversation}*")
        async with page.expect_navigation():
            await page.keyboard.press("a")
        reply = page.get_by_label("Balasan", exact=True)
        await page.keyboard.press("r")
        await expect(reply).to_be_focused()
        await page.get_by_label("Balasan siap pakai").select_option(label="Salam")
        await expect(reply).to_have_value("Selamat datang, saya Rina W.. Ada yang bisa saya bantu?")
        await reply.press("Control+Enter")
        transcript = page.locator("#transcript")
        await transcript.get_by_text("Ada yang bisa saya bantu?").wait_for()
        assert await of_officers(workspace) == [("officer", "queued")]

        await reply.fill("yang belum dikirim")
        await writes(workspace, conversation, "ID.1", "hilang di pasar")
        await transcript.get_by_text("hilang di pasar").wait_for(timeout=3000)
        await expect(reply).to_have_value("yang belum dikirim")

        await page.get_by_label("Hanya dibaca petugas").fill("Sudah ditelepon")
        await page.get_by_role("button", name="Simpan catatan").click()
        await transcript.get_by_text("Sudah ditelepon").wait_for()
        await expect(reply).to_have_value("yang belum dikirim")

        await page.locator("summary", has_text="Alihkan").click()
        await page.get_by_role("combobox", name="Ke kantor").fill("Kantor Kecamatan Sedati")
        await page.get_by_label("Pesan untuk petugas di sana").fill("Warga Sedati")
        await page.locator("button", has_text="Alihkan").click()
        await page.get_by_text("Percakapan dialihkan ke Kantor Kecamatan Sedati").wait_for()
    async with workspace.engine.connect() as connection:
        assert await connection.scalar(text("SELECT agency FROM bot.handoffs")) == "kecamatan:sedati"


async def test_what_failed_is_sent_again_and_outside_the_window_as_a_template(
    workspace: Workspace, officer: Account, clock: Clock
) -> None:
    workspace = replace(workspace, room=replace(workspace.room, templates={"whatsapp": ("kabar_petugas", "id")}))
    conversation = await waiting(workspace, "tolong")
    await claim(workspace.room, officer_of(officer), uuid.UUID(conversation))
    async with browsing(workspace, officer) as (page, address):
        await page.goto(f"{address}/percakapan/{conversation}")
        await page.get_by_label("Balasan", exact=True).fill("Halo")
        await page.get_by_role("button", name="Kirim", exact=True).click()
        await page.locator("#transcript").get_by_text("Halo").wait_for()
        await fail(workspace)
        await page.reload()
        await page.get_by_role("button", name="Kirim ulang").click()
        await page.get_by_text("antre kirim").wait_for()
        assert await of_officers(workspace) == [("officer", "queued")]

        await fail(workspace)
        clock.advance(timedelta(hours=25))
    # So much later nobody is signed in any more.
    await claim(workspace.room, officer_of(officer), uuid.UUID(conversation))
    async with browsing(workspace, officer) as (page, address):
        await page.goto(f"{address}/percakapan/{conversation}")
        await page.get_by_text("lebih dari 24 jam").wait_for()
        await page.get_by_role("button", name="Kirim ulang lewat templat").click()
        await page.get_by_text("antre kirim").wait_for()
        assert await of_officers(workspace) == [("officer", "queued")]
        await page.get_by_label("Balasan", exact=True).fill("Berkasnya sudah jadi")
        await page.get_by_label("Kirim lewat templat kabar_petugas").check()
        await page.get_by_role("button", name="Kirim", exact=True).click()
        await page.locator("#transcript").get_by_text("Berkasnya sudah jadi").wait_for()


async def test_a_reply_that_is_refused_is_not_lost(workspace: Workspace, officer: Account) -> None:
    conversation = await waiting(workspace, "tolong")
    await claim(workspace.room, officer_of(officer), uuid.UUID(conversation))
    async with browsing(workspace, officer) as (page, address):
        await page.goto(f"{address}/percakapan/{conversation}")
        reply = page.get_by_label("Balasan", exact=True)
        await reply.fill("Jawaban panjang saya")
        colleague = await add_account(workspace, "bos", "Bu Penyelia", Role.SUPERVISOR, ["dispendukcapil"], PASSWORD)
        await _taken_away(workspace, conversation, colleague)
        await page.get_by_role("button", name="Kirim", exact=True).click()
        await page.get_by_role("alert").wait_for()
        await page.get_by_text("Jawaban panjang saya").wait_for()


async def test_a_reply_goes_out_once_and_is_kept_until_it_has(workspace: Workspace, officer: Account) -> None:
    conversation = await waiting(workspace, "tolong")
    await claim(workspace.room, officer_of(officer), uuid.UUID(conversation))
    async with browsing(workspace, officer) as (page, address):
        await page.goto(f"{address}/percakapan/{conversation}")
        reply = page.get_by_label("Balasan", exact=True)
        await reply.fill("Sudah jadi")
        async with page.expect_navigation():
            await page.evaluate("for (const _ of [1, 2, 3]) document.querySelector('#reply').requestSubmit()")
        await page.locator("#transcript").get_by_text("Sudah jadi").wait_for()
        assert await of_officers(workspace) == [("officer", "queued")]
        await expect(reply).to_have_value("")

        await reply.press_sequentially("jangan hilang")
        cookies = await page.context.cookies()
        await page.context.clear_cookies()
        async with page.expect_navigation():
            await reply.press("Control+Enter")
        await page.context.add_cookies(cookies)  # type: ignore[arg-type]
        await page.goto(f"{address}/percakapan/{conversation}")
        await expect(reply).to_have_value("jangan hilang")
        await reply.press("Control+Enter")
        await page.locator("#transcript").get_by_text("jangan hilang").wait_for()
        await page.reload()
        await expect(reply).to_have_value("")


async def _taken_away(workspace: Workspace, conversation: str, by: Account) -> None:
    async with workspace.engine.begin() as connection:
        await connection.execute(
            text("UPDATE bot.conversations SET officer = :officer WHERE id = :id"),
            {"officer": str(by.id), "id": conversation},
        )


async def test_every_page_is_whole_on_a_desk_and_on_a_phone(
    workspace: Workspace, admin: Account, officer: Account, channel: Client
) -> None:
    conversation = await waiting(workspace, "KTP saya hilang bu, harus bagaimana ya? Ini foto KK saya")
    await waiting(workspace, "saya tidak mengerti", "ID.2")
    number = str((await channel.file(contact=conversation))["number"])
    await channel.open(contact=conversation)
    await claim(workspace.room, officer_of(admin), uuid.UUID(conversation))
    await fail(workspace)
    pages = {
        "antrean": "",
        "percakapan": f"percakapan/{conversation}",
        "permohonan": "permohonan",
        "satu": f"permohonan/{number}",
        "papan": "papan",
        "laporan": "laporan",
        "akun": "akun",
        "semua": "akun/semua",
        "audit": "audit",
        "tidak-ada": "tidak-ada",
    }
    async with browsing(workspace, admin) as (page, address):
        for width, height in ((1280, 800), (WIDTH, 844)):
            await page.set_viewport_size({"width": width, "height": height})
            for name, path in pages.items():
                await page.goto(f"{address}/{path}")
                await _unfold(page)
                if PICTURES:
                    await page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
                assert await serious_faults(page) == [], path
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def _unfold(page: Page) -> None:
    for summary in await page.locator("main summary").all():
        await summary.click()
    if await page.locator(".later").count():
        await page.get_by_role("combobox", name="Ke kantor").wait_for()
