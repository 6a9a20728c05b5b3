"""The main job, end to end on the simulator: file, hear the number, ask for the status, be told when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend.catalogue import Catalogue
from tests.stack.citizen import Heard, SimulatorPhone, answer_question, begin, file_service, photo, said
from tests.stack.running import Running


def test_from_the_first_words_to_a_finished_filing(stack: Running, phone: SimulatorPhone, catalogue: Catalogue) -> None:
    assert "KTP-el hilang" in said(phone.say("min ktp sy ilang, ngurusnya gmn"))
    number, _ = file_service(phone, catalogue.services["ktp_hilang"])
    assert number in said(phone.say("punya saya sampai mana?"))
    assert "menunggu" in said(phone.say(f"cek status {number.lower().replace('-', ' ')}"))
    stack.transition(number, "DIPROSES", "sedang diperiksa")
    stack.transition(
        number, "PERLU_PERBAIKAN", "foto KK terpotong", fix=[{"document": "kk", "reason": "foto terpotong"}]
    )
    told = _later(phone, lambda text: "terpotong" in text)
    assert number in told
    assert "perlu diperbaiki" in said(phone.say("kok belum jadi"))


def test_a_question_in_between_is_answered_and_the_form_goes_on(phone: SimulatorPhone) -> None:
    _begin(phone, "ktp_hilang")
    heard = said(phone.say("ini bayar ga?"))
    assert "Rp 0" in heard
    assert "NIK" in heard
    assert "nomor KK" in said(phone.say("3515085708909999"))


def test_wrong_answers_are_explained_and_asked_again(phone: SimulatorPhone) -> None:
    _begin(phone, "ktp_hilang")
    assert "15 angka" in said(phone.say("351508570890999"))
    assert "tanggal" in said(phone.say("3515083202909999"))
    assert "nomor KK" in said(phone.say("3515 0857 0890 9999"))


def test_one_answer_is_changed_from_the_review(phone: SimulatorPhone, catalogue: Catalogue) -> None:
    heard = _fill(phone, catalogue, "sk_umum")
    assert "Siti Aminah" in said(heard)
    assert "3515••••••••9999" in said(heard)
    assert "3515085708909999" not in said(heard)
    phone.tap("Ubah")
    phone.tap("Nama lengkap")
    heard = phone.say("Siti Aminah Binti Karto")
    assert "Siti Aminah Binti Karto" in said(heard)
    assert "SDA-" in said(phone.say("kirim"))


def test_stopping_keeps_the_answers_for_later(phone: SimulatorPhone) -> None:
    _begin(phone, "ktp_hilang")
    phone.say("3515085708909999")
    assert "7 hari" in said(phone.say("batal"))
    assert "Rp 0" in said(phone.say("ktp hilang bayar ga"))
    assert "nomor KK" in said(phone.say("lanjutkan yang tadi"))


def test_a_choice_can_be_typed_by_number_or_title(phone: SimulatorPhone) -> None:
    phone.say("mau ngurus ktp")
    titles = [choice["title"] for choice in phone.choices]
    assert titles
    assert titles[1] in said(phone.say("2"))
    phone.say("mau ngurus ktp")
    assert titles[0] in said(phone.say(titles[0].lower()))


def test_another_persons_number_tells_nothing(
    phone: SimulatorPhone, new_phone: Callable[[], SimulatorPhone], catalogue: Catalogue
) -> None:
    number, _ = file_service(phone, catalogue.services["sk_umum"])
    stranger = said(new_phone().say(f"status {number}"))
    assert "tidak ada di percakapan ini" in stranger
    assert "Siti" not in stranger


def test_two_sends_make_one_filing(stack: Running, phone: SimulatorPhone, catalogue: Catalogue) -> None:
    _fill(phone, catalogue, "sk_umum", nik="3515081708850001")
    number = said(phone.say("kirim"))
    phone.say("kirim")
    phone.say("kirim")
    own = said(phone.say("cek status"))
    assert own.count("SDA-") == 1
    assert own[own.index("SDA-") :][:15] in number


def _begin(phone: SimulatorPhone, service: str) -> list[Heard]:
    wishes = {"ktp_hilang": "ktp saya hilang", "sk_umum": "mau bikin surat keterangan umum desa"}
    return begin(phone, phone.say(wishes[service]))


def _fill(phone: SimulatorPhone, catalogue: Catalogue, service: str, nik: str = "3515085708909999") -> list[Heard]:
    """Answers until the review."""
    heard = _begin(phone, service)
    for _ in range(40):
        titles = {title for bubble in heard for title in bubble.choices}
        if "Kirim" in titles:
            return heard
        heard = answer_question(phone, catalogue.services[service], said(heard), titles, nik)
    raise AssertionError("no review")


def _later(phone: SimulatorPhone, right: Callable[[str], bool], seconds: float = 15) -> str:
    deadline, text = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        text += said(phone.later())
        if right(text):
            return text
        time.sleep(0.2)
    raise AssertionError(f"never told; got {text!r}")


def test_a_wrong_file_is_refused_and_the_right_one_taken(phone: SimulatorPhone, catalogue: Catalogue) -> None:
    heard = _begin(phone, "ktp_hilang")
    while "Kirim foto" not in said(heard):
        heard = answer_question(phone, catalogue.services["ktp_hilang"], said(heard), set(), "3515085708909999")
    heard = phone.send_photo(b"MZ this is a program", "surat.jpg")
    assert "Berkas diterima" not in said(heard)
    assert "Kirim foto" in said(heard)
    assert "Berkas diterima" in said(phone.send_photo(photo("SURAT")))


def test_the_review_sends_only_on_a_plain_yes(phone: SimulatorPhone, catalogue: Catalogue) -> None:
    _fill(phone, catalogue, "sk_umum", nik="3515081708860001")
    for doubt in ("iya tapi namanya salah", "jangan kirim dulu", "kirim besok aja"):
        assert "SDA-" not in said(phone.say(doubt))
    phone.say("lanjutkan")
    phone.say("ubah nama lengkap")
    phone.say("Siti Aminah")
    assert "SDA-" in said(phone.say("iya benar"))


def test_an_emergency_is_never_taken_for_an_answer(phone: SimulatorPhone) -> None:
    _begin(phone, "sk_umum")
    phone.say("3515085708909999")
    heard = said(phone.say("tolong ada kebakaran di rumah tetangga!!"))
    assert "112" in heard
    assert "nama lengkap" in heard


def test_going_back_and_correcting_an_earlier_answer(phone: SimulatorPhone) -> None:
    _begin(phone, "ktp_hilang")
    assert "NIK" in said(phone.say("kembali"))
    phone.say("3515085708909999")
    assert "NIK" in said(phone.say("kembali"))
    assert "nomor KK" in said(phone.say("3515081708900001"))
    phone.say("3515080101150007")
    assert "NIK" in said(phone.say("salah nik yang tadi"))
    assert "nama lengkap" in said(phone.say("3515085708909999"))


def test_an_optional_question_can_be_skipped_by_its_button(phone: SimulatorPhone, catalogue: Catalogue) -> None:
    heard = _begin_named(phone, catalogue, "akta_kelahiran")
    for _ in range(40):
        titles = {title for bubble in heard for title in bubble.choices}
        if "Lewati" in titles:
            break
        heard = answer_question(phone, catalogue.services["akta_kelahiran"], said(heard), titles, "3515085708909999")
    before = said(heard)
    assert said(phone.tap("Lewati")) != before


def test_another_service_in_the_middle_keeps_the_first(phone: SimulatorPhone) -> None:
    _begin(phone, "ktp_hilang")
    phone.say("3515085708909999")
    heard = phone.say("sekarang mau bikin akta kematian bapak saya")
    assert "Pindah ke Akta kematian" in {title for bubble in heard for title in bubble.choices}
    assert "nomor KK" in said(heard)
    phone.tap("Pindah ke Akta kematian")
    phone.say("batal")
    assert {choice["title"] for choice in phone.choices} >= {"Lanjutkan"}
    assert "mana" in said(phone.tap("Lanjutkan"))


def _begin_named(phone: SimulatorPhone, catalogue: Catalogue, service: str) -> list[Heard]:
    return begin(phone, phone.say(f"saya mau mengurus {catalogue.services[service].name}"))
