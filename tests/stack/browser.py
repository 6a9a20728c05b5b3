"""A phone in a real browser: Debian's chromium, driven by Playwright, at a phone's width."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.stack.citizen import Heard
from tests.stack.small_picture import small_picture

CHROMIUM = shutil.which("chromium")
WIDTH, HEIGHT = 390, 844
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextlib.contextmanager
def phone_page() -> Iterator[Page]:
    """A page that fails the test on any error of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2, locale="id-ID")
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        try:
            yield page
        finally:
            browser.close()
        assert errors == []


class BrowserPhone:
    """The simulator's page, used with eyes and thumbs."""

    def __init__(self, page: Page, url: str, sender: str) -> None:
        self._page = page
        self._heard = 0
        page.goto(f"{url}/simulator?sender={sender}")
        page.get_by_label("Ketik pesan").wait_for()

    def say(self, text: str) -> list[Heard]:
        self._page.get_by_label("Ketik pesan").fill(text)
        self._page.keyboard.press("Enter")
        return self._answer()

    def tap(self, title: str) -> list[Heard]:
        self._page.locator(".choices button", has_text=title).last.click()
        return self._answer()

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]:
        self._page.locator("#file").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": content})
        self._page.get_by_label("Kirim", exact=True).click()
        return self._answer()

    def picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(small_picture(self._page.screenshot()))

    def _answer(self) -> list[Heard]:
        bubbles = self._page.locator("li.bot")
        bubbles.nth(self._heard).wait_for(timeout=40_000)
        self._page.locator("li.typing").wait_for(state="detached", timeout=40_000)
        new = [bubbles.nth(position) for position in range(self._heard, bubbles.count())]
        self._heard += len(new)
        return [
            Heard(b.locator(".bubble").inner_text(), tuple(b.locator(".choices button").all_inner_texts())) for b in new
        ]
