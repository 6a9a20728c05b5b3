"""In a form the answer to the question asked comes first; a question or a command is left to its own rule."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from actions.backend import Question
from actions.interpretation import Aside, File, Meaning, Stale, Unfit, Value, interpret, match_choice
from actions.turn import IncomingFile, Turn

DESA = (("Blurukidul", "Blurukidul"), ("Suko", "Suko"), ("Sidokumpul", "Sidokumpul"), ("Sidokare", "Sidokare"))


def question(kind: str, *, choices: tuple[tuple[str, str], ...] = (), optional: bool = False) -> Question:
    return Question(field="x", type=kind, question="?", help=None, choices=choices, optional=optional)


def turn(
    text: str = "",
    intent: str | None = None,
    confidence: float = 0.9,
    *,
    entities: Mapping[str, str] | None = None,
    choice: str | None = None,
    file: IncomingFile | None = None,
    phone: str | None = None,
) -> Turn:
    return Turn(
        conversation="c", message_id="m", channel="simulator", text=text, intent=intent, confidence=confidence, intents=(),
        services=(), entities=entities or {}, choice=choice, file=file, phone=phone, location=None, slots={},
    )  # fmt: skip


PHOTO = IncomingFile("http://x", "kk.jpg", "image/jpeg")


@pytest.mark.parametrize(
    ("kind", "said", "meaning"),
    [
        pytest.param("nik", turn("3515 0857 0890 9999"), Value("3515085708909999"), id="nik with blanks"),
        pytest.param("nik", turn("nik 351508570890999", "ajukan_layanan"), Value("351508570890999"), id="15 digits: an attempt"),
        pytest.param("nik", turn("ini bayar ga?", "tanya_biaya"), Aside(), id="a question instead of a number"),
        pytest.param("nik", turn("siti aminah", "di_luar_topik", 0.4), Unfit("bukan_angka"), id="a name instead of a number"),
        pytest.param("phone", turn(phone="+6281234567890"), Value("+6281234567890"), id="shared contact"),
        pytest.param("phone", turn("0812", "ya"), Unfit("bukan_angka"), id="too short for an attempt"),
        pytest.param("date", turn("17 agustus 1990", entities={"tanggal": "1990-08-17"}), Value("1990-08-17"), id="words"),
        pytest.param("date", turn("kapan jadinya?", "tanya_lama_proses"), Aside(), id="a question instead of a date"),
        pytest.param("address", turn("Jl. Mawar no 3 depan masjid", "pengaduan", 0.8), Value("Jl. Mawar no 3 depan masjid"),
                     id="an address that looks like a complaint"),
        pytest.param("address", turn("ini bayar ga?", "tanya_biaya"), Aside(), id="a question instead of an address"),
        pytest.param("text", turn("untuk syarat beasiswa anak saya", "tanya_syarat", 0.8), Value("untuk syarat beasiswa anak saya"),
                     id="a reason that names a requirement"),
        pytest.param("name", turn("batal", "batal", 0.95), Aside(), id="a command"),
        pytest.param("name", turn("Siti Aminah", "batal", 0.3), Value("Siti Aminah"), id="a name the model takes for a command"),
        pytest.param("document", turn(file=PHOTO), File(PHOTO), id="the photo"),
        pytest.param("document", turn("oke"), Unfit("kirim_berkas"), id="words instead of the photo"),
        pytest.param("name", turn(file=PHOTO), Unfit("berkas_belum_diminta"), id="a photo too early"),
        pytest.param("name", turn(choice="isi:x:Budi"), Value("Budi"), id="a choice of this question"),
        pytest.param("name", turn(choice="isi:y:Budi"), Stale(), id="a choice of an earlier question"),
        pytest.param("name", turn(choice="niat:batal"), Aside(), id="a choice that is a command"),
    ],
)  # fmt: skip
def test_meaning(kind: str, said: Turn, meaning: Meaning) -> None:
    assert interpret(question(kind), said) == meaning


@pytest.mark.parametrize("said", ["lewati", "Tidak ada", "gak onok", "-"])
def test_optional_question_can_be_skipped_in_words(said: str) -> None:
    assert interpret(question("text", optional=True), turn(said)) == Value(None)
    assert interpret(question("text"), turn(said)) == Value(said)


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("bluru kidul", "Blurukidul"),
        ("Desa Bluru-Kidul", "Blurukidul"),
        ("blurukidol", "Blurukidul"),
        ("sidokumpul mas", "Sidokumpul"),
        ("suko", "Suko"),
        ("sidoarjo", None),
        ("", None),
        ("dimana ya", None),
    ],
)
def test_choice_written_instead_of_tapped(said: str, chosen: str | None) -> None:
    assert match_choice(said, DESA) == chosen


def test_part_of_one_title_is_enough() -> None:
    kinds = (("jalan", "Jalan atau jembatan"), ("penerangan", "Lampu jalan"), ("pungli", "Pungutan liar atau calo"))
    assert match_choice("pungutan liar", kinds) == "pungli"
    assert match_choice("lampu", kinds) == "penerangan"
    assert match_choice("atau", (*kinds, ("sampah", "Sampah atau bau"))) is None
