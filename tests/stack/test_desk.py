"""Two officers and a citizen at once, in real browsers: who has the conversation, who speaks, and who gets it back."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright
from playwright.async_api import TimeoutError as NotSeen

from backend.catalogue import Catalogue
from tests.stack.browser import CHROMIUM, QUIET
from tests.stack.citizen import SimulatorPhone, file_service, titles_of
from tests.stack.officer import OfficerPage, add_officer, serious_faults, sign_in
from tests.stack.running import Running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed (Debian: apt-get install chromium)"),
]


@contextlib.asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield browser
        finally:
            await browser.close()


async def ask_for_a_person(stack: Running, mark: str) -> SimulatorPhone:
    """A citizen whose conversation waits; `mark` tells it apart in the queue."""
    phone = SimulatorPhone(stack.url, f"warga-{uuid.uuid4().hex[:10]}")
    await asyncio.to_thread(phone.say, "mau ngomong sama petugas")
    await asyncio.to_thread(phone.say, mark)
    return phone


async def hand_over(holder: OfficerPage, colleague: str) -> None:
    await holder.page.locator("summary", has_text="Alihkan").click()
    listed = holder.page.get_by_label("Ke rekan")
    chosen = await listed.locator("option", has_text=colleague).get_attribute("value")
    await listed.select_option(chosen)
    await holder.page.get_by_label("Pesan untuk rekan").fill("Tolong lanjutkan")
    await holder.page.get_by_role("button", name="Serahkan").click()
    await holder.page.get_by_text(f"Sedang ditangani rekan: {colleague}").wait_for()


async def typing_is_seen(writer: OfficerPage, reader: OfficerPage) -> None:
    """It is shown for some seconds, and told anew by who goes on typing."""
    for _ in range(12):
        await writer.page.locator("#text").press_sequentially("baik")
        with contextlib.suppress(NotSeen):
            await reader.page.get_by_text("Rina W. sedang mengetik").wait_for(timeout=5000)
            return
    raise AssertionError("never seen")


async def both(officers: list[OfficerPage], conversation: str) -> list[int]:
    return list(await asyncio.gather(*(officer.post(conversation, "ambil", {}) for officer in officers)))


async def test_a_conversation_is_taken_answered_and_given_back(stack: Running) -> None:
    mark = f"tolong {uuid.uuid4().hex[:8]}"
    async with a_browser() as browser:
        names = [f"{name} {uuid.uuid4().hex[:6]}" for name in ("Rina", "Dewi")]
        rina, dewi = [await sign_in(browser, stack, add_officer(stack, name)) for name in names]
        phone = await ask_for_a_person(stack, mark)
        conversation = await rina.waiting(mark)
        statuses = await both([rina, dewi], conversation)
        assert sorted(statuses) == [200, 409]
        winner, loser = (rina, dewi) if statuses[0] == 200 else (dewi, rina)
        of_loser = names[1] if statuses[0] == 200 else names[0]

        await winner.open(conversation)
        await winner.say("Selamat pagi, ada yang bisa dibantu?")
        heard = await asyncio.to_thread(wait_for, phone, "Selamat pagi")
        assert "Selamat pagi, ada yang bisa dibantu?" in heard

        await loser.open(conversation)
        assert await loser.page.get_by_text("Sedang ditangani rekan").is_visible()
        # The bot is silent, and what the citizen writes comes to the officer's screen by itself.
        assert await asyncio.to_thread(phone.say, "syarat ktp hilang apa saja?") == []
        await winner.page.locator("#transcript").get_by_text("syarat ktp hilang apa saja?").wait_for(timeout=60_000)

        await hand_over(winner, of_loser)
        await loser.open(conversation)
        await loser.page.locator("#transcript").get_by_text("Tolong lanjutkan").wait_for()
        await loser.page.get_by_role("button", name="Selesai, kembali ke bot").click()
        await loser.page.get_by_text("sedang dijawab bot").wait_for()
        await asyncio.to_thread(wait_for, phone, "selesai")
        answered = await asyncio.to_thread(phone.say, "syarat ktp hilang apa saja?")
        assert any("Syarat" in bubble.text for bubble in answered)
        assert rina.errors == dewi.errors == []


async def test_a_filing_that_an_officer_offers_is_begun_with_the_bot(stack: Running) -> None:
    mark = f"bantu {uuid.uuid4().hex[:8]}"
    async with a_browser() as browser:
        rina = await sign_in(browser, stack, add_officer(stack, "Rina W."))
        dewi = await sign_in(browser, stack, add_officer(stack, "Dewi S."))
        phone = await ask_for_a_person(stack, mark)
        conversation = await rina.waiting(mark)
        assert await rina.post(conversation, "ambil", {}) == 200
        await rina.open(conversation)
        await dewi.open(conversation)
        await typing_is_seen(rina, dewi)
        await rina.page.get_by_text("Tawarkan pengajuan").click()
        await rina.page.locator("select[name=service]").select_option("ktp_hilang")
        await rina.page.get_by_role("button", name="Tawarkan, kembali ke bot").click()
        await rina.page.get_by_text("sedang dijawab bot").wait_for()
        await asyncio.to_thread(wait_for, phone, "KTP-el hilang")
        answered = await asyncio.to_thread(phone.tap, "Mulai mengisi")
        assert "Setuju, mulai" in titles_of(answered)
        assert rina.errors == dewi.errors == []


async def test_no_page_has_a_serious_barrier_or_is_wider_than_a_phone(stack: Running, catalogue: Catalogue) -> None:
    mark = f"halo {uuid.uuid4().hex[:8]}"
    citizen = SimulatorPhone(stack.url, f"warga-{uuid.uuid4().hex[:10]}")
    number, _ = await asyncio.to_thread(file_service, citizen, catalogue.services["ktp_hilang"])
    async with a_browser() as browser:
        admin = await sign_in(browser, stack, add_officer(stack, "Bu Kepala", role="admin", agency=None))
        await ask_for_a_person(stack, mark)
        conversation = await admin.waiting(mark)
        await admin.open(conversation)
        await admin.page.get_by_role("button", name="Ambil percakapan ini").click()
        await admin.page.locator("#text").wait_for()
        pages = [
            *("", f"percakapan/{conversation}", "permohonan", f"permohonan/{number}", "papan", "laporan"),
            *("akun", "akun/semua", "audit", "tidak-ada"),
        ]
        for width, height in ((1366, 768), (390, 844)):
            await admin.page.set_viewport_size({"width": width, "height": height})
            for path in pages:
                await admin.page.goto(f"{stack.url}/console/{path}")
                assert await serious_faults(admin.page) == [], path
                assert await admin.page.evaluate("document.documentElement.scrollWidth") <= width, path
        stranger = await (await browser.new_context(locale="id-ID")).new_page()
        await stranger.goto(f"{stack.url}/console/masuk")
        assert await serious_faults(stranger) == []
        assert admin.errors == []


@pytest.mark.verify
async def test_of_two_who_claim_at_once_one_wins_two_hundred_times(stack: Running) -> None:
    mark = f"balapan {uuid.uuid4().hex[:8]}"
    async with a_browser() as browser:
        officers = [await sign_in(browser, stack, add_officer(stack, name)) for name in ("Rina W.", "Dewi S.")]
        await ask_for_a_person(stack, mark)
        conversation = await officers[0].waiting(mark)
        for _ in range(200):
            statuses = await both(officers, conversation)
            assert sorted(statuses) == [200, 409]
            assert await officers[statuses.index(200)].post(conversation, "lepas", {"note": ""}) == 200


@pytest.mark.verify
async def test_an_officer_who_vanishes_loses_the_conversation_to_the_queue(stack: Running) -> None:
    mark = f"hilang {uuid.uuid4().hex[:8]}"
    async with a_browser() as browser:
        rina = await sign_in(browser, stack, add_officer(stack, "Rina W."))
        dewi = await sign_in(browser, stack, add_officer(stack, "Dewi S."))
        await ask_for_a_person(stack, mark)
        conversation = await rina.waiting(mark)
        await rina.open(conversation)
        await rina.page.get_by_role("button", name="Ambil percakapan ini").click()
        await rina.page.locator("#text").wait_for()
        await asyncio.sleep(75)  # longer than a lease: the open page keeps it
        await dewi.open(conversation)
        assert await dewi.page.get_by_text("Sedang ditangani rekan").is_visible()
        await rina.page.context.close()
        # Half a minute until the connection counts as gone, a minute of lease, and the list is asked for again.
        assert await dewi.waiting(mark, seconds=130) == conversation
        await dewi.open(conversation)
        assert await dewi.page.get_by_role("button", name="Ambil percakapan ini").is_visible()


def wait_for(phone: SimulatorPhone, words: str) -> str:
    """Waits until the citizen has heard these words from somebody."""
    deadline = time.monotonic() + 20
    heard = ""
    while time.monotonic() < deadline:
        heard += "\n".join(bubble.text for bubble in phone.later())
        if re.search(words, heard, re.IGNORECASE):
            return heard
        time.sleep(0.2)
    raise AssertionError(f"never heard {words!r}: {heard}")
