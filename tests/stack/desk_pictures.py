"""The pictures of the officers' guides, one of each page, taken of a running stack; everything in them is invented."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Page, async_playwright

from backend.catalogue import Catalogue
from tests.stack.browser import CHROMIUM, HEIGHT, QUIET, WIDTH
from tests.stack.citizen import SimulatorPhone, file_service
from tests.stack.officer import OfficerPage, add_officer, enrol, give_password, sign_in
from tests.stack.running import Running
from tests.stack.small_picture import small_picture

__all__ = ["take_desk_pictures"]

_SIZE = {"width": 1280, "height": 800}
_AGENCIES = ("dispendukcapil", "umum")
_OF_OFFICERS = {"filings": "permohonan", "own": "akun"}
_OF_SUPERVISORS = {
    "board": "papan",
    "reports": "laporan",
    "review-decisions": "tinjauan/keputusan",
    "review-quality": "tinjauan/mutu",
    "review-insight": "tinjauan/wawasan",
}
_OF_ADMINS = {
    "accounts": "akun/semua",
    "audit": "audit",
    "labels": "tinjauan/label",
    "shadow": "tinjauan/bayangan",
}
"""name of the picture → address of the page; those of what has to be there first are taken by test_retraining.py"""


async def take_desk_pictures(stack: Running, catalogue: Catalogue, folder: Path) -> None:
    number = await asyncio.to_thread(_citizens, stack.url, catalogue)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        stranger = await (await browser.new_context(locale="id-ID", viewport=_SIZE)).new_page()  # type: ignore[arg-type]
        await stranger.goto(f"{stack.url}/console/masuk")
        await _take(stranger, folder / "login.png")
        await _take_signing_in(stranger, stack, folder)

        rina = await sign_in(browser, stack, add_officer(stack, "Rina W.", agency=_AGENCIES), viewport=_SIZE)
        await _answer(rina)
        await _take(rina.page, folder / "desk.png")
        await rina.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        await _take(rina.page, folder / "desk-phone.png")
        await rina.page.set_viewport_size(_SIZE)  # type: ignore[arg-type]
        await _open_filing(rina.page, stack.url, number)
        await _take(rina.page, folder / "filing.png")
        await _take_each(rina, _OF_OFFICERS, folder)

        ratna = add_officer(stack, "Bu Ratna", role="penyelia", agency=_AGENCIES)
        await _take_each(await sign_in(browser, stack, ratna, viewport=_SIZE), _OF_SUPERVISORS, folder)
        kepala = add_officer(stack, "Bu Kepala", role="admin", agency=None)
        await _take_each(await sign_in(browser, stack, kepala, viewport=_SIZE), _OF_ADMINS, folder)
        await browser.close()


async def _take_signing_in(page: Page, stack: Running, folder: Path) -> None:
    """The authenticator is enrolled the first time, and asked for its code the next."""
    account = add_officer(stack, "Budi S.")
    await give_password(page, account)
    await _take(page, folder / "enrol.png")
    await enrol(page)
    await page.goto(f"{stack.url}/console/akun")
    await page.get_by_role("button", name="Keluar").click()
    await give_password(page, account)
    await _take(page, folder / "code.png")


async def _take_each(officer: OfficerPage, pages: dict[str, str], folder: Path) -> None:
    for name, path in pages.items():
        await officer.page.goto(f"{officer.stack.url}/console/{path}")
        await _take(officer.page, folder / f"{name}.png")


async def _take(page: Page, path: Path) -> None:
    png = await page.screenshot()
    await asyncio.to_thread(lambda: path.write_bytes(small_picture(png)))


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
