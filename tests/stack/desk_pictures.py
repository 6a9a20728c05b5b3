"""The pictures of the officers' guides, taken of a running stack; everything in them is invented."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Page, async_playwright

from backend.catalogue import Catalogue
from tests.stack.browser import CHROMIUM, QUIET
from tests.stack.citizen import SimulatorPhone, file_service
from tests.stack.officer import OfficerPage, add_officer, sign_in
from tests.stack.running import Running

__all__ = ["take_desk_pictures"]

_SIZE = {"width": 1360, "height": 820}


async def take_desk_pictures(stack: Running, catalogue: Catalogue, folder: Path) -> None:
    """`desk.png`, `filing.png`, `board.png`."""
    number = await asyncio.to_thread(_citizens, stack.url, catalogue)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        agencies = ("dispendukcapil", "umum")
        rina = await sign_in(browser, stack, add_officer(stack, "Rina W.", agency=agencies), viewport=_SIZE)
        ibu = await sign_in(
            browser, stack, add_officer(stack, "Bu Ratna", role="penyelia", agency=agencies), viewport=_SIZE
        )
        await _answer(rina)
        await rina.page.screenshot(path=folder / "desk.png")
        await _open_filing(rina.page, stack.url, number)
        await rina.page.screenshot(path=folder / "filing.png")
        await ibu.page.goto(f"{stack.url}/console/papan")
        await ibu.page.screenshot(path=folder / "board.png")
        await browser.close()


def _citizens(url: str, catalogue: Catalogue) -> str:
    """Three who want a person; the number of what the first has filed."""
    siti = SimulatorPhone(url, "siti-gambar")
    number, _ = file_service(siti, catalogue.services["ktp_hilang"])
    siti.say("mau bicara petugas")
    siti.say("Bu, apa bisa diambil hari Sabtu?")
    for name, wish in (("wati-gambar", "akta lahir anak saya salah nama"), ("tono-gambar", "cara pakai ini gimana")):
        phone = SimulatorPhone(url, name)
        phone.say("minta petugas")
        phone.say(wish)
    return number


async def _answer(officer: OfficerPage) -> None:
    conversation = await officer.waiting("hari Sabtu")
    await officer.open(conversation)
    await officer.page.get_by_role("button", name="Ambil percakapan ini").click()
    await officer.say("Selamat pagi, saya Rina. Saya periksa dulu.")
    await officer.page.locator("#transcript").get_by_text("Saya periksa dulu").wait_for()
    await officer.page.goto(f"{officer.stack.url}/console/percakapan/{conversation}?view=all")
    await officer.page.wait_for_timeout(1500)  # until the message is delivered, which the picture shows


async def _open_filing(page: Page, url: str, number: str) -> None:
    await page.goto(f"{url}/console/permohonan/{number}")
    await page.get_by_role("button", name="Mulai proses").click()
    await page.locator("summary", has_text="Minta perbaikan").click()
    await page.wait_for_timeout(500)  # the documents' pictures
