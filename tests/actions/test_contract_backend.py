"""With a district's own backend that has nothing beyond `backend-api.md`: from the first question to the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from actions.action import DialogueAction
from actions.backend import Backend, BackendDown, Unknown
from actions.filed import read_filing
from actions.states import States
from bot.poller import Seen
from tests.actions.contract_backend import ContractBackend
from tests.actions.fake_backend import NIK
from tests.actions.fake_bot import FakeBot
from tests.actions.talk import Talk
from tests.stack.running import ROOT

PHOTO, PDF = b"\xff\xd8\xff foto", b"%PDF-1.7 surat"
NOTICE = "UU 27/2022"


@pytest.fixture
def backend() -> ContractBackend:
    return ContractBackend()


async def begin(talk: Talk, service: str = "sktm") -> str:
    await talk.say("mau bikin surat", "ajukan_layanan", about=service)
    return await talk.tap("Setuju, mulai")


async def to_review(talk: Talk) -> str:
    await begin(talk)
    await talk.say(NIK)
    await talk.say("Siti Aminah")
    await talk.tap("Petani")
    return await talk.send(file=PHOTO)


async def file(talk: Talk, backend: ContractBackend) -> str:
    """The number."""
    await to_review(talk)
    await talk.tap("Kirim")
    return list(backend.filings)[-1]


def titles(talk: Talk) -> list[str]:
    return [title for _, title in talk.choices]


class TestFiling:
    async def test_from_the_first_question_to_the_number(self, talk: Talk, backend: ContractBackend) -> None:
        offered = await talk.say("mau bikin sktm", "ajukan_layanan", about="sktm")
        assert "☐ Kartu Keluarga" in offered
        assert NOTICE in offered
        assert "Berapa NIK-nya?" in await talk.tap("Setuju, mulai")
        assert "16 angka" in await talk.say("351508570890999")
        assert "Nama lengkap sesuai KK?" in await talk.say(NIK)
        assert "Pekerjaannya?" in await talk.say("Siti Aminah")
        assert "Kirim foto KK." in await talk.say("nelayan")
        review = await talk.send(file=PHOTO)
        listed = "NIK: 3515••••••••9999\nNama lengkap: Siti Aminah\nPekerjaan: Nelayan\nKartu Keluarga: 1 berkas\n"
        assert listed in review
        told = await talk.tap("Kirim")
        (number,) = backend.filings
        for part in (number, "Kelurahan Sidokare", "27 November 2026"):
            assert part in told

    async def test_whatever_shape_its_entry_has(self, talk: Talk, backend: ContractBackend) -> None:
        offered = await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        for part in ("Keterangan umum", "☐ KTP dan KK", "Biaya: Belum ada dalam data kami. Lama proses: 1 hari."):
            assert part in offered
        await talk.tap("Setuju, mulai")
        await talk.say(NIK)
        await talk.say("Siti Aminah")
        await talk.tap("Hindu")
        review = await talk.say("candi")
        assert "kecamatan: Candi" in review
        assert "ada di Kecamatan" not in review
        assert NIK not in review
        assert "Tulis nama yang benar." in await talk.say("ubah nama")
        assert "nama: Siti Aminah Binti Karto" in await talk.say("Siti Aminah Binti Karto")
        assert backend.filings == {}
        await talk.tap("Kirim")
        assert len(backend.filings) == 1

    async def test_of_which_hardly_anything_is_known(self, talk: Talk) -> None:
        told = await talk.say("mau bikin paspor", "ajukan_layanan", about="paspor")
        assert "diurus di Imigrasi" in told
        assert "belum ada dalam data kami" in told
        assert "alamat" in await talk.say("di mana", "tanya_lokasi", about="paspor")
        assert "Belum ada dalam data kami" in await talk.say("berapa", "tanya_biaya", about="paspor")

    async def test_the_notice_is_shown_before_each(self, talk: Talk, backend: ContractBackend) -> None:
        await file(talk, backend)
        assert NOTICE in await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        assert "Berapa NIK-nya?" in await talk.tap("Setuju, mulai")

    @pytest.mark.parametrize("bare", [True, False])
    async def test_one_left_off_is_gone_on_with(self, talk: Talk, backend: ContractBackend, bare: bool) -> None:
        backend.lists_bare = bare
        await begin(talk)
        await talk.say(NIK)
        await talk.say("nanti saja")
        assert NOTICE in await talk.say("lanjutkan", "lanjutkan_draf")
        assert "Nama lengkap sesuai KK?" in await talk.tap("Setuju, mulai")
        assert len(backend.drafts) == 1

    async def test_one_begun_again_by_a_repeated_message_is_one(self, talk: Talk, backend: ContractBackend) -> None:
        await begin(talk)
        await talk.redelivered()
        assert len(backend.drafts) == 1

    async def test_an_answer_that_comes_again_sends_nothing_unseen(self, talk: Talk, backend: ContractBackend) -> None:
        await begin(talk, "konsultasi_hukum")
        await talk.say("ya")
        assert "Periksa dulu" in await talk.redelivered()
        assert backend.filings == {}

    async def test_nobody_represents_another_where_it_is_not_told_who_may(
        self, talk: Talk, backend: ContractBackend
    ) -> None:
        await talk.say("mau bikin sktm untuk ibu saya", "ajukan_layanan", about="sktm")
        assert titles(talk) == ["Setuju, mulai", "Tidak dulu"]
        assert talk.slots["tawaran"] == "setuju:sktm"

    async def test_a_document_that_its_entry_does_not_name_comes_by_a_link(
        self, talk: Talk, backend: ContractBackend, bot: FakeBot
    ) -> None:
        await begin(talk, "sk_usaha")
        await talk.say("Siti Aminah")
        assert "https://praja.example/unggah/1" in await talk.tap("Lewat tautan")
        assert bot.links[0]["subject"]["pages"] == 1
        assert "ktp: 1 berkas" in await talk.send(file=PHOTO)

    async def test_a_service_that_is_no_more_sends_nothing_unseen(
        self, talk: Talk, backend: ContractBackend, start: Callable[[], Mapping[str, DialogueAction]]
    ) -> None:
        await to_review(talk)
        backend.ended.add("sktm")
        talk.actions = start()
        assert "sudah tidak ada lagi" in await talk.say("kirim")
        assert backend.filings == {}

    async def test_one_left_off_on_another_phone_is_not_moved(self, talk: Talk, backend: ContractBackend) -> None:
        await begin(talk)
        other = Talk(talk.actions, talk.bot, conversation="percakapan-2", linked=(talk.conversation,))
        assert "Tidak ada isian" in await other.say("lanjutkan", "lanjutkan_draf")

    async def test_an_answer_is_changed_on_the_way_and_at_the_review(
        self, talk: Talk, backend: ContractBackend
    ) -> None:
        await begin(talk)
        await talk.say(NIK)
        await talk.say("Siti Aminah")
        assert "Nama lengkap sesuai KK?" in await talk.say("kembali")
        assert "Pekerjaannya?" in await talk.say("Siti Aminah Binti Karto")
        await talk.tap("Petani")
        await talk.send(file=PHOTO)
        await talk.tap("Ubah")
        assert titles(talk) == ["NIK", "Nama lengkap", "Pekerjaan", "Kartu Keluarga"]
        assert "Tulis Pekerjaan yang benar" in await talk.tap("Pekerjaan")
        review = await talk.tap("Nelayan")
        assert "Nama lengkap: Siti Aminah Binti Karto" in review
        assert "Pekerjaan: Nelayan" in review

    async def test_a_document_is_changed(self, talk: Talk, backend: ContractBackend) -> None:
        await to_review(talk)
        assert "Kirim foto atau PDF Kartu Keluarga yang baru." in await talk.say("ubah kartu keluarga")
        assert "Periksa dulu" in await talk.send(file=b"\xff\xd8\xff baru")
        assert next(iter(backend.drafts.values())).documents["kk"] == b"\xff\xd8\xff baru"

    async def test_sent_and_told_again_though_its_draft_is_shown_no_more(
        self, talk: Talk, backend: ContractBackend
    ) -> None:
        number = await file(talk, backend)
        told = await talk.redelivered()
        assert "sudah terkirim" in told
        assert number in told
        assert not talk.form_is_open


class TestAfterwards:
    async def test_status(self, talk: Talk, backend: ContractBackend) -> None:
        number = await file(talk, backend)
        backend.move(number, "PERLU_PERBAIKAN", fix=[{"document": "kk", "reason": "terpotong"}])
        told = await talk.say("sampai mana", "cek_status")
        for part in (number, "SKTM", "perlu diperbaiki", "- Kartu Keluarga: terpotong"):
            assert part in told

    async def test_what_is_asked_is_mended(self, talk: Talk, backend: ContractBackend) -> None:
        number = await file(talk, backend)
        fix = [{"field": "nama", "reason": "beda dengan KK"}, {"document": "kk", "reason": "terpotong"}]
        backend.move(number, "PERLU_PERBAIKAN", fix=fix)
        assert "Nama lengkap sesuai KK?" in await talk.say("mau perbaiki", "perbaiki_permohonan")
        assert "Kirim foto atau PDF Kartu Keluarga" in await talk.say("Siti Aminah Binti Karto")
        assert "menunggu diperiksa lagi" in await talk.send(file=PHOTO)
        assert backend.filings[number]["state"] == "MENUNGGU"

    async def test_one_is_withdrawn(self, talk: Talk, backend: ContractBackend) -> None:
        first, second = await file(talk, backend), await file(talk, backend)
        await talk.say(f"cabut {second}", "batalkan_permohonan", nomor_permohonan=second)
        assert "sudah dicabut" in await talk.tap("Ya, cabut")
        assert [backend.filings[each]["state"] for each in (first, second)] == ["MENUNGGU", "DIBATALKAN"]

    @pytest.mark.parametrize("result", [{"at": "2026-11-25"}, "sktm.pdf", True])
    @pytest.mark.parametrize(
        ("document", "name", "content_type"),
        [
            (PDF, "hasil-{}.pdf", "application/pdf"),
            (PHOTO, "hasil-{}.jpg", "image/jpeg"),
            (b"entah", "hasil-{}", "application/octet-stream"),
        ],
    )
    async def test_the_result_is_what_it_is(
        self, talk: Talk, backend: ContractBackend, result: Any, document: bytes, name: str, content_type: str
    ) -> None:
        number = await file(talk, backend)
        backend.finish(number, document, result)
        assert "Ini hasil" in await talk.say("mana hasilnya", "ambil_hasil")
        (sent,) = talk.files
        assert (sent["name"], sent["content_type"]) == (name.format(number), content_type)

    async def test_a_result_that_is_not_there_is_fetched_at_the_office(
        self, talk: Talk, backend: ContractBackend
    ) -> None:
        number = await file(talk, backend)
        backend.finish(number, PDF, {"at": "2026-11-25"})
        backend.results.clear()
        assert "diambil di Kelurahan Sidokare" in await talk.say("mana hasilnya", "ambil_hasil")
        assert talk.files == []

    async def test_an_officers_answer_is_the_result_of_a_question(self, talk: Talk, backend: ContractBackend) -> None:
        await begin(talk, "konsultasi_hukum")
        await talk.say("bolehkah sisa dana desa dipakai memperbaiki jalan?")
        await talk.say("kirim")
        (number,) = backend.filings
        backend.move(number, "SELESAI", "Boleh, lewat musyawarah desa.")
        assert "Boleh, lewat musyawarah desa." in await talk.say("mana jawabannya", "ambil_hasil")

    async def test_a_code_that_cannot_be_checked_is_not_called_false(self, talk: Talk) -> None:
        code = "7K4Q-XB2M-9D30"
        told = await talk.say(f"cek keaslian {code}", "ambil_hasil", kode_keaslian=code)
        assert "belum bisa diperiksa di sini" in told
        assert "tidak terdaftar" not in told

    async def test_that_it_is_settled_goes_to_an_officer(self, talk: Talk, backend: ContractBackend) -> None:
        number = await file(talk, backend)
        told = await talk.choose(f"konfirmasi:{number}:ya")
        assert "belum bisa dicatat di sini" in told
        assert titles(talk) == ["Tanya petugas"]

    async def test_the_bot_follows_it(self, talk: Talk, backend: ContractBackend) -> None:
        assert Seen.model_validate(backend.filings[await file(talk, backend)]).fix is None


@pytest.mark.parametrize(
    ("status", "error"), [(200, BackendDown), (400, BackendDown), (404, Unknown), (405, Unknown), (501, Unknown)]
)
async def test_a_page_instead_of_an_answer(aiohttp_server: Any, status: int, error: type[Exception]) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>Masuk</html>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", page)])
    server = await aiohttp_server(app)
    async with aiohttp.ClientSession() as session:
        backend = Backend(str(server.make_url("/")), "kanal", session, States(ROOT / "data"))
        with pytest.raises(error):
            await backend.person("percakapan-1")


async def test_nobody_is_asked_whether_a_complaint_is_settled_who_cannot_answer(
    talk: Talk, backend: ContractBackend
) -> None:
    filing = backend.filings[await file(talk, backend)]
    done = read_filing({**filing, "mode": "pengaduan", "state": "SELESAI"}, str)
    assert not done.awaits_confirmation


class TestRights:
    """Nothing is said to be done that isn't."""

    @pytest.mark.parametrize("said", ["data apa yang disimpan?", "unduh data saya"])
    async def test_what_is_kept_here_and_who_knows_the_rest(self, talk: Talk, bot: FakeBot, said: str) -> None:
        told = await talk.say(said, "privasi_data")
        assert "percakapan ini" in told
        assert '"petugas"' in told
        assert titles(talk) == ["Hapus data saya", "Tanya petugas"]
        assert bot.links == []

    async def test_what_can_be_erased_is_and_no_more_is_claimed(
        self, talk: Talk, backend: ContractBackend, bot: FakeBot
    ) -> None:
        await file(talk, backend)
        await begin(talk)
        assert backend.drafts
        told = await talk.say("hapus data saya", "privasi_data")
        assert "tidak bisa dikembalikan" in told
        assert '"petugas"' in told
        assert backend.drafts
        told = await talk.tap("Ya, hapus")
        assert "sudah dihapus" in told
        assert '"petugas"' in told
        assert "3×24" not in told
        assert backend.drafts == {}
        assert len(backend.filings) == 1
        assert bot.erased == [talk.conversation]
        assert not talk.form_is_open

    @pytest.mark.parametrize("choice", ["data:tarik", "data:tarik:ya"])
    async def test_consent_that_is_not_kept_is_not_said_to_be_withdrawn(self, talk: Talk, choice: str) -> None:
        await begin(talk)
        told = await talk.choose(choice)
        assert "sudah dicabut" not in told
        assert "ditanyakan lagi" in told
        assert not talk.form_is_open
