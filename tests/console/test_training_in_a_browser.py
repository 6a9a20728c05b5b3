"""Training in a real browser: the part that goes on by itself, at a phone's width, with nothing for axe to complain of."""

from __future__ import annotations

import shutil

import pytest

from console.accounts import Account
from console.training.room import TrainingRoom
from console.workspace import Workspace
from tests.console.test_review_in_a_browser import browsing, look
from tests.console.test_training import room  # noqa: F401

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium isn't installed"),
]


@pytest.mark.parametrize("how", ["", "refuses"])
async def test_a_training_is_watched_and_its_model_judged(
    workspace: Workspace,
    room: TrainingRoom,  # noqa: F811
    admin: Account,
    how: str,
) -> None:
    (room.root / "how.txt").write_text(how)
    async with browsing(workspace, admin) as (page, address):
        await page.goto(f"{address}/latihan")
        await look(page, f"latihan-{how}")
        await page.get_by_role("button", name="Latih model baru").click()
        # Nobody loads the page again.
        await page.get_by_text("ditolak gerbang" if how else "lulus gerbang").wait_for()
        await page.get_by_text("Catatan").first.click()
        await look(page, f"terlatih-{how}")
        await page.get_by_role("link", name="m2", exact=True).click()
        await page.get_by_role("heading", name="m2.tar.gz").wait_for()
        assert await page.get_by_role("button", name="Hidupkan", exact=True).is_disabled() is bool(how)
        await page.get_by_text("Hidupkan walau ditolak").click()
        await look(page, f"gerbang-{how}")
        if how:
            await page.get_by_label("Alasan").fill("layanan baru mendesak")
        await page.get_by_role("button", name="Paksa hidup" if how else "Hidupkan", exact=True).click()
        await page.get_by_role("button", name="Kembali ke m1.tar.gz").wait_for()
        await look(page, f"hidup-{how}")
