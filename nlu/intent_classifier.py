"""The intent of a message, as a component of Rasa's graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.catalogue import catalogue_fingerprint
from nlu.emergency import Alarm, alarm
from nlu.examples import examples_of_training
from nlu.text_classifier import TextClassifier

__all__ = ["IntentClassifier", "decide_intent"]

_FILE = "intents.joblib"
_EMERGENCY = "darurat"
_CERTAIN_EMERGENCY = 0.9
"""What the model needs to call something an emergency that holds no word of one."""
_POSSIBLE_EMERGENCY = 0.05
"""Where the words alone leave it open, this probability of the model settles it: a lost emergency costs most."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """`threshold`: below this confidence the intent is `nlu_fallback`, with the ranking kept."""

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

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"threshold": 0.35, "ranking_length": 10}

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
            return cls(config, model_storage, resource, TextClassifier.load(Path(folder) / _FILE))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> Optional[str]:
        """The dictionaries are read besides the training data; without this a change of them wouldn't train anew."""
        return catalogue_fingerprint()

    def train(self, training_data: TrainingData) -> Resource:
        examples = examples_of_training(training_data)
        self._classifier = TextClassifier(balanced=True)
        self._classifier.fit([example.text for example in examples], [str(example.intent) for example in examples])
        with self._model_storage.write_to(self._resource) as folder:
            self._classifier.save(Path(folder) / _FILE)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        assert self._classifier is not None
        for message in messages:
            text = message.get(TEXT) or ""
            ranking = self._classifier.probabilities(text)
            intent, confidence = decide_intent(text, ranking, self._config["threshold"])
            message.set(INTENT, {"name": intent, "confidence": confidence}, add_to_output=True)
            best = list(ranking.items())[: self._config["ranking_length"]]
            message.set(
                "intent_ranking", [{"name": name, "confidence": value} for name, value in best], add_to_output=True
            )
        return messages


def decide_intent(text: str, ranking: Mapping[str, float], threshold: float) -> tuple[str, float]:
    """Name and confidence, `ranking` best first."""
    sounds = alarm(text)
    if sounds is Alarm.CERTAIN or (sounds is Alarm.POSSIBLE and ranking.get(_EMERGENCY, 0) >= _POSSIBLE_EMERGENCY):
        return _EMERGENCY, 1.0
    intent, confidence = next(iter(ranking.items()))
    if intent == _EMERGENCY and sounds is Alarm.NONE and confidence < _CERTAIN_EMERGENCY:
        # A village's name, a lone word: unknown to the model, and most like the shortest cries.
        return DEFAULT_NLU_FALLBACK_INTENT_NAME, confidence
    return (intent, confidence) if confidence >= threshold else (DEFAULT_NLU_FALLBACK_INTENT_NAME, confidence)
