"""How people really answer: with courtesy, with "later", without what is asked for, and asking what it means."""

from __future__ import annotations

import pytest

from actions.backend import Question
from actions.changing import named_in
from actions.interpretation import Explain, Unfit, Value, interpret, is_aside, match_choice
from actions.words import is_word, puts_off, represents, spoken_digits
from tests.actions.fake_backend import NIK, FakeBackend
from tests.actions.talk import Talk
from tests.actions.test_interpretation import question, turn

RELATIONS = (
    ("keluarga", "Keluarga"),
    ("rt_rw", "Pengurus RT/RW"),
    ("perangkat_desa", "Perangkat desa"),
    ("lainnya", "Lainnya"),
)


@pytest.mark.parametrize("said", ["kirim nak", "iya kirim ya pak", "Kirim, Bu", "nggih", "ya pak", "tolong kirim"])
def test_courtesy_around_a_yes_is_no_hindrance(said: str) -> None:
    assert is_word("kirim", said)


@pytest.mark.parametrize("said", ["tolong ya", "makasih ya", "maaf ya", "pak ya", "terima kasih", ""])
def test_courtesy_alone_sends_nothing(said: str) -> None:
    assert not is_word("kirim", said)


@pytest.mark.parametrize(
    "said",
    [
        "nanti saja ya nak mbah cari dulu",
        "sampun riyin nggih, mangke mawon kula lanjutaken",
        "sesuk ae cak",
        "leren sek yo",
        "besok saja pak saya capek",
    ],
)
def test_later_is_understood_within_a_sentence(said: str) -> None:
    assert puts_off(said)


@pytest.mark.parametrize("said", ["nanti malam jam tujuh", "Jl. Mawar 3", "nanti saja boleh?"])
def test_later_is_not_seen_everywhere(said: str) -> None:
    assert not puts_off(said)


def test_a_number_may_be_dictated() -> None:
    said = "tiga lima satu lima kosong delapan lima tujuh nol delapan lima satu satu dua tiga empat"
    assert spoken_digits(said) == "3515085708511234"
    assert interpret(question("nik"), turn(said, "di_luar_topik")) == Value("3515085708511234")
    assert spoken_digits("anak saya tiga, yang dua sekolah") is None


def test_an_office_is_no_emergency() -> None:
    office = turn("Kepala Desa Kalitengah", "darurat", 1.0)
    assert interpret(question("text"), office) == Value("Kepala Desa Kalitengah")
    assert not is_aside(office)
    assert is_aside(turn("tolong kebakaran", "darurat", 1.0))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("tetangga", "lainnya"), ("anaknya", "keluarga"), ("pak rt", "rt_rw"), ("saya kasun", "perangkat_desa")],
)
def test_relation_in_ones_own_words(said: str, meant: str) -> None:
    assert match_choice(said, RELATIONS) == meant


@pytest.mark.parametrize("said", ["laki2", "laki2 pak", "laki-laki", "LAKI2"])
def test_a_word_is_doubled_by_a_two(said: str) -> None:
    assert match_choice(said, (("laki_laki", "Laki-laki"), ("perempuan", "Perempuan"))) == "laki_laki"


def test_the_word_a_title_begins_with_is_enough() -> None:
    kinds = (("jalan", "Jalan atau jembatan"), ("penerangan", "Lampu jalan"), ("lainnya", "Lainnya"))
    assert match_choice("pokoknya jalan", kinds) == "jalan"


@pytest.mark.parametrize(
    ("field", "said", "intent"),
    [
        ("nik", "nik itu yang mana nak", "tanya_lokasi"),
        ("nomor_kk", "kok nik sama kk beda ya?", "cek_status"),
        ("saksi", "saksi itu harus siapa? ortu saya boleh?", "tanya_syarat"),
    ],
)
def test_a_question_about_what_is_asked_is_explained(field: str, said: str, intent: str) -> None:
    asked = Question(field, "nik", "?", "bantuan", (), optional=False)
    assert interpret(asked, turn(said, intent)) == Explain()


def test_a_question_at_a_document_is_not_answered_with_a_request() -> None:
    assert interpret(question("document"), turn("bentuknya gimana?", None)) == Unfit("belum_bisa_jawab")


@pytest.mark.parametrize(
    ("said", "meant"), [("ubah berat bayi", "ukuran"), ("ubah hubungan", "wakil"), ("ubah semua", None)]
)
def test_one_word_of_a_name_is_enough_to_change_it(said: str, meant: str | None) -> None:
    items = (
        ("ukuran", "Berat, panjang, dan anak ke-"),
        ("wakil", "Hubungan Anda dengan pemohon"),
    )
    assert named_in(said, items) == meant


def test_a_neighbours_paper_is_filed_for_another() -> None:
    assert represents("cak aku pak RT, kate nguruso kk ilang duweke tonggoku")
    assert not represents("ktp saya hilang")


async def _begun(talk: Talk) -> None:
    await talk.say("mau surat keterangan", "ajukan_layanan", about="sk_umum")
    await talk.tap("Setuju, mulai")


async def test_later_in_a_sentence_is_never_kept_as_a_name(talk: Talk, backend: FakeBackend) -> None:
    await _begun(talk)
    await talk.say(NIK)
    assert "disimpan 7 hari" in await talk.say("nanti saja ya nak mbah cari dulu")
    assert not talk.form_is_open


async def test_who_has_not_got_it_is_told_a_way(talk: Talk) -> None:
    await _begun(talk)
    assert '"nanti saja"' in await talk.say("nik e gak hafal")


async def test_withdrawing_what_is_not_sent_yet_stops_it(talk: Talk) -> None:
    await _begun(talk)
    assert "dihentikan" in await talk.say("cabut permohonan", "batalkan_permohonan")
    assert not talk.form_is_open


async def test_a_status_asked_in_the_form_is_told_as_unsent(talk: Talk) -> None:
    await _begun(talk)
    assert "belum terkirim" in await talk.say("status saya gimana?", "cek_status")


async def test_the_forms_topic_stays_after_a_question_about_another_service(talk: Talk) -> None:
    await _begun(talk)
    await talk.say("paspor syaratnya apa?", "tanya_syarat", about="paspor")
    assert talk.slots["layanan"] == "sk_umum"


async def test_a_number_nobody_asked_for_is_not_off_topic(talk: Talk) -> None:
    assert "belum tahu nomor itu" in await talk.say(NIK, "di_luar_topik")


async def test_a_service_that_is_sure_is_asked_about(talk: Talk) -> None:
    said = await talk.say("mbah mau tanya paspor itu lho nak", about="paspor")
    assert "Ini tentang Paspor?" in said
    assert talk.slots["layanan"] == "paspor"
