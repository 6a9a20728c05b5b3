"""The simulator in a browser makes the same filing as everything else, at a phone's width."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from backend.catalogue import Catalogue
from tests.stack.browser import CHROMIUM, WIDTH, BrowserPhone, phone_page
from tests.stack.citizen import NUMBER, SimulatorPhone, file_service
from tests.stack.running import ROOT, Running

pytestmark = pytest.mark.browser


@pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed (Debian: apt-get install chromium)")
def test_filing_in_the_browser(stack: Running, catalogue: Catalogue) -> None:
    with phone_page() as page:
        phone = BrowserPhone(page, stack.url, f"peramban-{uuid.uuid4().hex[:8]}")
        number, _ = file_service(phone, catalogue.services["ktp_hilang"], nik="3515081708770001")
        assert NUMBER.fullmatch(number)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH


def test_filing_in_the_terminal(stack: Running, new_phone: object) -> None:
    """`praja chat` shows what a citizen gets: the same questions, choices by number, the same number at the end."""
    sender = f"terminal-{uuid.uuid4().hex[:8]}"
    lines = ["surat keterangan umum desa", "1", "3515081708760001", "Siti Aminah", "081234567890", "candi", "sumokali"]
    lines += ["Jl. Mawar 3 RT 02 RW 05", "melamar kerja"]
    answer = subprocess.run(
        [sys.executable, "-m", "praja.command", "chat", "--url", stack.url, "--sender", sender],
        cwd=ROOT, input="\n".join(lines), capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert "[1]" in answer.stdout
    assert "Siti Aminah" in answer.stdout or "Kirim foto" in answer.stdout
    phone = SimulatorPhone(stack.url, sender)
    phone.later()
    assert phone.say("ini bayar ga?")
