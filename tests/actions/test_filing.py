"""Before and during a filing, as the citizen meets it: offer, consent, questions, documents, review, sending."""

from __future__ import annotations

import pytest

from actions.backend import BackendDown
from tests.actions.fake_backend import NIK, FakeBackend
from tests.actions.fake_bot import FakeBot
from tests.actions.fake_filings import issued
from tests.actions.talk import Talk

NUMBER = issued("7K4QX")
PHOTO = b"\xff\xd8 foto"
BLURRED = b"\xff\xd8 buram"


async def begin(talk: Talk, service: str = "sk_umum") -> str:
    await talk.say("mau bikin surat", "ajukan_layanan", about=service)
    return await talk.tap("Setuju, mulai")


async def to_documents(talk: Talk, nik: str = NIK) -> str:
    await begin(talk)
    for answer in (nik, "Siti Aminah", "081234567890"):
        await talk.say(answer)
    return await talk.say("melamar kerja")


async def to_review(talk: Talk, nik: str = NIK) -> str:
    await to_documents(talk, nik)
    await talk.send(file=PHOTO)
    await talk.send(file=PHOTO)
    return await talk.tap("Lewati")


def titles(talk: Talk) -> list[str]:
    return [title for _, title in talk.choices]


class TestBefore:
    async def test_offer_is_a_checklist_with_fee_date_and_originals(self, talk: Talk) -> None:
        told = await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        for part in (
            "☐ Buku nikah",
            "☐ Akta cerai (bila menikah)",
            "Rp 0",
            "Jumat, 27 November 2026",
            "Bawa berkas asli",
        ):
            assert part in told

    async def test_consent_is_asked_once_and_kept(self, talk: Talk, backend: FakeBackend) -> None:
        told = await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        assert "UU 27/2022" in told
        assert backend.consents == {}
        assert "Tanya nik?" in await talk.tap("Setuju, mulai")
        assert list(backend.consents) == [talk.conversation]
        await talk.say("batal", "batal")
        told = await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        assert "UU 27/2022" not in told
        assert "Tanya nik?" in await talk.tap("Ya, mulai")

    async def test_bare_yes_agrees_to_what_was_offered(self, talk: Talk, backend: FakeBackend) -> None:
        await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        assert "Tanya nik?" in await talk.say("ya mulai", "ya")
        assert backend.consents

    async def test_nothing_goes_on_after_consent_was_withdrawn(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        await talk.say("nanti saja")
        backend.consents.clear()
        told = await talk.say("lanjutkan", "lanjutkan_draf")
        assert "UU 27/2022" in told
        assert "Tanya nik?" not in told
        assert "Tanya nik?" in await talk.tap("Setuju, mulai")

    async def test_a_choice_to_begin_asks_for_consent_first(self, talk: Talk, backend: FakeBackend) -> None:
        assert "UU 27/2022" in await talk.choose("mulai:sk_umum")
        assert backend.drafts == {}

    async def test_the_notice_is_not_repeated_by_the_choice_of_whom_it_is_for(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        for chosen in ("Untuk orang lain", "Untuk saya sendiri"):
            told = await talk.tap(chosen)
            assert "UU 27/2022" not in told
            assert "Setuju, mulai" in told
        assert backend.consents == {}
        await talk.say("terima kasih", "terima_kasih")
        assert "UU 27/2022" in await talk.choose("mulai:sk_umum:wakil")

    async def test_consent_given_on_another_channel_counts(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        other = Talk(talk.actions, talk.bot, conversation="percakapan-2")
        assert "UU 27/2022" in await other.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        other.linked = (talk.conversation,)
        assert "UU 27/2022" not in await other.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        assert "Tanya nik?" in await other.tap("Ya, mulai")
        # The proof stays where it was given.
        assert list(backend.consents) == [talk.conversation]
        backend.consents[talk.conversation] = "2020-01"
        assert "UU 27/2022" in await other.choose("mulai:pengaduan")

    @pytest.mark.parametrize(
        "said", ["mau bikin surat untuk ibu saya", "mewakili warga saya bikin surat", "gae bapakku surat"]
    )
    async def test_helper_is_understood_from_words(self, talk: Talk, backend: FakeBackend, said: str) -> None:
        assert "wakil" in await talk.say(said, "ajukan_layanan", about="sk_umum")
        assert "Untuk saya sendiri" in titles(talk)
        assert "Tanya wakil_nama?" in await talk.tap("Setuju, mulai")

    async def test_helper_by_choice(self, talk: Talk) -> None:
        await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        assert "wakil" in await talk.tap("Untuk orang lain")
        assert "Tanya wakil_nama?" in await talk.tap("Setuju, mulai")
        await talk.say("Budi Santoso")
        assert "Pakai nomor ini" in titles(talk)
        await talk.say("081234567891")
        await talk.say(NIK)
        await talk.say("Siti Aminah")
        assert "Pakai nomor ini" not in titles(talk)

    async def test_a_helpers_draft_goes_on_as_one_and_can_be_thrown_away(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await talk.say("mau bikin surat untuk ibu saya", "ajukan_layanan", about="sk_umum")
        await talk.tap("Setuju, mulai")
        await talk.say("Budi Santoso")
        await talk.say("nanti saja")
        assert "Tanya wakil_hp?" in await talk.say("lanjutkan", "lanjutkan_draf")
        assert "hapus" in await talk.say("mulai dari awal", "batal")
        assert backend.drafts == {}
        assert "Tanya wakil_nama?" in await talk.tap("Mulai baru")

    async def test_own_and_helped_drafts_are_told_apart(self, talk: Talk) -> None:
        await begin(talk)
        await talk.choose("mulai:sk_umum:wakil")
        await talk.say("nanti saja")
        await talk.say("lanjutkan", "lanjutkan_draf")
        assert titles(talk) == ["Sk umum", "Sk umum (orang lain)"]
        assert "Tanya wakil_nama?" in await talk.tap("Sk umum (orang lain)")

    async def test_an_open_draft_is_left_to_the_backend_to_find(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        await talk.say(NIK)
        await talk.say("nanti saja")
        backend.asked.clear()
        assert "Tanya nama?" in await talk.choose("mulai:sk_umum")
        assert "drafts" not in [path for path, _ in backend.asked]

    async def test_referral_is_only_explained(self, talk: Talk) -> None:
        assert "Caranya" in await talk.say("mau bikin paspor", "ajukan_layanan", about="paspor")

    async def test_a_draft_left_is_offered_on_return(self, talk: Talk) -> None:
        await begin(talk)
        await talk.say(NIK)
        await talk.say("nanti saja")
        await talk.say("halo", "salam")
        assert "Tanya nama?" in await talk.tap("Lanjutkan isian")

    async def test_draft_of_another_channel_goes_on_here(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        await talk.say(NIK)
        other = Talk(talk.actions, talk.bot, conversation="percakapan-2", linked=(talk.conversation,))
        backend.consents[other.conversation] = "2026-11"
        await other.say("halo", "salam")
        assert "Tanya nama?" in await other.tap("Lanjutkan isian")


class TestKnownData:
    @pytest.fixture(autouse=True)
    def known(self, backend: FakeBackend) -> None:
        backend.known = {"nik": "3515••••••••9999", "nama": "Siti Aminah"}

    async def test_is_offered_masked_and_taken(self, talk: Talk) -> None:
        told = await begin(talk)
        assert "3515••••••••9999" in told
        assert "Tanya nik?" not in told
        assert "Tanya hp?" in await talk.tap("Ya, pakai")

    @pytest.mark.parametrize("said", ["tidak", "isi baru"])
    async def test_is_declined(self, talk: Talk, said: str) -> None:
        await begin(talk)
        assert "Tanya nik?" in await talk.say(said)

    async def test_writing_another_nik_declines(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        assert "Tanya nama?" in await talk.say("3515081708850001")
        assert next(iter(backend.drafts.values())).answers["nik"] == "3515081708850001"

    async def test_a_question_in_between_is_answered(self, talk: Talk) -> None:
        await begin(talk)
        told = await talk.say("ini bayar ga?", "tanya_biaya", about="sk_umum")
        assert "Rp 0" in told
        assert "3515••••••••9999" in told

    @pytest.mark.parametrize("said", ["iya", "tidak"])
    async def test_the_decision_redelivered_answers_nothing_else(
        self, talk: Talk, backend: FakeBackend, said: str
    ) -> None:
        await talk.say("ada pungli di kantor desa", "pengaduan")
        await talk.tap("Setuju, mulai")
        draft = next(iter(backend.drafts.values()))
        draft.answers["jenis"] = "pungli"
        await talk.say(said)
        answers = dict(draft.answers)
        await talk.redelivered()
        assert draft.answers == answers

    async def test_a_nik_redelivered_is_kept_once(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        await talk.say("3515081708850001")
        assert "Tanya nama?" in await talk.redelivered()
        assert next(iter(backend.drafts.values())).answers == {"nik": "3515081708850001"}


class TestDocuments:
    async def test_a_photo_redelivered_is_the_document_that_it_was(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO)
        told = await talk.redelivered()
        assert "Berkas diterima: Buku nikah" in told
        assert "Tanya ktp?" in told
        assert next(iter(backend.drafts.values())).pages == {"buku_nikah": [PHOTO]}

    async def test_each_photo_answers_the_document_asked_for(self, talk: Talk, backend: FakeBackend) -> None:
        assert "Tanya buku_nikah?" in await to_documents(talk)
        assert "Tanya ktp?" in await talk.send(file=PHOTO)
        assert "Tanya akta_cerai?" in await talk.send(file=PHOTO)
        assert {k: len(v) for k, v in next(iter(backend.drafts.values())).pages.items()} == {"buku_nikah": 1, "ktp": 1}

    async def test_an_album_is_pages_of_one_document(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO)
        assert "halaman 2" in await talk.send(file=PHOTO, early=True)
        assert "Tanya ktp?" in await talk.send(file=PHOTO, early=True)
        assert {k: len(v) for k, v in next(iter(backend.drafts.values())).pages.items()} == {"buku_nikah": 3}

    async def test_an_album_of_a_single_page_is_kept_out(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO)
        await talk.send(file=PHOTO)
        assert "tidak saya simpan" in await talk.send(file=PHOTO, early=True)
        assert len(next(iter(backend.drafts.values())).pages["ktp"]) == 1

    async def test_a_photo_right_after_words_is_no_page_of_the_one_before(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO)
        await talk.say("ini bayar ga?", "tanya_biaya", about="sk_umum")
        await talk.send(file=PHOTO, early=True)
        assert {k: len(v) for k, v in next(iter(backend.drafts.values())).pages.items()} == {"buku_nikah": 1, "ktp": 1}

    async def test_a_page_is_added_until_it_is_enough(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO)
        assert "halaman berikutnya" in await talk.tap("Tambah halaman")
        assert "halaman berikutnya" in await talk.send(file=PHOTO)
        assert "Tanya ktp?" in await talk.say("lanjut", "ya")
        assert len(next(iter(backend.drafts.values())).pages["buku_nikah"]) == 2

    async def test_a_caption_says_which_document_it_is(self, talk: Talk, backend: FakeBackend) -> None:
        await to_documents(talk)
        await talk.send(file=PHOTO, caption="ini ktp saya")
        assert list(next(iter(backend.drafts.values())).pages) == ["ktp"]

    async def test_a_doubtful_photo_is_the_citizens_to_decide(self, talk: Talk, backend: FakeBackend) -> None:
        backend.blurred.add(BLURRED)
        await to_documents(talk)
        told = await talk.send(file=BLURRED)
        assert "buram" in told
        assert told.count("buram") == 1
        assert titles(talk) == ["Pakai foto ini", "Kirim ulang"]
        assert "Tanya buku_nikah?" in await talk.tap("Kirim ulang")
        assert "buram" in await talk.send(file=BLURRED)
        assert "Tanya ktp?" in await talk.say("pakai aja")

    async def test_a_better_photo_takes_the_doubtful_ones_place(self, talk: Talk, backend: FakeBackend) -> None:
        backend.blurred.add(BLURRED)
        await to_documents(talk)
        await talk.send(file=BLURRED)
        assert "Tanya ktp?" in await talk.send(file=PHOTO)
        assert next(iter(backend.drafts.values())).pages["buku_nikah"] == [PHOTO]

    async def test_a_doubtful_first_page_of_an_album_is_not_lost(self, talk: Talk, backend: FakeBackend) -> None:
        backend.blurred.add(BLURRED)
        await to_documents(talk)
        await talk.send(file=BLURRED)
        await talk.send(file=PHOTO, early=True)
        assert next(iter(backend.drafts.values())).pages["buku_nikah"] == [BLURRED, PHOTO]

    async def test_a_photo_too_early_is_kept_out_and_the_question_asked_again(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await begin(talk)
        told = await talk.send(file=PHOTO)
        assert "belum saya simpan" in told
        assert "Tanya nik?" in told
        assert next(iter(backend.drafts.values())).pages == {}

    async def test_what_is_no_picture_is_refused(self, talk: Talk) -> None:
        await to_documents(talk)
        told = await talk.send(file=b"MZ program")
        assert "Kirim foto atau PDF" in told
        assert "Tanya buku_nikah?" in told

    async def test_an_upload_link_is_given(self, talk: Talk, bot: FakeBot, backend: FakeBackend) -> None:
        assert "Lewat tautan lebih aman" in await to_documents(talk)
        told = await talk.tap("Lewat tautan")
        assert "https://praja.example/unggah/1" in told
        assert "Tanya buku_nikah?" not in told
        draft = next(iter(backend.drafts))
        subject = {"draft": draft, "document": "buku_nikah", "name": "Buku nikah", "pages": 4}
        assert bot.links == [{"kind": "unggah", "conversation": talk.conversation, "subject": subject}]
        assert "Tanya ktp?" in await talk.send(file=PHOTO, caption="Buku nikah")

    async def test_a_page_by_a_link_is_the_document_that_the_link_was_for(
        self, talk: Talk, backend: FakeBackend
    ) -> None:
        await to_documents(talk)
        draft = next(iter(backend.drafts.values()))
        await talk.send(file=PHOTO, caption="Buku nikah", draft=draft.id, document="ktp")
        assert draft.pages == {"ktp": [PHOTO]}

    @pytest.mark.parametrize(
        ("link", "sentence"),
        [
            ({"draft": "draf-9", "document": "ktp"}, "bukan untuk isian yang sekarang"),
            ({"draft": NUMBER, "document": "ktp"}, "bukan untuk isian yang sekarang"),
            ({"draft": "draf-1", "document": "ijazah"}, "sekarang tidak diminta"),
        ],
    )
    async def test_a_page_by_a_link_for_something_else_is_refused(
        self, talk: Talk, backend: FakeBackend, link: dict[str, str], sentence: str
    ) -> None:
        await to_documents(talk)
        told = await talk.send(file=PHOTO, caption="Ktp", **link)
        assert sentence in told
        assert "Tanya buku_nikah?" in told
        assert next(iter(backend.drafts.values())).pages == {}

    async def test_a_page_by_a_link_while_nothing_is_open_tells_how_to_go_on(self, talk: Talk) -> None:
        await to_documents(talk)
        await talk.say("nanti saja")
        told = await talk.send(file=PHOTO, caption="Buku nikah", draft="draf-1", document="buku_nikah")
        assert 'Tulis "lanjutkan"' in told
        assert "Tanya buku_nikah?" in await talk.say("lanjutkan", "lanjutkan_draf")

    async def test_what_a_link_calls_its_document_is_no_answer(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        await talk.say(NIK)
        await talk.send(file=PHOTO, caption="Surat Kuasa", draft="draf-9", document="surat_kuasa")
        assert next(iter(backend.drafts.values())).answers == {"nik": NIK}

    @pytest.mark.parametrize(
        "said", ["tolong ubah nomor HP", "tolong dong ubah hp ya", "Tolong ganti HP menjadi 085712345678"]
    )
    async def test_changing_is_asked_for_politely(self, talk: Talk, said: str) -> None:
        await to_review(talk)
        assert "Tanya hp?" in await talk.say(said)

    async def test_changing_a_document_at_the_review_replaces_it(self, talk: Talk, backend: FakeBackend) -> None:
        await to_review(talk)
        await talk.say("ubah ktp")
        await talk.send(file=b"\xff\xd8 baru")
        assert next(iter(backend.drafts.values())).pages["ktp"] == [b"\xff\xd8 baru"]


class TestOnTheWay:
    async def test_back_change_and_later_work_at_a_document(self, talk: Talk) -> None:
        await to_documents(talk)
        assert "Tanya keperluan?" in await talk.say("kembali")
        await talk.say("beasiswa")
        await talk.say("ubah")
        assert titles(talk) == ["Nik", "Nama", "Hp", "Keperluan"]
        assert "Tanya nama?" in await talk.say("nama")
        assert "Tanya buku_nikah?" in await talk.say("Siti Aminah Binti Karto")
        assert "7 hari" in await talk.say("nanti saja", "tidak")
        assert not talk.form_is_open
        assert "Tanya buku_nikah?" in await talk.tap("Lanjutkan")

    async def test_own_number_is_offered(self, talk: Talk) -> None:
        await begin(talk)
        await talk.say(NIK)
        await talk.say("Siti Aminah")
        assert ("isi:hp:@kontak", "Pakai nomor ini") in talk.choices
        assert "Tanya keperluan?" in await talk.send(contact={"phone": "+6281234567890"})

    async def test_a_wrong_answer_is_explained(self, talk: Talk) -> None:
        await begin(talk)
        told = await talk.say("351508570890999")
        assert "15 angka" in told
        assert "Tanya nik?" in told

    async def test_with_the_backend_down_nothing_of_the_answer_is_lost(self, talk: Talk, backend: FakeBackend) -> None:
        await begin(talk)
        backend.down = True
        with pytest.raises(BackendDown):
            await talk.say(NIK)
        backend.down = False
        assert "Tanya nama?" in await talk.say(NIK)


class TestReview:
    async def test_is_shown_whole_and_masked_once(self, talk: Talk) -> None:
        told = await to_review(talk)
        assert "3515••••••••9999" in told
        assert NIK not in told
        assert "Buku nikah: 1 berkas" in told
        stray = await talk.say("hmm bentar", "di_luar_topik", 0.4)
        assert "Periksa dulu" not in stray
        assert titles(talk) == ["Kirim", "Ubah", "Batal"]
        assert "Periksa dulu" not in await talk.say("ini bayar ga?", "tanya_biaya", about="sk_umum")
        assert "Periksa dulu" in await talk.say("ulangi dong", "ulangi")

    async def test_is_shown_whole_again_after_a_change(self, talk: Talk) -> None:
        await to_review(talk)
        await talk.tap("Ubah")
        await talk.tap("Nama")
        assert "Siti Aminah Binti Karto" in await talk.say("Siti Aminah Binti Karto")

    async def test_sending_tells_number_date_and_originals(self, talk: Talk, backend: FakeBackend) -> None:
        await to_review(talk)
        told = await talk.tap("Kirim")
        for part in (*backend.filings, "27 November 2026", "Bawa berkas asli"):
            assert part in told
        assert not talk.form_is_open

    @pytest.mark.parametrize("is_older", [False, True])
    async def test_the_same_still_open_is_shown_and_asked_about(
        self, talk: Talk, backend: FakeBackend, is_older: bool
    ) -> None:
        backend.is_older = is_older
        await to_review(talk)
        await talk.say("kirim")
        first = next(iter(backend.filings))
        await talk.say("mau bikin surat", "ajukan_layanan", about="sk_umum")
        await talk.tap("Ya, mulai")
        for answer in (NIK, "Siti Aminah", "081234567890", "beasiswa"):
            await talk.say(answer)
        await talk.send(file=PHOTO)
        await talk.send(file=PHOTO)
        await talk.tap("Lewati")
        review = dict(talk.choices)
        told = await talk.say("kirim")
        assert first in told
        assert titles(talk) == ["Lihat statusnya", "Tetap kirim", "Tidak jadi"]
        assert "isi:review:kirim" in review
        assert first in await talk.choose("isi:review:kirim")
        assert len(backend.filings) == 1
        await talk.tap("Tetap kirim")
        assert len(backend.filings) == 2

    async def test_sent_when_the_backend_returns(self, talk: Talk, backend: FakeBackend) -> None:
        await to_review(talk)
        backend.down = True
        with pytest.raises(BackendDown):
            await talk.say("kirim")
        backend.down = False
        assert "sudah terkirim" in await talk.say("kirim")
        assert len(backend.filings) == 1


class TestSentFromTheOtherPhone:
    @pytest.fixture(autouse=True)
    async def sent(self, talk: Talk, backend: FakeBackend) -> str:
        await to_review(talk)
        draft = next(iter(backend.drafts.values()))
        draft.number = NUMBER
        backend.filings[NUMBER] = {
            "number": NUMBER,
            "service": "sk_umum",
            "state": "MENUNGGU",
            "submitted_at": "2026-11-24T10:00:00+07:00",
            "office": "Desa Suko",
            "nik": NIK,
        }
        return NUMBER

    @pytest.mark.parametrize("said", ["ubah nama", "ulang dari awal", "hmm bentar", "nanti saja"])
    async def test_words(self, talk: Talk, backend: FakeBackend, said: str) -> None:
        self.check(talk, await talk.say(said))
        assert len(backend.drafts) == 1

    async def test_a_photo(self, talk: Talk) -> None:
        self.check(talk, await talk.send(file=PHOTO))

    async def test_sending_it_again_tells_the_number(self, talk: Talk, backend: FakeBackend) -> None:
        self.check(talk, await talk.tap("Kirim"))
        assert list(backend.filings) == [NUMBER]

    async def test_while_an_answer_was_on_its_way(self, talk: Talk, backend: FakeBackend) -> None:
        draft = next(iter(backend.drafts.values()))
        draft.number = None
        await talk.say("ubah nama")
        draft.number = NUMBER
        backend.hides_submission = True
        self.check(talk, await talk.say("Siti Aminah Binti Karto"))

    async def test_before_it_is_asked_on(self, talk: Talk, backend: FakeBackend) -> None:
        backend.hides_submission = True
        self.check(talk, await talk.say("hmm bentar", "di_luar_topik", 0.4))

    def check(self, talk: Talk, told: str) -> None:
        assert "sudah terkirim" in told
        assert NUMBER in told
        assert not talk.form_is_open
        assert talk.slots["draf"] is None


class TestComplaint:
    async def test_is_offered_and_keeps_what_was_told(self, talk: Talk, backend: FakeBackend) -> None:
        story = "jalan depan pasar Larangan berlubang besar sudah sebulan"
        told = await talk.say(story, "pengaduan")
        assert "112" in told
        assert "Tanya jenis?" in await talk.tap("Setuju, mulai")
        told = await talk.tap("Jalan")
        assert story in told
        assert "Tanya lokasi?" in await talk.tap("Ya, pakai itu")
        told = await talk.send(location={"lat": -7.45, "lon": 112.7})
        assert "Tanya foto?" in told
        told = await talk.tap("Lewati")
        assert "laporan Anda" in told
        assert "permohonan" not in told.lower()
        told = await talk.say("kirim")
        assert "Laporan Anda sudah terkirim" in told
        answers = next(iter(backend.drafts.values())).answers
        assert answers["uraian"] == story
        assert answers["lokasi"] == "-7.450000,112.700000"

    async def test_can_be_told_anew(self, talk: Talk, backend: FakeBackend) -> None:
        await talk.say("ada pungli di kantor desa", "pengaduan")
        await talk.tap("Setuju, mulai")
        await talk.tap("Pungli")
        await talk.say("petugas meminta Rp 50.000, kenapa begitu?", "pengaduan")
        assert next(iter(backend.drafts.values())).answers["uraian"].startswith("petugas meminta")

    async def test_without_a_form_points_elsewhere(self, talk: Talk, backend: FakeBackend) -> None:
        backend.without_complaints = True
        assert "lapor.go.id" in await talk.say("jalan rusak", "pengaduan")

    async def test_an_emergency_in_between_is_112(self, talk: Talk) -> None:
        await talk.say("jalan rusak", "pengaduan")
        await talk.tap("Setuju, mulai")
        await talk.tap("Jalan")
        assert "112" in await talk.say("tolong ada kebakaran di rumah tetangga saya sekarang", "darurat", 1.0)


class TestConsultation:
    async def test_question_goes_to_an_officer(self, talk: Talk, backend: FakeBackend) -> None:
        told = await talk.say("mau konsultasi", "ajukan_layanan", about="konsultasi_hukum")
        assert "bukan pendapat hukum" in told
        await talk.tap("Setuju, mulai")
        told = await talk.say("bolehkah sisa dana desa dipakai memperbaiki jalan?", "tanya_prosedur")
        assert "pertanyaan Anda" in told
        assert "bukan pendapat hukum" in await talk.say("kirim")
