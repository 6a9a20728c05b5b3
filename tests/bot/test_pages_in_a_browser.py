"""The pages behind one-time links in a real browser, at a phone's width: axe finds nothing, and no script is needed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from bot.server import BotSettings
from tests.bot.outside import Bot, bot_running
from tests.bot.test_links import KK, SURVEY, jpeg, link
from tests.fakes.backend import TOKEN as BACKEND_TOKEN
from tests.fakes.backend import FakeBackend
from tests.fakes.rasa import FakeRasa

CHROMIUM = shutil.which("chromium")
WIDTH = 390
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
PICTURES = os.environ.get("PRAJA_TEST_PICTURES")
"""a folder for pictures of what was seen"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed (Debian: apt-get install chromium)"),
]


@contextlib.asynccontextmanager
async def phone(*, scripts: bool = True) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": 844}, locale="id-ID", java_script_enabled=scripts
        )
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()
        assert [text for text in complaints if "status of 4" not in text and "status of 5" not in text] == []


async def look(page: Page, name: str) -> None:
    """Nothing to complain of for axe, nothing to scroll sideways, and a picture if somebody wants one."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
    found = await Axe().run(page, options=RULES)
    assert found.response["violations"] == [], found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert await page.evaluate("document.documentElement.lang") == "id"


def file(content: bytes, name: str = "kk.jpg") -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


@pytest.fixture
async def bot(settings: BotSettings) -> AsyncIterator[Bot]:
    async with FakeBackend() as district:
        backend = {"backend_url": district.url, "backend_token": BACKEND_TOKEN, "actions_url": district.url}
        async with bot_running(replace(settings, telegram=None, whatsapp=None, **backend)) as bot:
            await bot.say(text="mau urus KTP hilang")
            yield bot


async def test_every_page_passes_axe(bot: Bot) -> None:
    async with phone() as page:
        upload = await link(bot, "unggah", {**KK, "pages": 3})
        await page.goto(upload)
        await look(page, "unggah")
        await page.get_by_label("Pilih foto").set_input_files(file(b"bukan foto"))
        await page.get_by_role("button", name="Kirim berkas").click()
        alert = page.get_by_role("alert")
        # Until then the page may still be the one before.
        await expect(alert).to_be_focused(timeout=30_000)
        await look(page, "unggah-galat")
        assert "bukan foto atau PDF" in await alert.inner_text()
        assert await page.title() == "Belum terkirim: Kirim Kartu Keluarga (KK) – Praja"
        await page.get_by_label("Pilih foto").set_input_files([file(jpeg()), file(jpeg(), "kk2.jpg")])
        await page.get_by_role("button", name="Kirim berkas").click()
        await page.get_by_role("heading", name="Berkas sudah kami terima").wait_for()
        await look(page, "unggah-terkirim")
        await page.goto(await link(bot, "penilaian", SURVEY))
        await look(page, "penilaian")
        await page.get_by_role("button", name="Kirim penilaian").click()
        await expect(page.get_by_role("alert")).to_be_focused(timeout=30_000)
        await look(page, "penilaian-galat")
        await page.goto(await link(bot, "data"))
        await look(page, "data")
        await page.goto(bot.url + "/unggah/tidak-ada")
        await look(page, "tidak-berlaku")


async def test_every_page_works_without_scripts(bot: Bot, rasa: FakeRasa) -> None:
    async with phone(scripts=False) as page:
        await page.goto(await link(bot, "unggah", KK))
        await page.get_by_label("Pilih foto").set_input_files(file(jpeg()))
        await page.get_by_role("button", name="Kirim berkas").click()
        await page.get_by_role("heading", name="Berkas sudah kami terima").wait_for()
        await bot.until(bot.idle)
        assert rasa.turns[-1]["file"]["caption"] == "Kartu Keluarga (KK)"
        await page.goto(await link(bot, "penilaian", SURVEY))
        await page.get_by_role("group", name="3.").get_by_label("Kurang cepat").check()
        await page.get_by_label("Saran untuk kami").fill("Lebih cepat lagi.")
        await page.get_by_role("button", name="Kirim penilaian").click()
        await page.get_by_role("heading", name="Terima kasih").wait_for()
        await page.goto(await link(bot, "data"))
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Unduh data saya").click()
        assert (await download.value).suggested_filename == "data-saya.json"
