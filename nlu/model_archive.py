"""The classifiers within a model that `praja train` has made, without starting Rasa."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from nlu.intent_classifier import CLASSIFIER_FILE
from nlu.service_finder import NAMES_FILE, ServiceModel
from nlu.text_classifier import TextClassifier

__all__ = ["read_models"]


def read_models(archive: Path) -> tuple[TextClassifier, ServiceModel]:
    """Raises KeyError where the archive holds no model of ours."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as packed:
            packed.extractall(folder)  # noqa: S202 -- a model is code anyway
        files = {path.name: path for path in Path(folder).rglob("*.joblib")}
        return TextClassifier.load(files[CLASSIFIER_FILE]), ServiceModel.load(files[NAMES_FILE].parent)
