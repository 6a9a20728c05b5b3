from __future__ import annotations

import pytest

from nlu.emergency import Alarm, alarm


@pytest.mark.parametrize(
    "text",
    [
        "KEBAKARAN",
        "tolong ada kebakaran di pasar krian",
        "kbakaran min tolong",
        "KEBAKARANNN!!!",
        "kecelakaan di jalan raya waru ada yg ga sadar",
        "kcelakaan tolong",
        "tulung omahku kobongan",
        "onok maling mlebu omah saiki",
        "wonten kacilakan teng margi, nyuwun tulung",
        "tolong ibu saya pingsan",
        "butuh ambulans sekarang",
        "SOS",
        "darurat!!!",
        "ada begal di jembatan barusan",
        "arekku kelelep nang kali tulung",
        "sy udh ga kuat mau akhiri hidup aja",
        "saya ingin bunuh diri saja",
    ],
)
def test_a_cry_for_help_is_certain(text: str) -> None:
    assert alarm(text) is Alarm.CERTAIN


@pytest.mark.parametrize(
    "text",
    [
        "mau minta surat keterangan kebakaran",
        "laporan kecelakaan kemarin",
        "ktp saya hilang waktu kebakaran",
        "kk rusak kena banjir bandang, urus dimana",
        "rumah kebakaran bulan lalu, mau urus akta yang terbakar",
        "syarat santunan kecelakaan apa saja",
        "dompet dijambret, mau buat surat kehilangan",
        "lowongan damkar ada?",
        "halo",
        "",
        "aplikasi error tolong",
    ],
)
def test_past_or_about_a_paper_is_none(text: str) -> None:
    assert alarm(text) is Alarm.NONE


@pytest.mark.parametrize(
    "text",
    [
        "bapakku tibo teko wit, sirahe bocor",
        "asapnya sudah masuk kamar, kami tidak bisa keluar",
        "wonten tiyang dhawah ing sumur",
        "nenek jatuh dari tangga",
    ],
)
def test_a_word_that_others_use_too_leaves_it_to_the_model(text: str) -> None:
    assert alarm(text) is Alarm.HINTED


@pytest.mark.parametrize(
    "text",
    [
        "bosku kebakaran jenggot",
        "hatiku kebakar lihat dia sama yang lain",
        "panase koyok kobong rek",
        "banyak begal di sini, tolong patroli ditambah",
    ],
)
def test_a_figure_of_speech_is_none(text: str) -> None:
    assert alarm(text) is Alarm.NONE
