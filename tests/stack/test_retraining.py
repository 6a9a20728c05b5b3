"""From messages of a new kind to a model that understands them, by the desk's pages alone, while citizens go on writing."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import yaml
from playwright.async_api import Page, async_playwright

from learning.live_model import LiveModel
from praja.training import need_model, serving_model, train
from tests.stack.browser import CHROMIUM, QUIET
from tests.stack.checkout import check_out
from tests.stack.citizen import SimulatorPhone, said
from tests.stack.officer import add_officer, sign_in
from tests.stack.running import ROOT, Running, running
from tests.stack.small_picture import small_picture
from tests.stack.traffic import Traffic

pytestmark = [
    pytest.mark.verify,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed (Debian: apt-get install chromium)"),
]

SERVICE, NAME = "sewa_gedung", "Sewa gedung serbaguna"
MINUTES = 10
REVIEWED = 50
PICTURES = os.environ.get("PRAJA_TEST_PICTURES")
FACT = {"teks": "Surat permohonan", "perlu_verifikasi": True}
HALL = {
    "id": SERVICE,
    "nama": NAME,
    "keluarga": [],
    "sebutan": ["sewa gedung", "sewa balai", "pinjam pendopo", "gedung serbaguna"],
    "ungkapan": [
        "mau sewa gedung serbaguna buat resepsi",
        "pinjam balai desa untuk rapat karang taruna syaratnya apa",
        "nyewo pendopo kanggo mantenan piro regane",
        "gedung serbaguna kecamatan tanggal 12 kosong tidak",
        "kami ingin memakai aula untuk acara perpisahan sekolah",
        "booking aula kelurahan lewat mana ya",
        "badhe nyambut pendopo kangge pengajian, pripun caranipun",
        "aula kecamatan disewakan per hari berapa",
    ],
    "instansi": "Kecamatan",
    "kantor": ["kecamatan"],
    "mode": "rujukan",
    "syarat": [FACT],
    "dokumen": [],
    "isian": [],
    "biaya": {"teks": "Menurut peraturan setempat", "perlu_verifikasi": True},
    "waktu": {"teks": "1 hari kerja", "hari_kerja": 1, "perlu_verifikasi": True},
    "dasar_hukum": [{"teks": "Peraturan setempat", "perlu_verifikasi": True}],
    "langkah": [{"teks": "Datang ke kantor kecamatan", "perlu_verifikasi": True}],
}
"""The service that was added today."""
ASKED = {
    "berapa sewa {hall} buat {what}": "tanya_biaya",
    "{hall} kalau dipakai {what} bayar berapa min": "tanya_biaya",
    "nyewo {hall} gawe {what} pinten nggih": "tanya_biaya",
    "mau pakai {hall} untuk {what}, berkasnya apa min": "tanya_syarat",
    "butuh surat apa kalau pinjam {hall} gawe {what}": "tanya_syarat",
    "alurnya gimana kalau {hall} mau kami pakai {what}": "tanya_prosedur",
    "nyilih {hall} gawe {what} carane yok opo": "tanya_prosedur",
    "saya mau sewa {hall} buat {what}": "ajukan_layanan",
    "tolong {hall}nya dipesankan untuk {what} kami": "ajukan_layanan",
}
HALLS = ("gedung serbaguna", "pendopo", "balai desa", "aula kecamatan")
USES = ("resepsi", "arisan", "ultah anak", "lamaran", "pengajian", "bazar", "senam", "reuni", "halal bihalal", "lomba")
WRITTEN = {
    template.format(hall=HALLS[(row + column) % 4], what=USES[column]): intent
    for row, (template, intent) in enumerate(ASKED.items())
    for column in range(10)
}
UNSEEN = (
    "aula desa boleh dipakai buat perpisahan TK gak min, bayarnya piro",
    "harga sewa gedung kecamatan sehari brp",
    "aku kate nyewo aula kanggo tasyakuran",
    "Mohon informasi biaya peminjaman gedung serbaguna untuk seminar.",
    "pendopo iso disilih gawe hajatan ta cak, syarate opo",
    "cara booking gedung serbaguna gimana",
    "syarat makai balai desa untuk posyandu",
    "gedungnya masih kosong buat mantu bulan depan? mau nyewa",
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The live model was trained before the service was there."""
    need_model(ROOT / "models", print, datetime.now(UTC), train)
    served = serving_model(ROOT / "models")
    assert served is not None
    checkout = check_out(tmp_path_factory.mktemp("district"))
    shutil.copy(served, checkout / "models" / "kemarin.tar.gz")
    (checkout / "data" / "layanan" / f"{SERVICE}.yml").write_text(yaml.safe_dump(HALL, allow_unicode=True))
    with running(checkout=checkout, PRAJA_MODELS=str(checkout / "models")) as one:
        one.extra["checkout"] = str(checkout)
        yield one


