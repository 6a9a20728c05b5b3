"""A photo with words on it: the words are understood as if written, and what becomes of the photo is said."""

from __future__ import annotations

import pytest

from tests.actions.fake_backend import NIK, FakeBackend
from tests.actions.talk import Talk

PHOTO = b"\xff\xd8 foto"


async def begin(talk: Talk, service: str = "sk_umum") -> str:
    await talk.say("mau bikin surat", "ajukan_layanan", about=service)
    return await talk.tap("Setuju, mulai")


async def to_documents(talk: Talk) -> str:
    await begin(talk)
    for answer in (NIK, "Siti Aminah", "081234567890"):
        await talk.say(answer)
    return await talk.say("beasiswa")


async def test_the_first_message_may_be_a_photo_with_a_wish(talk: Talk) -> None:
    told = await talk.send(file=PHOTO, caption="ini kk saya mau bikin surat", intent="ajukan_layanan", about="sk_umum")
    assert "Sk umum" in told
    assert "Fotonya belum saya simpan" in told
    assert "Tanya nik?" in await talk.tap("Setuju, mulai")


async def test_a_question_on_a_photo_is_answered(talk: Talk) -> None:
    told = await talk.send(file=PHOTO, caption="ini cukup ga buat syaratnya?", intent="tanya_biaya", about="sk_umum")
    assert "Rp 0" in told
    assert "Fotonya belum saya simpan" in told


async def test_words_that_are_not_understood_are_asked_about(talk: Talk) -> None:
    told = await talk.send(file=PHOTO, caption="ini lho pak")
    assert "belum paham" in told
    assert "Fotonya belum saya simpan" in told


async def test_an_emergency_is_told_nothing_of_photos(talk: Talk) -> None:
    told = await talk.send(file=PHOTO, caption="kebakaran tolong", intent="darurat", confidence=1.0)
    assert "112" in told
    assert "Foto" not in told


async def test_a_complaint_on_a_photo_is_kept(talk: Talk, backend: FakeBackend) -> None:
    story = "jalan depan pasar larangan berlubang besar"
    told = await talk.send(file=PHOTO, caption=story, intent="pengaduan")
    assert "Fotonya belum saya simpan" in told
    await talk.tap("Setuju, mulai")
    assert story in await talk.tap("Jalan")


class TestInTheForm:
    async def test_a_question_with_the_document_asked_for_is_answered_too(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await to_documents(talk)
        told = await talk.send(file=PHOTO, caption="ini bayar berapa pak?", intent="tanya_biaya", about="sk_umum")
        assert "Berkas diterima" in told
        assert "Rp 0" in told
        assert "Tanya ktp?" in told
        assert next(iter(backend.drafts.values())).pages == {"buku_nikah": [PHOTO]}

    async def test_the_documents_name_alone_asks_nothing(self, talk: Talk) -> None:
        await to_documents(talk)
        told = await talk.send(file=PHOTO, caption="buku nikah", intent="tanya_syarat", about="nikah_kua")
        assert told.startswith("Berkas diterima")
        assert "Tanya ktp?" in told

    @pytest.mark.parametrize("caption", ["nanti saja", "ulang dari awal", "kembali"])
    async def test_a_document_is_taken_whatever_is_written_on_it(
        self, talk: Talk, backend: FakeBackend, caption: str
    ) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO, caption=caption)
        assert next(iter(backend.drafts.values())).pages == {"buku_nikah": [PHOTO]}

    async def test_words_on_a_photo_that_was_not_asked_for_are_the_answer(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await begin(talk)
        await talk.say(NIK)
        told = await talk.send(file=PHOTO, caption="nama saya Siti Aminah")
        assert "belum saya simpan" in told
        assert "Tanya hp?" in told
        assert next(iter(backend.drafts.values())).answers["nama"] == "Siti Aminah"

    async def test_the_only_document_is_taken_before_it_is_asked_for(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk, "pengaduan")
        await talk.tap("Jalan")
        told = await talk.send(file=PHOTO, caption="aspal di depan pasar berlubang, foto tadi pagi", intent="pengaduan")
        draft = next(iter(backend.drafts.values()))
        assert draft.pages == {"foto": [PHOTO]}
        assert draft.answers["uraian"].startswith("aspal di depan pasar")
        assert "Berkas diterima" in told
        assert "Tanya lokasi?" in told

    async def test_without_words_as_well(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk, "pengaduan")
        told = await talk.send(file=PHOTO)
        assert "Berkas diterima" in told
        assert "Tanya jenis?" in told
