"""How likely each intent is, as a component of Rasa's graph; `nlu.intent_decision` decides."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.examples import examples_of_training
from nlu.fingerprint import MADE_OF_FILE, made_of, understanding_fingerprint
from nlu.text_classifier import TextClassifier

__all__ = ["CLASSIFIER_FILE", "IntentClassifier"]

CLASSIFIER_FILE = "intents.joblib"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        classifier: Optional[TextClassifier],
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._classifier = classifier

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        return cls(config, model_storage, resource, None)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> IntentClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, TextClassifier.load(Path(folder) / CLASSIFIER_FILE))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> Optional[str]:
        """Code and dictionaries are read besides the training data; without this a change of them wouldn't train anew."""
        return understanding_fingerprint()

    def train(self, training_data: TrainingData) -> Resource:
        made = asdict(made_of())
        examples = examples_of_training(training_data)
        self._classifier = TextClassifier(balanced=True)
        self._classifier.fit([example.text for example in examples], [str(example.intent) for example in examples])
        with self._model_storage.write_to(self._resource) as folder:
            self._classifier.save(Path(folder) / CLASSIFIER_FILE)
            (Path(folder) / MADE_OF_FILE).write_text(json.dumps(made), "utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        assert self._classifier is not None
        for message in messages:
            ranked = [
                {"name": name, "confidence": value}
                for name, value in self._classifier.probabilities(message.get(TEXT) or "").items()
            ]
            message.set(INTENT, ranked[0], add_to_output=True)
            message.set("intent_ranking", ranked, add_to_output=True)
        return messages
