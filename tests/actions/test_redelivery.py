"""A message whose turn failed comes again: it meets a later question, but it was the answer to the earlier one."""

from __future__ import annotations

from typing import Any

import pytest

from actions.backend import BackendDown
from tests.actions.fake_backend import NIK, FakeBackend
from tests.actions.fake_filings import filing, issued
from tests.actions.talk import Talk

NUMBER = issued("7K4QX")
PHOTO, BLURRED = b"\xff\xd8 foto", b"\xff\xd8 buram"


async def begin(talk: Talk, backend: FakeBackend, service: str = "sk_umum") -> Any:
    """The draft."""
    await talk.say("mau bikin surat", "ajukan_layanan", about=service)
    await talk.tap("Setuju, mulai")
    return next(iter(backend.drafts.values()))


async def to_words(talk: Talk, backend: FakeBackend) -> Any:
    draft = await begin(talk, backend)
    for answer in (NIK, "Siti Aminah", "081234567890"):
        await talk.say(answer)
    return draft


async def to_documents(talk: Talk, backend: FakeBackend) -> Any:
    draft = await to_words(talk, backend)
    await talk.say("melamar kerja")
    return draft


class TestAPhoto:
    async def test_of_a_document_skipped_before_stays(self, talk: Talk, backend: FakeBackend) -> None:
        draft = await to_documents(talk, backend)
        await talk.send(file=PHOTO)
        await talk.send(file=PHOTO)
        await talk.tap("Lewati")
        await talk.tap("Ubah")
        await talk.tap("Akta cerai")
        await talk.send(file=PHOTO)
        assert "Berkas diterima: Akta cerai" in await talk.redelivered()
        assert draft.pages["akta_cerai"] == [PHOTO]

    async def test_in_place_of_a_doubtful_one_stays(self, talk: Talk, backend: FakeBackend) -> None:
        backend.blurred.add(BLURRED)
        draft = await to_documents(talk, backend)
        await talk.send(file=BLURRED)
        await talk.say("ubah buku nikah")
        await talk.send(file=PHOTO)
        assert "Berkas diterima: Buku nikah" in await talk.redelivered()
        assert draft.pages == {"buku_nikah": [PHOTO]}

    async def test_whose_place_was_made_is_still_to_be_kept(self, talk: Talk, backend: FakeBackend) -> None:
        draft = await to_documents(talk, backend)
        await talk.send(file=PHOTO)
        await talk.say("ubah buku nikah")
        backend.fails = "PUT"
        with pytest.raises(BackendDown):
            await talk.send(file=b"\xff\xd8 baru")
        assert draft.pages == {}
        backend.fails = None
        assert "Berkas diterima: Buku nikah" in await talk.redelivered()
        assert draft.pages == {"buku_nikah": [b"\xff\xd8 baru"]}

    async def test_kept_out_with_words_is_not_the_document_asked_for_next(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        draft = await to_words(talk, backend)
        for told in (await talk.send(file=PHOTO, caption="untuk beasiswa"), await talk.redelivered()):
            assert "Fotonya belum saya simpan" in told
            assert "Tanya buku_nikah?" in told
            assert draft.pages == {}
        assert draft.answers["keperluan"] == "untuk beasiswa"

    async def test_of_an_album_that_is_doubtful_is_still_the_citizens_to_decide(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        backend.blurred.add(BLURRED)
        draft = await to_documents(talk, backend)
        await talk.send(file=PHOTO)
        await talk.send(file=BLURRED, early=True)
        assert "buram" in await talk.redelivered()
        assert draft.doubtful == {"buku_nikah"}

    async def test_that_filled_its_document_is_not_called_one_too_many(self, talk: Talk, backend: FakeBackend) -> None:
        draft = await to_documents(talk, backend)
        await talk.send(file=PHOTO)
        for _ in range(3):
            await talk.send(file=PHOTO, early=True)
        assert "Buku nikah, halaman 4" in await talk.redelivered()
        assert len(draft.pages["buku_nikah"]) == 4

    async def test_of_the_last_document_is_not_said_to_be_dropped(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk, backend)
        for _ in range(3):
            await talk.send(file=PHOTO)
        told = await talk.redelivered()
        assert "Berkas diterima: Akta cerai" in told
        assert "Periksa dulu" in told

    @pytest.mark.parametrize("sent", [{}, {"caption": "aspal di depan pasar berlubang", "intent": "pengaduan"}])
    async def test_sent_before_it_was_asked_for_is_not_said_to_be_dropped(
        self, talk: Talk, backend: FakeBackend, sent: dict[str, str]
    ) -> None:
        draft = await begin(talk, backend, "pengaduan")
        await talk.tap("Jalan")
        await talk.send(file=PHOTO, **sent)
        answers = dict(draft.answers)
        told = await talk.redelivered()
        assert "Berkas diterima: Foto" in told
        assert "belum saya simpan" not in told
        assert (draft.pages, draft.answers) == ({"foto": [PHOTO]}, answers)

    async def test_with_a_question_is_answered_again(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk, backend)
        await talk.send(file=PHOTO, caption="ini bayar berapa pak?", intent="tanya_biaya", about="sk_umum")
        assert "Rp 0" in await talk.redelivered()


class TestAnAnswer:
    async def test_by_a_button_is_not_called_too_late(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk, backend, "pengaduan")
        await talk.tap("Jalan")
        told = await talk.redelivered()
        assert "sudah lewat" not in told
        assert "Tanya uraian?" in told

    @pytest.mark.parametrize(
        ("said", "intent"),
        [("salah satu syarat beasiswa", "nlu_fallback"), ("cabut laporan polisi", "batalkan_permohonan")],
    )
    async def test_is_no_command_to_the_next_question(
        self, talk: Talk, backend: FakeBackend, said: str, intent: str
    ) -> None:
        draft = await to_words(talk, backend)
        await talk.say(said, intent)
        assert "Tanya buku_nikah?" in await talk.redelivered()
        assert draft.answers["keperluan"] == said

    async def test_to_the_last_question_sends_nothing(self, talk: Talk, backend: FakeBackend) -> None:
        backend.blurred.add(BLURRED)
        await to_documents(talk, backend)
        for photo in (PHOTO, PHOTO, BLURRED):
            await talk.send(file=photo)
        assert "Periksa dulu" in await talk.say("ya")
        assert "Periksa dulu" in await talk.redelivered()
        assert backend.filings == {}

    async def test_alone_has_to_be_known_again(self, talk: Talk, backend: FakeBackend) -> None:
        draft = await begin(talk, backend)
        backend.asked.clear()
        await talk.say(NIK)
        assert backend.asked == [(f"drafts/{draft.id}", True), (f"drafts/{draft.id}", False)]


class TestACorrection:
    @pytest.fixture(autouse=True)
    def comes_back(self, talk: Talk, backend: FakeBackend) -> None:
        fix = [{"document": "ktp", "reason": "terpotong"}, {"document": "buku_nikah", "reason": "halaman kurang"}]
        backend.sent.by_number[NUMBER] = filing(
            NUMBER, talk.conversation, "PERLU_PERBAIKAN", fix=fix, fix_names={"ktp": "KTP-el"}
        )

    def fix(self, backend: FakeBackend) -> list[dict[str, str]]:
        fix: list[dict[str, str]] = backend.sent.by_number[NUMBER]["fix"]
        return fix

    async def test_alone_has_to_be_known_again(self, talk: Talk, backend: FakeBackend) -> None:
        await talk.choose(f"perbaiki:{NUMBER}")
        backend.asked.clear()
        await talk.send(file=b"ktp")
        named = [named for path, named in backend.asked if path == f"filings/{NUMBER}"]
        assert named == [True, False]

    async def test_is_no_page_of_the_next_document(self, talk: Talk, backend: FakeBackend) -> None:
        await talk.say("mau perbaiki", "perbaiki_permohonan")
        await talk.send(file=b"ktp")
        told = await talk.redelivered()
        assert "halaman kurang" in told
        assert talk.slots["halaman"] is None

    async def test_is_no_page_of_the_document_that_its_words_did_not_name(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        self.fix(backend).reverse()
        await talk.say("mau perbaiki", "perbaiki_permohonan")
        await talk.send(file=b"ktp", caption="ini ktp, bayar berapa?", intent="tanya_biaya", about="sk_umum")
        told = await talk.redelivered()
        assert "Rp 0" in told
        assert "halaman kurang" in told
        assert talk.slots["halaman"] is None

    async def test_that_was_the_last_is_said_to_be_sent(self, talk: Talk, backend: FakeBackend) -> None:
        del self.fix(backend)[1]
        await talk.say("mau perbaiki", "perbaiki_permohonan")
        await talk.send(file=b"ktp")
        assert "menunggu diperiksa lagi" in await talk.redelivered()
        assert not talk.form_is_open

    async def test_by_a_button_is_not_called_too_late(self, talk: Talk, backend: FakeBackend) -> None:
        del self.fix(backend)[0]
        self.fix(backend).append({"document": "ktp", "reason": "terpotong"})
        await talk.say("mau perbaiki", "perbaiki_permohonan")
        await talk.send(file=b"satu")
        await talk.tap("Sudah semua")
        told = await talk.redelivered()
        assert "sudah lewat" not in told
        assert "terpotong" in told
