"""A service more is a file more: eight phrases are enough to find it, and nothing else is found worse."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from nlu.catalogue import read_catalogue
from nlu.evaluation import Models, judge
from nlu.examples import Example
from nlu.measures import Judged, measure
from nlu.service_finder import ServiceModel

DATA = Path(__file__).parents[2] / "data"
HALL_HIRE = """
id: sewa_gedung
nama: Sewa gedung serbaguna
sebutan: [sewa gedung, sewa balai, pinjam pendopo, gedung serbaguna]
ungkapan:
  - mau sewa gedung serbaguna buat resepsi
  - pinjam balai desa untuk rapat karang taruna syaratnya apa
  - nyewo pendopo kanggo mantenan piro regane
  - gedung serbaguna kecamatan tanggal 12 kosong tidak
  - kami ingin memakai aula untuk acara perpisahan sekolah
  - booking aula kelurahan lewat mana ya
  - badhe nyambut pendopo kangge pengajian, pripun caranipun
  - aula kecamatan disewakan per hari berapa
"""
UNSEEN = (
    "aula desa boleh dipakai buat ultah anak gak min",
    "sewa gedung kecamatan sehari brp",
    "aku kate nyewo aula kanggo lamaran",
    "Mohon informasi peminjaman gedung serbaguna untuk seminar.",
    "pendopo iso disilih gawe hajatan ta cak",
    "cara booking gedung serbaguna gimana",
    "nyuwun ngagem balai desa kangge arisan",
    "gedungnya masih kosong buat resepsi bulan depan? mau nyewa",
)


@pytest.fixture(scope="module")
def extended(models: Models, examples: Sequence[Example], tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(DATA / "layanan", folder / "layanan")
    shutil.copy(DATA / "keluarga.yml", folder)
    (folder / "layanan" / "sewa_gedung.yml").write_text(HALL_HIRE, "utf-8")
    return Models(models.intents, ServiceModel.learn(examples, read_catalogue(folder)))


def test_unseen_wordings_are_found(extended: Models) -> None:
    found = {text: extended.services.find(text) for text in UNSEEN}
    right = [text for text, service in found.items() if service is not None and service.id == "sewa_gedung"]
    assert len(right) >= 6, found


def test_the_other_services_are_found_as_before(
    extended: Models, judged: Sequence[Judged], frozen_set: Sequence[Example]
) -> None:
    before, after = measure(judged), measure(list(judge(extended, frozen_set)))
    assert after["service_top1"] >= before["service_top1"] - 0.005
    assert after["service_invented"] <= before["service_invented"] + 0.01
