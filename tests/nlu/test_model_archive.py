from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from nlu.catalogue import Named
from nlu.examples import NO_SERVICE, Example
from nlu.intent_classifier import CLASSIFIER_FILE
from nlu.model_archive import read_models
from nlu.service_finder import ServiceModel
from nlu.text_classifier import TextClassifier

MESSAGES = {
    "mau urus ktp": ("ajukan_layanan", "ktp_baru"),
    "urus ktp dong": ("ajukan_layanan", "ktp_baru"),
    "mau bikin ktp": ("ajukan_layanan", "ktp_baru"),
    "bikin ktp ya": ("ajukan_layanan", "ktp_baru"),
    "syarat kia apa": ("tanya_syarat", "kia"),
    "kia syaratnya apa": ("tanya_syarat", "kia"),
    "apa syarat kia": ("tanya_syarat", "kia"),
    "halo min": ("salam", NO_SERVICE),
    "halo kak": ("salam", NO_SERVICE),
    "halo pak": ("salam", NO_SERVICE),
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """As Rasa packs one, with other things beside."""
    services = tmp_path / "components" / "train_services1"
    intents = tmp_path / "components" / "train_intents0"
    for folder in (services, intents):
        folder.mkdir(parents=True)
    classifier = TextClassifier()
    classifier.fit(list(MESSAGES), [intent for intent, _ in MESSAGES.values()])
    classifier.save(intents / CLASSIFIER_FILE)
    examples = [Example(text, intent, service) for text, (intent, service) in MESSAGES.items()]
    ServiceModel.learn(examples, [Named("ktp_baru", ["ktp"], ["bikin ktp"], [], False)]).save(services)
    (tmp_path / "metadata.json").write_text("{}")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "components", "components")
        packed.add(tmp_path / "metadata.json", "metadata.json")
    return tmp_path / "model.tar.gz"


def test_the_classifiers_of_a_trained_model_answer(archive: Path) -> None:
    intents, services = read_models(archive)
    assert next(iter(intents.probabilities("halo min"))) == "salam"
    found = services.find("mau bikin ktp")
    assert found is not None
    assert found.id == "ktp_baru"


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz"):
        pass
    with pytest.raises(KeyError):
        read_models(tmp_path / "model.tar.gz")
