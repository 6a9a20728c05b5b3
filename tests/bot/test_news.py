"""What the backend tells becomes words, with what can be done about it and buttons for that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.backend_events import DraftReminder, FilingChanged, Overdue, read_event
from bot.channels.whatsapp import WhatsApp
from bot.news import News
from bot.reply import Reply
from bot.services import Service, load_services
from bot.shaping import shape
from bot.states import load_states
from bot.texts import Texts, TextsUnfit
from tests.bot.conftest import DATA
from tests.bot.outside import Bot
from tests.fakes.rasa import FakeRasa

NUMBER = "SDA-2611-7K4QXB"
SERVICES = {
    "ktp_hilang": Service("KTP-el hilang", "permohonan"),
    "pengaduan": Service("Pengaduan", "pengaduan"),
    "konsultasi_hukum": Service("Konsultasi hukum", "staf"),
}
TEXTS = Texts(DATA)
STATES = ("MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DITOLAK", "DISETUJUI", "SELESAI", "DIBATALKAN")


def told(state: str, service: str = "ktp_hilang", survey: str | None = None, **more: Any) -> Reply:
    change = FilingChanged(event_id="e", contact="c", number=NUMBER, service=service, state=state, **more)
    return News(TEXTS, SERVICES).of_change(change, survey)


def ids(reply: Reply) -> list[str]:
    return [choice.id for choice in reply.choices]


def test_what_has_to_be_mended_is_mended_in_the_chat() -> None:
    fix = [{"document": "kk", "reason": "terpotong"}]
    reply = told("PERLU_PERBAIKAN", fix=fix, fix_names={"kk": "Kartu Keluarga"}, note="Segera.")
    paragraphs = reply.text.split("\n\n")
    assert paragraphs[1] == "Yang perlu diperbaiki:\n- Kartu Keluarga: terpotong"
    assert paragraphs[2] == "Catatan petugas: Segera."
    assert 'Balas "perbaiki"' in paragraphs[3]
    assert ids(reply) == [f"perbaiki:{NUMBER}"]


def test_a_finished_filing_tells_how_to_get_the_document_and_asks_for_marks() -> None:
    reply = told("SELESAI", survey="https://praja.example/penilaian/x")
    assert 'Balas "ambil hasil"' in reply.text
    assert "https://praja.example/penilaian/x" in reply.text
    assert ids(reply) == [f"hasil:{NUMBER}"]


def test_a_complaint_counts_as_settled_only_when_the_citizen_says_so() -> None:
    reply = told("SELESAI", "pengaduan")
    assert "Sudah beres?" in reply.text
    assert "10 hari" in reply.text
    assert ids(reply) == [f"konfirmasi:{NUMBER}:ya", f"konfirmasi:{NUMBER}:belum"]
    change = FilingChanged(event_id="e", contact="c", number=NUMBER, service="pengaduan", state="SELESAI")
    assert not News(TEXTS, SERVICES).wants_survey(change)


@pytest.mark.parametrize("service", ["pengaduan", "konsultasi_hukum"])
def test_an_accepted_complaint_or_question_is_no_mere_news(service: str) -> None:
    reply = told("DISETUJUI", service, note="Dikerjakan Senin.")
    assert "Ada kabar" not in reply.text
    assert "Catatan petugas: Dikerjakan Senin." in reply.text


def test_a_consultations_answer_is_the_officers() -> None:
    reply = told("SELESAI", "konsultasi_hukum", note="Lelang wajib di atas Rp 200 juta.")
    assert "Jawaban petugas: Lelang wajib di atas Rp 200 juta." in reply.text
    assert "bukan pendapat hukum program ini" in reply.text
    assert "Catatan petugas" not in reply.text
    assert reply.choices == ()


@pytest.mark.parametrize("service", [*SERVICES, "layanan_asing"])
@pytest.mark.parametrize("state", [*STATES, "KEADAAN_BARU"])
def test_no_news_needs_more_than_two_messages_or_cut_buttons(state: str, service: str) -> None:
    fix = [{"document": f"dokumen_{n}", "reason": "r" * 400} for n in range(12)] if state == "PERLU_PERBAIKAN" else []
    reply = told(state, service, survey="https://praja.example/penilaian/" + "x" * 32, fix=fix, note="n" * 1200)
    bubbles = shape([reply], WhatsApp.capabilities, "Balas dengan angka:")
    assert len(bubbles) <= 2
    assert NUMBER in bubbles[0].text
    assert not any("Balas dengan angka" in bubble.text for bubble in bubbles)


def test_notices_beside_the_chronology() -> None:
    news = News(TEXTS, SERVICES)
    reminder = news.of_draft(DraftReminder(event_id="e", contact="c", service="ktp_hilang", kind="draft_reminder"))
    assert "KTP-el hilang" in reminder.text
    assert ids(reminder) == ["niat:lanjutkan_draf"]
    late = {"event_id": "e", "contact": "c", "service": "ktp_hilang", "number": NUMBER, "due_on": "2026-11-05"}
    overdue = news.of_overdue(Overdue.model_validate({**late, "kind": "overdue"}))
    assert "5 November 2026" in overdue.text
    assert ids(overdue) == [f"status:{NUMBER}", "niat:bicara_petugas"]


@pytest.mark.parametrize("raw", [b"[]", b"x", b"\xff", b'{"kind": "lain"}', b'{"kind": []}', b'{"kind": "overdue"}'])
def test_what_is_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"not JSON|unknown kind|wrong or missing"):
        read_event(raw)


def test_the_catalogue_gives_names_and_modes() -> None:
    services: Mapping[str, Service] = load_services(DATA)
    assert services["konsultasi_hukum"].mode == "staf"
    assert services["ktp_hilang"].name


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [("Sedang Diproses", "DIPROSES"), ("BERKAS_KURANG", "PERLU_PERBAIKAN"), ("selesai", "SELESAI"), ("?", "?")],
)
def test_foreign_states_are_mapped(foreign: str, ours: str) -> None:
    assert load_states(DATA).ours(foreign) == ours


@pytest.mark.parametrize(
    "content", ["[", "- a", "LAIN: [x]", "DITOLAK: [batal]\nDIBATALKAN: [batal]", "DITOLAK: [1]", None]
)
def test_an_unfit_map_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "status.yml").write_text(content, encoding="utf-8")
    with pytest.raises(TextsUnfit, match=r"status\.yml"):
        load_states(tmp_path)


async def test_a_tap_on_news_is_a_choice_of_the_dialogue(bot: Bot, rasa: FakeRasa) -> None:
    (shown,) = await bot.say(text="halo")
    assert await bot.announce(state="Revisi", fix=[{"field": "alamat", "reason": "RT kosong"}]) == 200
    (news,) = await bot.until_later(shown["id"])
    (button,) = news["choices"]
    assert button["title"] == "Perbaiki sekarang"
    await bot.say(choice=button["id"], title=button["title"])
    assert rasa.turns[-1]["choice"] == f"perbaiki:{NUMBER}"


async def test_what_the_citizen_just_did_is_no_news(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    assert await bot.announce(event_id="e1", state="MENUNGGU") == 200
    assert await bot.announce(event_id="e2", state="DIPROSES") == 200
    (news,) = await bot.until_later(shown["id"])
    assert "sedang diproses" in news["text"]


async def test_what_the_citizen_just_did_is_no_news_however_late_it_is_told(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    then = bot.clock().isoformat()
    await bot.pass_time(timedelta(hours=1))
    assert await bot.announce(event_id="e1", state="MENUNGGU", at=then) == 200
    assert await bot.announce(event_id="e2", state="DIPROSES") == 200
    (news,) = await bot.until_later(shown["id"])
    assert "sedang diproses" in news["text"]


async def test_what_was_sent_or_mended_elsewhere_is_news(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    await bot.pass_time(timedelta(minutes=5))
    assert await bot.announce(state="MENUNGGU") == 200
    (news,) = await bot.until_later(shown["id"])
    assert NUMBER in news["text"]


async def test_news_in_the_desks_hands_has_no_buttons(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    await bot.change("UPDATE bot.conversations SET handler = 'officer'")
    assert await bot.announce(state="PERLU_PERBAIKAN") == 200
    (news,) = await bot.until_later(shown["id"])
    assert news["choices"] == []


async def test_a_finished_filing_brings_its_survey_along(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    assert await bot.announce(state="SELESAI") == 200
    (news,) = await bot.until_later(shown["id"])
    url = next(word for word in news["text"].split() if "/penilaian/" in word)
    async with bot.http.get(url) as page:
        assert NUMBER in await page.text()


async def test_notices_are_told_once(bot: Bot) -> None:
    (shown,) = await bot.say(text="halo")
    for _ in range(2):
        assert await bot.announce(kind="draft_reminder", state=None, number=None) == 200
    (news,) = await bot.until_later(shown["id"])
    assert 'Balas "lanjutkan"' in news["text"]
    assert await bot.announce(kind="overdue", event_id="e2", due_on="2026-11-05") == 200
    assert "5 November 2026" in (await bot.until_later(news["id"]))[0]["text"]
