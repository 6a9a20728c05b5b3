"""Figures of review that can be checked by hand, and the labels' file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from console.review.known import KnownExamples
from console.review.labels import read_labels
from console.review.masking import mask
from console.review.measures import kappa, rises, share
from console.review.similarity import Similarity
from console.review.topics import Topics
from learning.label_changes import LabelChanges
from learning.training_file import read_folder
from tests.console.conftest import DATA

BUILT_BY_THE_CHANNEL = {"kirim_berkas", "kirim_lokasi", "kirim_kontak", "nlu_fallback"}


def test_wilson_s_interval() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    found = share(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    nothing = share(0, 0)
    assert nothing.value is None
    assert share(0, 20).low == 0.0
    assert round(share(20, 20).high, 6) == 1.0


def test_cohen_s_kappa() -> None:
    # Two readers of 50 proposals: 20 yes both, 15 no both, 5 and 10 apart.
    pairs = [("y", "y")] * 20 + [("n", "n")] * 15 + [("y", "n")] * 5 + [("n", "y")] * 10
    found = kappa(pairs)
    assert found is not None
    assert round(found, 3) == 0.4
    assert kappa([]) is None
    assert kappa([("y", "y")] * 3) is None


def test_alike_messages_come_together() -> None:
    texts = ["bikin ktp bayar berapa", "kapan buka", "bikin ktp bayar brp", "Bikin KTP, bayar berapa?", "sabtu buka ga"]
    groups = Similarity(texts).groups()
    assert sorted(groups[0]) == [0, 2, 3]
    assert sorted(at for group in groups for at in group) == list(range(len(texts)))


@given(st.lists(st.text(max_size=30), max_size=12))
def test_every_text_is_in_one_group(texts: list[str]) -> None:
    groups = Similarity(texts).groups()
    assert sorted(at for group in groups for at in group) == list(range(len(texts)))


@given(st.text(max_size=60), st.integers(10**9, 10**17))
def test_no_long_number_is_left(text: str, number: int) -> None:
    masked = mask(f"{text} {number} {text}", [])
    assert str(number) not in masked
    assert len(masked.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("saya bernama Siti Aminah mau ktp", "saya bernama <nama> mau ktp"),
        ("a.n. Budi Santoso ya", "a.n. <nama> ya"),
        ("nama ibu saya: Sri Wahyuni", "nama ibu saya: <nama>"),
        ("nama saya salah di KTP", "nama saya salah di KTP"),
        ("nomor SDA 2611 7k4qxb sampai mana", "nomor <nomor permohonan> sampai mana"),
    ],
)
def test_names_and_numbers(text: str, masked: str) -> None:
    assert mask(text, []) == masked


def test_labels_are_the_intents_that_are_trained() -> None:
    labels = read_labels(DATA)
    domain = yaml.safe_load((DATA.parent / "domain.yml").read_text(encoding="utf-8"))["intents"]
    assert set(labels.intents) == set(domain) - BUILT_BY_THE_CHANNEL


def test_services_are_found_by_name() -> None:
    labels = read_labels(DATA)
    assert labels.service_of("KTP-el hilang (ktp_hilang)") == "ktp_hilang"
    assert labels.service_of("ktp-el HILANG") == "ktp_hilang"
    assert labels.service_of("kk") == "kk"
    assert labels.service_of("lain (tak_ada)") is None
    assert all(labels.service_of(labels.written(service)) == service for service in labels.services)


async def test_messages_like_this_one_tell_what_it_is_likely_called() -> None:
    likely = await KnownExamples(DATA).likely("biaya bikin ktp yg hilang berapa ya min", LabelChanges())
    assert likely.intents[0] == "tanya_biaya"
    assert "ktp_hilang" in likely.services[:3]
    assert len(likely.nearest) == 3
    nothing = await KnownExamples(DATA).likely("zzzyx", LabelChanges())
    assert (nothing.intents, nothing.nearest) == ([], [])


def test_what_rises_beyond_chance() -> None:
    assert rises(share(20, 1000), share(12, 100))
    assert not rises(share(2, 20), share(3, 20))
    assert not rises(share(12, 100), share(20, 1000))
    assert not rises(share(0, 0), share(3, 20))


def test_messages_about_one_thing_come_together() -> None:
    wishes = [
        "perpanjang sim bisa disini", "kapan bansos cair", "ada lowongan magang di pemkab?", "bansosku durung metu cak",
        "sim saya mati mau perpanjangan", "mau daftar magang di dinas kominfo", "resep rawon",
    ]  # fmt: skip
    topics = Topics(example.text for example in read_folder(DATA / "nlu"))
    assert topics.groups(wishes) == [[0, 4], [1, 3], [2, 5], [6]]
    assert topics.groups([]) == []


@given(st.lists(st.text(max_size=30), max_size=12))
def test_every_text_has_one_topic(texts: list[str]) -> None:
    groups = Topics(["halo min", "mau bikin ktp"]).groups(texts)
    assert sorted(at for group in groups for at in group) == list(range(len(texts)))