async def test_from_fifty_messages_to_a_live_model(stack: Running) -> None:
    checkout = Path(stack.extra["checkout"])
    await asyncio.to_thread(write_all, stack)
    before = await asyncio.to_thread(understood, stack.url)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        admin = await sign_in(
            browser,
            stack,
            add_officer(stack, "Bu Kepala", role="admin", agency=None),
            viewport={"width": 1280, "height": 900},
        )
        page, told, began = admin.page, Told(), time.monotonic()
        with Traffic(stack.url, pause=0.5) as traffic:
            reviewed = await review(page, stack.url)
            told(f"{reviewed} pesan dinilai")
            await make_set(page, stack.url)
            await page.goto(f"{stack.url}/console/latihan")
            await page.get_by_role("button", name="Latih model baru").click()
            await page.get_by_text("lulus gerbang").first.wait_for(timeout=480_000)
            await page.locator("#run").wait_for(state="detached")
            told("dilatih dan diukur")
            (candidate,) = (path for path in (checkout / "models").glob("*.tar.gz") if path.name != "kemarin.tar.gz")
            await page.get_by_role("link", name=candidate.name.removesuffix(".tar.gz")).first.click()
            await picture(page, "gate")
            await page.get_by_role("button", name="Hidupkan", exact=True).click()
            await page.get_by_text("Masa percobaan sampai").wait_for(timeout=180_000)
            told("hidup")
            await picture(page, "training")
            after = await asyncio.to_thread(understood, stack.url)
        minutes = (time.monotonic() - began) / 60
        await browser.close()
    sys.stdout.write(
        f"\n{reviewed} pesan ditinjau → hidup dalam {minutes:.1f} menit {told.steps}; kata-kata baru dipahami {before} → {after} "
        f"dari {len(UNSEEN)}; {traffic.answered} pesan warga lain dijawab, paling lama {traffic.slowest:.1f} detik\n"
    )
    assert LiveModel(checkout / "models").current() == candidate
    assert reviewed >= REVIEWED
    assert before <= 1
    assert after >= len(UNSEEN) - 2
    assert traffic.wrong == []
    assert traffic.answered > 100
    assert admin.errors == []
    assert minutes < MINUTES


class Told:
    """How long each step took, in seconds."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}
        self._last = time.monotonic()

    def __call__(self, step: str) -> None:
        now = time.monotonic()
        self.steps[step], self._last = round(now - self._last), now


def write_all(stack: Running) -> None:
    """Ninety citizens, twenty minutes ago: what came of a message is known a quarter of an hour later. A third of them object."""

    def write(text: str) -> None:
        phone = SimulatorPhone(stack.url, f"gedung-{uuid.uuid4().hex[:10]}")
        assert phone.say(text)
        if list(WRITTEN).index(text) % 3 == 1:
            phone.say("bukan itu maksud saya")

    with ThreadPoolExecutor(3) as citizens:
        list(citizens.map(write, WRITTEN))
    with psycopg.connect(f"postgresql://postgres@/praja?host={stack.home / 'database'}") as connection:
        connection.execute("UPDATE bot.inbox SET received_at = received_at - interval '20 minutes'")


def understood(url: str) -> int:
    """How many of the unseen wordings are answered with the new service."""
    answers = [said(SimulatorPhone(url, f"baru-{uuid.uuid4().hex[:10]}").say(text)) for text in UNSEEN]
    return sum(NAME.casefold() in answer.casefold() for answer in answers)


async def review(page: Page, url: str) -> int:
    """Each message that waits is judged by what was meant, what says nothing isn't used; how many were."""
    judged = 0
    await page.goto(f"{url}/console/tinjauan")
    await picture(page, "review")
    while await page.locator("blockquote").count():
        intent = WRITTEN.get((await page.locator("blockquote").inner_text()).strip(), "")
        await page.locator("#service").fill(f"{NAME} ({SERVICE})" if intent else "")
        choice = page.locator(f'button[name=intent][value="{intent}"]')
        if not await choice.first.is_visible():
            await page.get_by_text("Semua niat dan batasnya").click()
        async with page.expect_navigation():
            await choice.locator("visible=true").first.click()
        judged += bool(intent)
    return judged


async def make_set(page: Page, url: str) -> None:
    await page.goto(f"{url}/console/tinjauan/set")
    await page.get_by_role("button", name=re.compile("Buat dan tulis")).click()
    await page.get_by_text(re.compile(r"Set \S+ dibuat")).wait_for()
    await picture(page, "sets")


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        png = await page.screenshot(full_page=True)
        path = Path(PICTURES) / f"{name}.png"
        await asyncio.to_thread(lambda: path.write_bytes(small_picture(png)))
