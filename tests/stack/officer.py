"""An officer at the desk: an account made from the shell, and a browser to sign in with."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyotp
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page

from tests.stack.running import ROOT, Running

__all__ = [
    "OfficerAccount",
    "OfficerPage",
    "add_officer",
    "as_operator",
    "enrol",
    "give_password",
    "serious_faults",
    "sign_in",
]


@dataclass(frozen=True)
class OfficerAccount:
    username: str
    name: str
    password: str


def add_officer(
    stack: Running, name: str, *, role: str = "petugas", agency: str | Sequence[str] | None = "umum"
) -> OfficerAccount:
    """By `praja user add`, as an operator does it."""
    username = f"uji-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-m", "praja.command", "user", "add", username, "--name", name, "--role", role]
    for one in [agency] if isinstance(agency, str) else agency or ():
        command += ["--agency", one]
    said = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(as_operator(stack)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    found = re.search(r"Kata sandi sementara: (\S+)", said)
    assert found is not None, said
    return OfficerAccount(username, name, found[1])


async def sign_in(browser: Browser, stack: Running, account: OfficerAccount, **context: object) -> OfficerPage:
    """In a browser of their own; enrols the authenticator, as everybody does the first time."""
    page = await (await browser.new_context(locale="id-ID", **context)).new_page()  # type: ignore[arg-type]
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if _is_fault(said) else None)
    await page.goto(f"{stack.url}/console/masuk")
    await give_password(page, account)
    await enrol(page)
    return OfficerPage(page, stack, errors)


async def give_password(page: Page, account: OfficerAccount) -> None:
    """On the page for signing in."""
    await page.get_by_label("Nama akun").fill(account.username)
    await page.get_by_label("Kata sandi").fill(account.password)
    await page.get_by_role("button", name="Lanjut").click()


async def enrol(page: Page) -> None:
    secret = await page.locator("[name=secret]").get_attribute("value")
    await page.get_by_label("Enam angka yang muncul").fill(pyotp.TOTP(str(secret)).at(datetime.now(UTC)))
    await page.get_by_role("button", name="Daftarkan").click()
    await page.wait_for_url("**/console/")


async def serious_faults(page: Page) -> list[str]:
    """What axe finds of WCAG 2.1 A and AA that is serious or critical."""
    found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return [
        f"{fault['id']}: {fault['nodes'][0]['html']}"
        for fault in found.response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@dataclass
class OfficerPage:
    page: Page
    stack: Running
    errors: list[str]

    async def open(self, conversation: str) -> None:
        async with self._until_it_hears():
            await self.page.goto(f"{self.stack.url}/console/percakapan/{conversation}")

    async def waiting(self, text: str, seconds: float = 60) -> str:
        """The conversation in the queue whose last message holds `text`; waits until it is there."""
        link = self.page.locator("#queue .items a", has_text=text).first
        await link.wait_for(timeout=seconds * 1000)
        address = await link.get_attribute("href")
        found = re.search(r"[0-9a-f-]{36}", str(address))
        assert found is not None
        return found[0]

    async def post(self, conversation: str, act: str, form: Mapping[str, str]) -> int:
        """As the page's own form would; the status at the end of the redirects."""
        return int(
            await self.page.evaluate(
                """async ([address, form]) => {
                    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
                    const body = new URLSearchParams({csrf: token, ...form});
                    return (await fetch(address, {method: "POST", body})).status;
                }""",
                [f"/console/percakapan/{conversation}/{act}", dict(form)],
            )
        )

    async def say(self, text: str) -> None:
        await self.page.locator("#text").fill(text)
        async with self._until_it_hears():
            await self.page.get_by_role("button", name="Kirim", exact=True).click()

    @contextlib.asynccontextmanager
    async def _until_it_hears(self) -> AsyncIterator[None]:
        """At the end of the block the page that it leads to is told of what happens."""
        async with self.page.expect_response(f"{self.stack.url}/console/siaran?*", timeout=60_000):
            yield


def _is_fault(said: ConsoleMessage) -> bool:
    """What a page logs by itself, a refusal of its own policy among it; not that an address answered with an error."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")


def as_operator(stack: Running) -> Mapping[str, str]:
    """The environment in which `praja` is called beside a running stack."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRAJA_")}
    return {**environment, **stack.extra, "PRAJA_HOME": str(stack.home)}
