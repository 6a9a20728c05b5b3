"""Withdrawing, fetching the result, checking that a document is ours."""

from __future__ import annotations

import pytest

from tests.actions.fake_backend import FakeBackend
from tests.actions.fake_filings import filing, issued
from tests.actions.talk import Talk

NUMBER, OTHER = issued("7K4QX"), issued("AAAAA")
CODE = "7K4Q-XB2M-9D30"


def titles(talk: Talk) -> list[str]:
    return [title for _, title in talk.choices]


class TestWithdrawal:
    async def test_is_asked_first_with_reasons_to_choose(self, talk: Talk, backend: FakeBackend) -> None:
        view = backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation)
        told = await talk.say("cabut aja", "batalkan_permohonan")
        assert "Cabut sekarang?" in told
        assert view["state"] == "MENUNGGU"
        assert "sudah dicabut" in await talk.tap("Ada yang salah")
        assert view["state"] == "DIBATALKAN"
        assert backend.sent.reasons == ["Ada yang salah"]

    @pytest.mark.parametrize(
        ("said", "reason"), [("ya", ""), ("iya cabut karena sudah diurus istri", "sudah diurus istri")]
    )
    async def test_confirmed_in_words(self, talk: Talk, backend: FakeBackend, said: str, reason: str) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation)
        await talk.say("cabut aja", "batalkan_permohonan")
        assert "sudah dicabut" in await talk.say(said, "ya")
        assert backend.sent.reasons == [reason]

    async def test_is_meant_by_stopping_when_nothing_else_goes_on(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation)
        told = await talk.say("batal aja deh yang tadi", "batal")
        assert NUMBER in told
        assert "Ya, cabut" in titles(talk)

    @pytest.mark.parametrize("state", ["SELESAI", "DIBATALKAN"])
    async def test_stopping_offers_nothing_that_is_over(self, talk: Talk, backend: FakeBackend, state: str) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation, state)
        assert "Tidak ada pengisian" in await talk.say("batal", "batal")

    async def test_not_after_all(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation)
        await talk.say("cabut aja", "batalkan_permohonan")
        await talk.tap("Tidak jadi")
        assert "Apa yang bisa saya bantu" in await talk.say("ya", "ya")
        assert backend.sent.reasons == []

    @pytest.mark.parametrize("state", ["DISETUJUI", "SELESAI", "DITOLAK"])
    async def test_too_late_is_said_with_why(self, talk: Talk, backend: FakeBackend, state: str) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation, state)
        told = await talk.say(f"cabut {NUMBER}", "batalkan_permohonan", nomor_permohonan=NUMBER)
        assert "tidak bisa dicabut lagi" in told
        assert backend.sent.reasons == []

    async def test_an_officer_was_faster(self, talk: Talk, backend: FakeBackend) -> None:
        view = backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation)
        await talk.say("cabut aja", "batalkan_permohonan")
        view["state"] = "DISETUJUI"
        assert "tidak bisa dicabut lagi" in await talk.say("ya", "ya")

    async def test_only_what_can_be_withdrawn_is_offered(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation)
        backend.sent.by_number[OTHER] = filing(OTHER, talk.conversation, "SELESAI")
        assert NUMBER in await talk.say("cabut aja", "batalkan_permohonan")

    async def test_nobody_elses(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, "orang-lain")
        assert "percakapan lain" in await talk.choose(f"cabut:{NUMBER}:ya")
        assert backend.sent.reasons == []


class TestResult:
    async def test_the_file_is_sent_with_its_code(self, talk: Talk, backend: FakeBackend) -> None:
        result = {"content_type": "application/pdf", "size": 10, "code": CODE}
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation, "SELESAI", result=result)
        told = await talk.say("kirim pdf nya", "ambil_hasil")
        assert CODE in told
        (file,) = talk.files
        assert file["name"] == f"hasil-{NUMBER}.pdf"
        assert file["url"].endswith(f"/api/v1/filings/{NUMBER}/result?contact={talk.conversation}")

    async def test_without_a_file_where_to_fetch_it_and_what_to_bring(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation, "SELESAI")
        told = await talk.say("ngambilnya di mana", "ambil_hasil")
        for part in ("Desa Suko", "Bawa KTP", "surat kuasa"):
            assert part in told
        assert talk.files == []

    async def test_not_yet(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.by_number[NUMBER] = filing(NUMBER, talk.conversation, "DISETUJUI")
        assert "belum ada" in await talk.say("mana hasilnya", "ambil_hasil")

    async def test_nobody_elses(self, talk: Talk, backend: FakeBackend) -> None:
        result = {"content_type": "application/pdf", "size": 10, "code": CODE}
        backend.sent.by_number[NUMBER] = filing(NUMBER, "orang-lain", "SELESAI", result=result)
        assert "percakapan lain" in await talk.choose(f"hasil:{NUMBER}")
        assert talk.files == []


class TestAuthenticity:
    async def test_ours(self, talk: Talk, backend: FakeBackend) -> None:
        backend.sent.codes[CODE] = {
            "number": NUMBER,
            "service": "sk_umum",
            "office": "Desa Suko",
            "issued_on": "2026-11-23",
            "applicant": "Siti A.",
        }
        told = await talk.say(f"cek keaslian {CODE}", "ambil_hasil", kode_keaslian=CODE)
        for part in (NUMBER, "Sk umum", "Desa Suko", "Senin, 23 November 2026", "Siti A."):
            assert part in told

    async def test_nobodys(self, talk: Talk) -> None:
        told = await talk.say(f"cek keaslian {CODE}", "ambil_hasil", kode_keaslian=CODE)
        assert "tidak terdaftar" in told
        assert titles(talk) == ["Laporkan"]

    async def test_the_code_is_asked_for(self, talk: Talk) -> None:
        assert "kode keasliannya" in await talk.say("mau cek keaslian surat", "ambil_hasil")
