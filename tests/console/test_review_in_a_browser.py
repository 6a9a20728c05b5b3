"""Review in a real browser: by keyboard alone, at a phone's width, and with nothing for axe to complain of."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Page, async_playwright
from sqlalchemy import insert

from console.accounts import Account, Role, add_account
from console.app import PREFIX, create_console
from console.protection import COOKIE
from console.review.label_changes import Wording, changes_now, merge, propose
from console.review.opinions import Label, decide, final_labels
from console.review.reviewed_set import make_set
from console.sessions import Proof, open_session
from console.tables import shadow_answers, shadows
from console.workspace import Workspace
from learning.label_changes import Subject
from tests.console.conftest import PASSWORD
from tests.console.test_review import Talk, picked

CHROMIUM = shutil.which("chromium")
WIDTH = 390
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
PICTURES = os.environ.get("PRAJA_TEST_PICTURES")
"""a folder for pictures of what was seen"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed (Debian: apt-get install chromium)"),
]


@pytest.fixture
async def reviewer(workspace: Workspace) -> Account:
    return await add_account(workspace, "bos", "Bu Penyelia", Role.SUPERVISOR, ["dispendukcapil"], PASSWORD)


@contextlib.asynccontextmanager
async def browsing(workspace: Workspace, account: Account, *, scripts: bool = True) -> AsyncIterator[tuple[Page, str]]:
    """A phone that is signed in already, and the console's address."""
    app = web.Application()
    app.add_subapp(PREFIX, create_console(workspace))
    token = await open_session(workspace, account, Proof.BOTH, "uji")
    async with TestServer(app) as server, async_playwright() as playwright:
        address = str(server.make_url(PREFIX))
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(
            viewport={"width": WIDTH, "height": 844}, locale="id-ID", java_script_enabled=scripts
        )
        await context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if _is_fault(message) else None)
        yield page, address
        await browser.close()
    assert errors == []


