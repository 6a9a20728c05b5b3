from __future__ import annotations

from learning.dataset_check import check
from learning.example import Example

HELLO = [Example(f"halo {n}", "salam") for n in range(20)]


def test_nothing_wrong() -> None:
    findings = check(HELLO, {"beku": ["wis dadi ta"]})
    assert (findings.is_fatal, list(findings.sentences())) == (False, [])


def test_the_same_text_twice_is_only_worth_knowing() -> None:
    findings = check([*HELLO, Example("HALO, 1!", "salam")], {})
    assert (findings.duplicates, findings.is_fatal) == (["halo 1"], False)


def test_two_labels_of_one_text() -> None:
    findings = check([*HELLO, Example("Halo 1", "salam", "ktp_baru")], {})
    assert findings.conflicts == {"halo 1": [("salam", "ktp_baru"), ("salam", None)]}
    assert findings.is_fatal
    assert "Bertentangan: “halo 1” berlabel salam (ktp_baru) dan salam." in findings.sentences()


def test_a_text_that_is_measured_too() -> None:
    taught = [*HELLO, Example("ktp saya hilang kemarin", "salam")]
    findings = check(taught, {"beku": ["KTP saya hilang kemarin?", "halo 3"]})
    assert (findings.leaks, findings.is_fatal) == ({"ktp saya hilang kemarin": "beku"}, True)


def test_small_classes() -> None:
    findings = check([*HELLO[:19], Example("mau ktp", "ajukan_layanan", "ktp_baru")], {})
    assert findings.small == {"maksud ajukan_layanan": 1, "maksud salam": 19, "layanan ktp_baru": 1}
    assert not findings.is_fatal


def test_punctuation_alone_tells_texts_apart() -> None:
    assert not check([Example("?", "ulangi"), Example("...", "di_luar_topik")], {}).conflicts
