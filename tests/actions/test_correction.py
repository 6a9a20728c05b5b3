"""A filing that came back: only what the officer named is asked again, and the rest of the conversation goes on as ever."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.actions.fake_backend import FakeBackend
from tests.actions.fake_bot import FakeBot
from tests.actions.fake_filings import filing, issued
from tests.actions.talk import Talk

NUMBER = issued("7K4QX")
KK_AND_PHONE = [{"document": "ktp", "reason": "foto terpotong"}, {"field": "hp", "reason": "tidak bisa dihubungi"}]


def came_back(backend: FakeBackend, contact: str, fix: list[dict[str, str]]) -> dict[str, Any]:
    view = filing(NUMBER, contact, "PERLU_PERBAIKAN", fix=fix, fix_names={"ktp": "KTP-el", "hp": "Nomor HP"})
    backend.sent.by_number[NUMBER] = view
    return view


async def test_one_at_a_time_with_the_reason_until_it_waits_again(talk: Talk, backend: FakeBackend) -> None:
    view = came_back(backend, talk.conversation, KK_AND_PHONE)
    told = await talk.say("mau perbaiki", "perbaiki_permohonan")
    assert "foto terpotong" in told
    assert "tidak bisa dihubungi" not in told
    told = await talk.send(file=b"ktp baru")
    assert "KTP-el sudah diterima" in told
    assert "tidak bisa dihubungi" in told
    assert "bukan nomor HP" in await talk.say("xyz 0812345678", "di_luar_topik", nomor_hp="xyz")
    told = await talk.say("081234567890", nomor_hp="+6281234567890")
    assert "menunggu diperiksa lagi" in told
    assert view["state"] == "MENUNGGU"
    assert not talk.form_is_open
    assert backend.sent.corrections[0]["value"] == [base64.b64encode(b"ktp baru").decode()]
    assert "belum paham" in await talk.say("xyz")


async def test_pages_are_sent_together(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, [{"document": "buku_nikah", "reason": "halaman kurang"}])
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    assert "1 halaman diterima" in await talk.send(file=b"satu")
    assert "2 halaman diterima" in await talk.send(file=b"dua")
    assert backend.sent.corrections == []
    assert "menunggu diperiksa lagi" in await talk.tap("Sudah semua")
    assert len(backend.sent.corrections[0]["value"]) == 2
    assert talk.slots["halaman"] is None


async def test_that_these_are_all_may_be_written(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, [{"document": "buku_nikah", "reason": "halaman kurang"}])
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    await talk.send(file=b"satu")
    assert "menunggu diperiksa lagi" in await talk.say("sudah semua")


async def test_a_question_in_between_is_answered_and_it_goes_on(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, KK_AND_PHONE)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    told = await talk.say("biayanya berapa?", "tanya_biaya", about="sk_umum")
    assert "Rp 0" in told
    assert "foto terpotong" in told


@pytest.mark.parametrize(("said", "intent"), [("nanti saja", "nlu_fallback"), ("batal", "batal")])
async def test_put_off_and_gone_on_with(talk: Talk, backend: FakeBackend, said: str, intent: str) -> None:
    came_back(backend, talk.conversation, KK_AND_PHONE)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    await talk.send(file=b"ktp baru")
    assert "bisa diteruskan nanti" in await talk.say(said, intent)
    assert not talk.form_is_open
    told = await talk.choose(f"perbaiki:{NUMBER}")
    assert "tidak bisa dihubungi" in told
    assert "foto terpotong" not in told


async def test_wrong_kind_of_answer_is_said(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, KK_AND_PHONE)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    assert "Kirim foto" in await talk.say("oke siap")
    await talk.send(file=b"ktp baru")
    assert "belum diminta" in await talk.send(file=b"lagi")


async def test_mended_elsewhere_meanwhile(talk: Talk, backend: FakeBackend) -> None:
    view = came_back(backend, talk.conversation, KK_AND_PHONE)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    view |= {"state": "DIPROSES", "fix": []}
    assert "tidak menunggu perbaikan" in await talk.send(file=b"ktp baru")
    assert not talk.form_is_open


async def test_an_answer_redelivered_is_not_told_to_be_another_parts(talk: Talk, backend: FakeBackend) -> None:
    fix = [{"field": "keperluan", "reason": "tidak jelas"}, {"field": "alamat", "reason": "tanpa RT"}]
    came_back(backend, talk.conversation, fix)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    assert "keperluan sudah diterima" in await talk.say("melamar kerja di Surabaya")
    told = await talk.redelivered()
    assert "alamat sudah diterima" not in told
    assert "tanpa RT" in told
    assert [each["field"] for each in backend.sent.corrections] == ["keperluan"]


async def test_nothing_to_mend(talk: Talk, backend: FakeBackend) -> None:
    assert "Belum ada permohonan" in await talk.say("mau perbaiki", "perbaiki_permohonan")
    backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation, "DIPROSES")
    assert "tidak ada yang diminta" in await talk.say("mau perbaiki", "perbaiki_permohonan")


async def test_a_linked_conversations_filing_is_mended_here(talk: Talk, backend: FakeBackend) -> None:
    view = came_back(backend, "percakapan-lain", KK_AND_PHONE[:1])
    talk.linked = ("percakapan-lain",)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    assert "menunggu diperiksa lagi" in await talk.send(file=b"ktp baru")
    assert view["state"] == "MENUNGGU"


async def test_a_bare_yes_after_the_status_begins_it(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, KK_AND_PHONE)
    await talk.say("sampai mana", "cek_status")
    assert "foto terpotong" in await talk.say("iya", "ya")
    assert talk.form_is_open


async def test_a_link_is_given_instead(talk: Talk, backend: FakeBackend, bot: FakeBot) -> None:
    view = came_back(backend, talk.conversation, [{"document": "buku_nikah", "reason": "halaman kurang"}])
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    told = await talk.tap("Lewat tautan")
    assert "https://praja.example/unggah/1" in told
    assert "halaman kurang" not in told
    subject = {"draft": NUMBER, "document": "buku_nikah", "name": "buku nikah", "pages": 4}
    assert bot.links == [{"kind": "unggah", "conversation": talk.conversation, "subject": subject}]
    await talk.send(file=b"satu", caption="buku nikah", intent="ajukan_layanan", about="nikah_kua")
    await talk.tap("Sudah semua")
    assert view["state"] == "MENUNGGU"


class TestAPhotoOfAnotherPart:
    @pytest.fixture(autouse=True)
    async def two_documents(self, talk: Talk, backend: FakeBackend) -> None:
        fix = [{"document": "buku_nikah", "reason": "halaman kurang"}, {"document": "ktp", "reason": "foto terpotong"}]
        came_back(backend, talk.conversation, fix)
        await talk.say("mau perbaiki", "perbaiki_permohonan")

    @pytest.mark.parametrize(
        "sent", [{"caption": "ini ktp saya"}, {"caption": "KTP-el", "draft": NUMBER, "document": "ktp"}]
    )
    async def test_is_taken_for_that(self, talk: Talk, backend: FakeBackend, sent: dict[str, str]) -> None:
        told = await talk.send(file=b"ktp", **sent)
        assert "KTP-el sudah diterima" in told
        assert "halaman kurang" in told
        assert [each["document"] for each in backend.sent.corrections] == ["ktp"]

    async def test_waits_until_the_pages_before_are_sent(self, talk: Talk, backend: FakeBackend) -> None:
        await talk.send(file=b"satu")
        told = await talk.send(file=b"ktp", caption="ini ktp saya")
        assert "KTP-el belum saya simpan" in told
        assert backend.sent.corrections == []
        assert "foto terpotong" in await talk.tap("Sudah semua")
        assert "menunggu diperiksa lagi" in await talk.send(file=b"ktp")
        assert [len(each["value"]) for each in backend.sent.corrections] == [1, 1]

    async def test_its_pages_are_gathered_though_another_was_asked_for(self, talk: Talk, backend: FakeBackend) -> None:
        view = backend.sent.by_number[NUMBER]
        view["fix"] = list(reversed(view["fix"]))
        link = {"caption": "Buku nikah", "draft": NUMBER, "document": "buku_nikah"}
        await talk.send(file=b"satu", **link)
        assert "2 halaman diterima" in await talk.send(file=b"dua", **link)
        await talk.tap("Sudah semua")
        assert [(each["document"], len(each["value"])) for each in backend.sent.corrections] == [("buku_nikah", 2)]

    @pytest.mark.parametrize(
        ("link", "sentence"),
        [
            ({"draft": issued("8M5RZ"), "document": "ktp"}, "bukan untuk isian yang sekarang"),
            ({"draft": "draf-9", "document": "ktp"}, "bukan untuk isian yang sekarang"),
            ({"draft": NUMBER, "document": "surat_kuasa"}, "sekarang tidak diminta"),
        ],
    )
    async def test_by_a_link_for_something_else_is_refused(
        self, talk: Talk, backend: FakeBackend, link: dict[str, str], sentence: str
    ) -> None:
        told = await talk.send(file=b"ktp", caption="KTP-el", **link)
        assert sentence in told
        assert "halaman kurang" in told
        assert backend.sent.corrections == []
        assert talk.slots["halaman"] is None


RELATION = {
    "field": "wakil_hubungan",
    "type": "choice",
    "question": "Apa hubungan Anda?",
    "help": None,
    "choices": [{"id": "keluarga", "title": "Keluarga"}, {"id": "rt_rw", "title": "Pengurus RT/RW"}],
    "optional": False,
    "maximum_pages": None,
}


async def test_what_the_service_itself_does_not_ask_has_its_choices(talk: Talk, backend: FakeBackend) -> None:
    view = came_back(backend, talk.conversation, [{"field": "wakil_hubungan", "reason": "keliru"}])
    view["fix_questions"] = {"wakil_hubungan": RELATION}
    assert "Apa hubungan Anda?" in await talk.say("mau perbaiki", "perbaiki_permohonan")
    await talk.tap("Pengurus RT/RW")
    assert [each["value"] for each in backend.sent.corrections] == ["rt_rw"]


async def test_a_document_that_only_a_representative_sends_has_all_its_pages(talk: Talk, backend: FakeBackend) -> None:
    view = came_back(backend, talk.conversation, [{"document": "surat_kuasa", "reason": "halaman kurang"}])
    view["fix_questions"] = {
        "surat_kuasa": RELATION
        | {"field": "surat_kuasa", "type": "document", "question": "Kirim foto surat kuasa.", "choices": None}
        | {"maximum_pages": 2}
    }
    assert "Kirim foto surat kuasa" in await talk.say("mau perbaiki", "perbaiki_permohonan")
    await talk.send(file=b"satu")
    await talk.send(file=b"dua")
    assert [len(each["value"]) for each in backend.sent.corrections] == [2]


class TestOfAServiceThatIsNoMore:
    async def test_is_said_at_once(self, talk: Talk, backend: FakeBackend) -> None:
        came_back(backend, talk.conversation, KK_AND_PHONE)["service"] = "surat_lama"
        told = await talk.say("mau perbaiki", "perbaiki_permohonan")
        assert "sudah tidak dibuka" in told
        assert not talk.form_is_open
        assert talk.slots["perbaikan"] is None

    async def test_is_said_to_the_answer(self, talk: Talk, backend: FakeBackend) -> None:
        view = came_back(backend, talk.conversation, KK_AND_PHONE)
        await talk.say("mau perbaiki", "perbaiki_permohonan")
        view["service"] = "surat_lama"
        assert "sudah tidak dibuka" in await talk.send(file=b"ktp")
        assert not talk.form_is_open


async def test_no_link_for_words(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, KK_AND_PHONE[1:])
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    assert "Lewat tautan" not in [title for _, title in talk.choices]


class TestPagesAreNeverLostUnnoticed:
    @pytest.fixture(autouse=True)
    async def first_page(self, talk: Talk, backend: FakeBackend) -> None:
        came_back(backend, talk.conversation, [{"document": "buku_nikah", "reason": "halaman kurang"}])
        await talk.say("mau perbaiki", "perbaiki_permohonan")
        await talk.send(file=b"satu")

    async def test_sent_too_long_ago(self, talk: Talk, backend: FakeBackend, bot: FakeBot) -> None:
        bot.forget_files()
        told = await talk.say("sudah semua")
        assert "Kirim sekali lagi dari halaman pertama" in told
        assert "halaman kurang" in told
        assert backend.sent.corrections == []
        await talk.send(file=b"satu")
        assert "menunggu diperiksa lagi" in await talk.tap("Sudah semua")

    async def test_begun_again(self, talk: Talk, backend: FakeBackend) -> None:
        assert "1 halaman diterima" in await talk.choose(f"perbaiki:{NUMBER}")
        await talk.tap("Sudah semua")
        assert len(backend.sent.corrections[0]["value"]) == 1

    async def test_put_off(self, talk: Talk) -> None:
        assert "kirim lagi semuanya" in await talk.say("nanti saja")

    async def test_another_filing_mended_first(self, talk: Talk, backend: FakeBackend) -> None:
        other = issued("8M5RZ")
        view = filing(other, talk.conversation, "PERLU_PERBAIKAN", fix=KK_AND_PHONE[:1], fix_names={"ktp": "KTP-el"})
        backend.sent.by_number[other] = view
        assert "kirim lagi semuanya" in await talk.choose(f"perbaiki:{other}")


class TestAFilingBegunMeanwhile:
    @pytest.fixture(autouse=True)
    async def correcting(self, talk: Talk, backend: FakeBackend) -> None:
        came_back(backend, talk.conversation, [{"document": "buku_nikah", "reason": "halaman kurang"}])
        backend.consents[talk.conversation] = "2026-11"
        await talk.say("mau perbaiki", "perbaiki_permohonan")

    async def test_is_asked_instead_of_the_correction(self, talk: Talk) -> None:
        told = await talk.choose("mulai:sk_umum")
        assert "Tanya nik?" in told
        assert "halaman kurang" not in told
        assert "kirim lagi semuanya" not in told
        assert "Tanya nama?" in await talk.say("3515085708909999")

    async def test_pages_that_waited_are_told_of(self, talk: Talk) -> None:
        await talk.send(file=b"satu")
        assert "kirim lagi semuanya" in await talk.choose("mulai:sk_umum")
        assert talk.slots["halaman"] is None

    async def test_what_both_had_open_before_leaves_no_draft_behind(self, talk: Talk) -> None:
        talk.slots["draf"] = "draf-1"
        await talk.say("nanti saja")
        assert not talk.form_is_open
        assert talk.slots["draf"] is None


async def test_a_question_on_the_photo_is_answered(talk: Talk, backend: FakeBackend) -> None:
    came_back(backend, talk.conversation, KK_AND_PHONE)
    await talk.say("mau perbaiki", "perbaiki_permohonan")
    told = await talk.send(file=b"ktp", caption="ini bayar lagi berapa?", intent="tanya_biaya", about="sk_umum")
    assert "KTP-el sudah diterima" in told
    assert "Rp 0" in told
    assert "tidak bisa dihubungi" in told
