"""One-time links: made through the inner door, used on the pages, worth nothing afterwards."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from PIL import Image

from backend.catalogue import Document
from bot.files import LARGEST_FILE
from bot.server import BotSettings
from tests.bot.outside import Bot, bot_running
from tests.fakes.backend import TOKEN as BACKEND_TOKEN
from tests.fakes.backend import FakeBackend
from tests.fakes.rasa import TOKEN, FakeRasa

KK = {"draft": "3b6a", "document": "kk", "name": "Kartu Keluarga (KK)"}
SURVEY = {"number": "SDA-2611-7K4QXB", "service": "ktp_hilang"}


def jpeg() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), "white").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
async def district() -> AsyncIterator[FakeBackend]:
    async with FakeBackend() as fake:
        yield fake


@pytest.fixture
async def linked_bot(settings: BotSettings, district: FakeBackend) -> AsyncIterator[Bot]:
    """A bot that a citizen has written to."""
    backend = {"backend_url": district.url, "backend_token": BACKEND_TOKEN, "actions_url": district.url}
    async with bot_running(replace(settings, telegram=None, whatsapp=None, **backend)) as bot:
        await bot.say(text="mau urus KTP hilang")
        yield bot


async def link(bot: Bot, kind: str, subject: dict[str, Any] | None = None, token: str = TOKEN) -> str:
    contact = await bot.value("SELECT id FROM bot.conversations")
    body = {"kind": kind, "conversation": str(contact), "subject": subject or {}}
    async with bot.http.post(f"{bot.url}/internal/links", json=body, headers=bearer(token)) as response:
        assert response.status == 201, response.status
        url: str = (await response.json())["url"]
        return url


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def opened(bot: Bot, url: str) -> tuple[int, str]:
    async with bot.http.get(url) as response:
        return response.status, await response.text()


async def sent(bot: Bot, url: str, *files: tuple[str, bytes]) -> tuple[int, str]:
    """The page that the citizen sees at last."""
    form = aiohttp.FormData(default_to_multipart=True)
    for name, content in files:
        form.add_field("berkas", io.BytesIO(content), filename=name, content_type="image/jpeg")
    async with bot.http.post(url, data=form) as response:
        return response.status, await response.text()


async def test_a_sent_file_goes_on_in_the_chat_by_itself(linked_bot: Bot, rasa: FakeRasa) -> None:
    url = await link(linked_bot, "unggah", KK)
    status, page = await opened(linked_bot, url)
    assert (status, "Kartu Keluarga (KK)" in page, "kantor" in page.lower()) == (200, True, False)
    last = (await linked_bot.later())[-1]["id"]
    status, page = await sent(linked_bot, url, ("kk.jpg", jpeg()))
    assert status == 200
    assert "sudah kami terima" in page
    await linked_bot.until_later(after=last)
    file = rasa.turns[-1]["file"]
    assert (file["caption"], file["content_type"], file["name"]) == ("Kartu Keluarga (KK)", "image/jpeg", "kk.jpg")
    assert (file["draft"], file["document"]) == (KK["draft"], KK["document"])
    async with linked_bot.http.get(file["url"], headers=bearer()) as response:
        assert await response.read() == jpeg()


async def test_sending_twice_enters_once(linked_bot: Bot) -> None:
    url = await link(linked_bot, "unggah", KK)
    for _ in range(2):
        status, page = await sent(linked_bot, url, ("kk.jpg", jpeg()))
        assert (status, "sudah kami terima" in page) == (200, True)
    assert await linked_bot.value("SELECT count(*) FROM bot.files") == 1
    assert "sudah kami terima" in (await opened(linked_bot, url))[1]


async def test_several_pages_in_their_order(linked_bot: Bot, rasa: FakeRasa) -> None:
    url = await link(linked_bot, "unggah", {**KK, "pages": 2})
    assert "multiple" in (await opened(linked_bot, url))[1]
    status, page = await sent(linked_bot, url, *[(f"{n}.jpg", jpeg()) for n in range(3)])
    assert (status, "terlalu banyak" in page) == (422, True)
    await sent(linked_bot, url, ("satu.jpg", jpeg()), ("dua.jpg", jpeg()))
    await linked_bot.until(linked_bot.idle)
    assert [turn["file"]["name"] for turn in rasa.turns if "file" in turn] == ["satu.jpg", "dua.jpg"]


async def test_a_link_has_room_for_the_longest_document_of_the_catalogue(linked_bot: Bot) -> None:
    most = Document.model_json_schema()["properties"]["halaman_paling_banyak"]["maximum"]
    url = await link(linked_bot, "unggah", {**KK, "pages": most})
    assert f"{most}" in (await opened(linked_bot, url))[1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "Belum ada berkas", id="nothing"),
        pytest.param(b"<html>", "bukan foto atau PDF", id="html"),
        pytest.param(b"PK\x03\x04" + b"\0" * 300, "bukan foto atau PDF", id="zip"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 300, "HEIC", id="heic"),
        pytest.param(b"\xff\xd8\xff" + b"\0" * LARGEST_FILE, "lebih dari 15 MB", id="too large"),
    ],
)
async def test_what_is_unfit_is_said_and_the_link_still_works(linked_bot: Bot, content: bytes, sentence: str) -> None:
    url = await link(linked_bot, "unggah", KK)
    status, page = await sent(linked_bot, url, ("kk.jpg", content))
    assert status == 422
    assert sentence in page
    assert 'role="alert"' in page
    assert "sudah kami terima" in (await sent(linked_bot, url, ("kk.jpg", jpeg())))[1]


async def test_a_post_that_is_no_form_is_answered(linked_bot: Bot) -> None:
    url = await link(linked_bot, "unggah", KK)
    for body, kind in (
        (b"x", "text/plain"),
        (b"--a\r\nx", "multipart/form-data; boundary=b"),
        (b"", "multipart/mixed"),
    ):
        async with linked_bot.http.post(url, data=body, headers={"Content-Type": kind}) as response:
            assert response.status in (400, 422), (kind, response.status)


@pytest.mark.parametrize(
    ("kind", "subject", "life"),
    [
        ("unggah", KK, timedelta(hours=1)),
        ("penilaian", SURVEY, timedelta(days=30)),
        ("data", {}, timedelta(minutes=15)),
    ],
)
async def test_a_link_ends_and_says_what_to_do(
    linked_bot: Bot, district: FakeBackend, kind: str, subject: dict[str, Any], life: timedelta
) -> None:
    url = await link(linked_bot, kind, subject)
    linked_bot.clock.advance(life - timedelta(minutes=1))
    assert (await opened(linked_bot, url))[0] == 200
    linked_bot.clock.advance(timedelta(minutes=1))
    for status, page in (await opened(linked_bot, url), await sent(linked_bot, url, ("kk.jpg", jpeg()))):
        assert (status, "minta tautan yang baru" in page) == (410, True)
    assert (await opened(linked_bot, url + "x"))[0] in (404, 410)
    assert district.surveys == []
    assert await linked_bot.value("SELECT count(*) FROM bot.files") == 0


async def test_a_link_of_one_kind_opens_no_other(linked_bot: Bot) -> None:
    url = await link(linked_bot, "data")
    assert (await opened(linked_bot, url.replace("/data/", "/unggah/")))[0] == 404


async def test_marks_are_given_and_kept_apart_from_the_page(linked_bot: Bot, district: FakeBackend) -> None:
    url = await link(linked_bot, "penilaian", SURVEY)
    page = (await opened(linked_bot, url))[1]
    assert page.count("<fieldset>") == 9
    marks = {"persyaratan": "4", "waktu": "2", "sarana": "", "biaya": "9", "asing": "1", "saran": " lebih cepat "}
    async with linked_bot.http.post(url, data=marks) as response:
        assert "Terima kasih" in await response.text()
    number, contact, body = district.surveys[0]
    assert (number, contact) == (SURVEY["number"], str(await linked_bot.value("SELECT id FROM bot.conversations")))
    assert (body["scores"], body["suggestion"]) == ({"persyaratan": 4, "waktu": 2}, "lebih cepat")
    async with linked_bot.http.post(url, data=marks) as response:
        assert response.status == 200
    assert len(district.surveys) == 1


async def test_marks_are_given_before_their_link_is_used_up(linked_bot: Bot, district: FakeBackend) -> None:
    """Whoever dies in between has them given again, under the same id."""
    url = await link(linked_bot, "penilaian", SURVEY)
    used: list[int] = []

    async def look() -> None:
        used.append(await linked_bot.value("SELECT count(*) FROM bot.links WHERE used_at IS NOT NULL"))

    district.rating = look
    async with linked_bot.http.post(url, data={"waktu": "2"}) as response:
        assert "Terima kasih" in await response.text()
    await look()
    assert used == [0, 1]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({}, "Belum ada yang dinilai"), ({"saran": "a" * 1001, "waktu": "1"}, "terlalu panjang")],
)
async def test_an_unfit_survey_is_shown_again(
    linked_bot: Bot, district: FakeBackend, given: dict[str, str], sentence: str
) -> None:
    url = await link(linked_bot, "penilaian", SURVEY)
    async with linked_bot.http.post(url, data=given) as response:
        page = await response.text()
    assert (response.status, sentence in page, district.surveys) == (422, True, [])
    assert page.count('value="1" checked') == ("waktu" in given)


async def test_a_backend_in_trouble_costs_no_link(linked_bot: Bot, district: FakeBackend) -> None:
    survey, data = await link(linked_bot, "penilaian", SURVEY), await link(linked_bot, "data")
    district.trouble = 503
    async with linked_bot.http.post(survey, data={"waktu": "3"}) as response:
        page = await response.text()
        assert (response.status, 'value="3" checked' in page) == (503, True)
    async with linked_bot.http.post(data) as response:
        assert (response.status, "terganggu" in await response.text()) == (503, True)
    district.trouble = 409
    async with linked_bot.http.post(survey, data={"waktu": "3"}) as response:
        assert (response.status, "tidak bisa diterima" in await response.text()) == (409, True)
    district.trouble = None
    async with linked_bot.http.post(survey, data={"waktu": "3"}) as response:
        assert response.status == 200
    async with linked_bot.http.post(data) as response:
        assert response.status == 200


async def test_ones_data_are_downloaded_once_and_only_by_hand(linked_bot: Bot) -> None:
    url = await link(linked_bot, "data")
    for _ in range(2):
        # A messenger looks at what is behind a link by itself.
        assert (await opened(linked_bot, url))[0] == 200
    async with linked_bot.http.post(url) as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="data-saya.json"'
        assert response.headers["Cache-Control"] == "no-store"
        assert (await response.json())["contact"] == str(await linked_bot.value("SELECT id FROM bot.conversations"))
    async with linked_bot.http.post(url) as response:
        assert response.status == 410


async def test_the_pages_keep_their_address_to_themselves(linked_bot: Bot) -> None:
    for kind, subject in (("unggah", KK), ("penilaian", SURVEY), ("data", {})):
        async with linked_bot.http.get(await link(linked_bot, kind, subject)) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            assert "unsafe" not in policy
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cache-Control"] == "no-store"
            assert "<script" not in await response.text()


async def test_the_token_is_kept_nowhere(linked_bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    url = await link(linked_bot, "unggah", KK)
    token = url.rsplit("/", 1)[1]
    await sent(linked_bot, url, ("kk.jpg", jpeg()))
    rows = await linked_bot.rows("SELECT links::text FROM bot.links UNION ALL SELECT inbox::text FROM bot.inbox")
    assert not [row for row in rows if token in row[0] or "Kartu Keluarga" in row[0]]
    assert token not in caplog.text


async def test_the_inner_door_wants_its_token_and_a_right_body(linked_bot: Bot) -> None:
    contact = str(await linked_bot.value("SELECT id FROM bot.conversations"))
    right = {"kind": "unggah", "conversation": contact, "subject": KK}
    for token, body, status in (
        ("wrong", right, 401),
        (TOKEN, {**right, "conversation": "8c1a3a54-6a83-4f6e-9a7e-0f3f5f7f9b11"}, 404),
        (TOKEN, {**right, "kind": "lain"}, 422),
        (TOKEN, {**right, "subject": {"name": "KK"}}, 422),
        (TOKEN, [], 422),
    ):
        async with linked_bot.http.post(f"{linked_bot.url}/internal/links", json=body, headers=bearer(token)) as answer:
            assert answer.status == status, body
            assert "KK" not in await answer.text()