def _is_fault(said: ConsoleMessage) -> bool:
    """Not that an address answered with an error, which pages say in words."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")


async def press(page: Page, key: str, shows: str) -> None:
    """A key that leads to another page, which then shows that."""
    async with page.expect_navigation():
        await page.keyboard.press(key)
    await page.get_by_text(shows).first.wait_for()


async def look(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"tinjauan-{name}.png", full_page=True)
    found = await Axe().run(page, options=RULES)
    assert found.response["violations"] == [], found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth") <= WIDTH


async def test_a_message_is_judged_by_keys(workspace: Workspace, reviewer: Account) -> None:
    first, second = await picked(workspace, "bayar berapa bikin ktp", "iku lho sing wingi")
    async with browsing(workspace, reviewer) as (page, address):
        await page.goto(f"{address}/tinjauan")
        await page.get_by_text("iku lho sing wingi").first.wait_for()
        await press(page, "s", "bayar berapa bikin ktp")
        await page.keyboard.press("/")
        await page.keyboard.type("KTP-el hilang (ktp_hilang)")
        await page.keyboard.press("Enter")  # chooses a service, and must not choose an intent
        await page.keyboard.press("Escape")
        await press(page, "1", "Terakhir:")
        (judged,) = await final_labels(workspace.review)
        assert (judged.message, judged.label) == (first, Label("tanya_biaya", "ktp_hilang"))
        await press(page, "u", "iku lho sing wingi")
        assert await page.get_by_text("Terakhir:").count() == 0
        assert await final_labels(workspace.review) == []
        await page.get_by_label("Pintasan papan ketik").uncheck()
        await page.keyboard.press("x")
        await page.get_by_label("Pintasan papan ketik").check()
        await press(page, "x", "Terakhir:")
        assert [(one.message, one.label.intent) for one in await final_labels(workspace.review)] == [(second, None)]


async def test_without_scripts(workspace: Workspace, reviewer: Account) -> None:
    await picked(workspace, "bayar berapa bikin ktp")
    async with browsing(workspace, reviewer, scripts=False) as (page, address):
        await page.goto(f"{address}/tinjauan")
        await page.get_by_text("Semua niat dan batasnya").click()
        await page.get_by_role("button", name="Pamit", exact=True).click()
        await page.get_by_text("Tidak ada pesan yang perlu Anda nilai").wait_for()
        assert [one.label for one in await final_labels(workspace.review)] == [Label("pamit", None)]


async def test_every_page_passes_axe_at_a_phone_s_width(
    workspace: Workspace, reviewer: Account, admin: Account
) -> None:
    talk = Talk(workspace)
    for n in range(6):
        await talk.say(f"perpanjang sim bisa di sini {n}", "di_luar_topik", 0.99)
    random = await picked(workspace, "satu hal", "hal kedua", random=True, twice=True)
    await decide(workspace, admin, random, Label("tanya_biaya", None))
    await decide(workspace, reviewer, random[:1], Label("tanya_biaya", None))
    await decide(workspace, reviewer, random[1:], Label("salam", "ktp_hilang"))
    taught = await picked(workspace, "xyz sama", "XYZ sama!", "xyz lain")
    await decide(workspace, reviewer, taught[:1], Label("salam", None))
    await decide(workspace, reviewer, taught[1:], Label("pamit", "ktp_hilang"))
    await picked(workspace, "berapa biaya urus ktp yang hilang di jalan raya", "berapa biaya urus ktp yang hilang")
    async with browsing(workspace, reviewer) as (page, address):
        for name in ("", "?mode=kelompok", "/keputusan", "/mutu", "/set", "/wawasan"):
            await page.goto(f"{address}/tinjauan{name}")
            for details in await page.locator("details").all():
                await details.locator("summary").click()
            await look(page, name.strip("/?").replace("=", "-") or "menilai")


async def test_pages_of_labels_sets_and_shadows_pass_axe_at_a_phone_s_width(
    workspace: Workspace, reviewer: Account, admin: Account
) -> None:
    wording = Wording("Tanya denda", "bertanya denda keterlambatan", "Biaya layanan: Tanya biaya.")
    await propose(workspace, reviewer, Subject.INTENT, "tanya_denda", wording)
    await propose(workspace, admin, Subject.SERVICE, "sewa_gedung", wording)
    await merge(workspace, admin, Subject.INTENT, "pamit", "salam")
    taught = await picked(workspace, "mau sewa gedung serbaguna buat resepsi bulan depan", "telat bayar kena denda")
    await decide(workspace, reviewer, taught, Label("tanya_biaya", None))
    name = await make_set(workspace, reviewer)
    other = await Talk(workspace).say("berapa denda kalau telat mengurus akta kelahiran", "tanya_biaya")
    now = workspace.clock()
    async with workspace.engine.begin() as connection:
        row = insert(shadows).values(
            model="20261130-004141-tender-function.tar.gz", since=0, started_at=now, read_at=now
        )
        shadow = await connection.scalar(row.values(started_by=admin.id).returning(shadows.c.id))
        answer = {
            "shadow": shadow,
            "at": now,
            "live_intent": "tanya_biaya",
            "intent": "tanya_syarat",
            "confidence": 0.7,
        }
        await connection.execute(insert(shadow_answers).values(**answer, message=other, differs=True))
    paths = ["tinjauan/label", "tinjauan/label/niat/tanya_biaya?cari=biaya", f"tinjauan/set/{name}", "bayangan"]
    async with browsing(workspace, admin) as (page, address):
        for path in paths:
            await page.goto(f"{address}/{path}")
            for details in await page.locator("details").all():
                await details.locator("summary").click()
            await look(page, path.partition("?")[0].replace("/", "-"))


async def test_a_label_is_split_with_a_few_clicks(workspace: Workspace, admin: Account) -> None:
    async with browsing(workspace, admin) as (page, address):
        await page.goto(f"{address}/tinjauan/label/niat/pamit?cari=sampai+jumpa")
        await page.get_by_role("group", name="Contoh").get_by_role("checkbox").first.check()
        await page.get_by_label("Pindahkan yang dicentang ke").select_option("salam")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Pindahkan").click()
        await page.get_by_role("link", name="Label", exact=True).click()
        await page.get_by_text("dipecah ke salam").wait_for()
        async with page.expect_navigation():
            await page.get_by_role("button", name="Batalkan perubahan pamit").click()
        await page.get_by_text("dibatalkan Kepala Admin").wait_for()
    assert (await changes_now(workspace.review)).changes == []
