"""The service or family a message is about, as one `layanan` entity.

Learns from the catalogue (names, phrases) and from the examples: those labelled with a service, and those without as
what names none. A file more under `data/layanan/` and a training are all that a new service needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import joblib
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.catalogue import Named, read_catalogue
from nlu.examples import NO_SERVICE, Example, examples_of_training
from nlu.fingerprint import understanding_fingerprint
from nlu.normaliser import Token, load_lexicon, tokenise
from nlu.second_service import parts_joined
from nlu.text_classifier import TextClassifier

__all__ = ["NAMES_FILE", "FoundService", "ServiceFinder", "ServiceModel"]

_CLASSIFIER_FILE = "services.joblib"
NAMES_FILE = "names.joblib"
_ENTITY = "layanan"
_SURELY_NAMED = 0.8


@dataclass(frozen=True)
class FoundService:
    id: str
    confidence: float
    start: int
    end: int
    alternatives: Sequence[tuple[str, float]]
    """The next best, best first."""
    besides: Optional[str] = None
    """Another service that is asked for in the same message."""


class ServiceModel:
    """`threshold`: what a service needs to be named; `family_threshold`: what a family and its services need together."""

    def __init__(
        self,
        classifier: TextClassifier,
        names: Mapping[str, Sequence[Sequence[str]]],
        families: Mapping[str, Sequence[str]],
        *,
        threshold: float = 0.4,
        family_threshold: float = 0.4,
    ) -> None:
        self._classifier = classifier
        self._names = names
        self._families = families
        self._threshold = threshold
        self._family_threshold = family_threshold

    @classmethod
    def learn(cls, examples: Sequence[Example], catalogue: Sequence[Named], **thresholds: float) -> ServiceModel:
        taught = [*((example.text, example.service) for example in examples), *_phrases(catalogue)]
        classifier = TextClassifier(balanced=True)
        classifier.fit([text for text, _ in taught], [label for _, label in taught])
        names = {named.id: [_words(tokenise(name, load_lexicon())) for name in named.names] for named in catalogue}
        families = {named.id: named.families for named in catalogue if not named.is_family}
        return cls(classifier, names, families, **thresholds)

    def save(self, folder: Path) -> None:
        self._classifier.save(folder / _CLASSIFIER_FILE)
        joblib.dump((self._names, self._families), folder / NAMES_FILE)

    @classmethod
    def load(cls, folder: Path, **thresholds: float) -> ServiceModel:
        names, families = joblib.load(folder / NAMES_FILE)
        return cls(TextClassifier.load(folder / _CLASSIFIER_FILE), names, families, **thresholds)

    def find(self, text: str) -> Optional[FoundService]:
        found = self._find(text)
        return found and replace(found, besides=self._besides(found.id, text))

    def _find(self, text: str) -> Optional[FoundService]:
        return self.decide(text, self._classifier.probabilities(text))

    def _besides(self, service: str, text: str) -> Optional[str]:
        """Each of both must be named by a part of the message alone."""
        found = [each for each in map(self._find, parts_joined(text)) if each and each.confidence >= _SURELY_NAMED]
        others = [each.id for each in found if self._kin(each.id).isdisjoint(self._kin(service))]
        return others[0] if len(others) < len(found) and others else None

    def _kin(self, label: str) -> set[str]:
        return {label, *self._families.get(label, ())}

    def decide(self, text: str, probabilities: Mapping[str, float]) -> Optional[FoundService]:
        """A service that is likely enough; else its family, if together they are; else none."""
        ranked = [(label, value) for label, value in probabilities.items() if label != NO_SERVICE]
        if probabilities.get(NO_SERVICE, 0.0) >= 0.5 or not ranked:
            return None
        best, confidence = ranked[0]
        if confidence < self._threshold:
            family = self._best_family(ranked)
            if family is None:
                return None
            best, confidence = family
        others = [(label, value) for label, value in ranked if label != best][:3]
        return FoundService(best, confidence, *self._span(text, best), others)

    def _best_family(self, ranked: Sequence[tuple[str, float]]) -> Optional[tuple[str, float]]:
        together: dict[str, float] = {}
        for label, value in ranked:
            for family in {label, *self._families.get(label, ())} & self._all_families():
                together[family] = together.get(family, 0.0) + value
        best = max(together.items(), key=lambda item: item[1], default=None)
        return best if best is not None and best[1] >= self._family_threshold else None

    def _all_families(self) -> set[str]:
        return {family for families in self._families.values() for family in families}

    def _span(self, text: str, label: str) -> tuple[int, int]:
        """Where its longest name stands; the whole text where it is only implied."""
        tokens = [token for token in tokenise(text, load_lexicon()) if _is_word(token)]
        words = _words(tokens)
        owners = self._kin(label)
        for name in sorted((name for owner in owners for name in self._names.get(owner, ())), key=len, reverse=True):
            for at in range(len(words) - len(name) + 1):
                if name and words[at : at + len(name)] == name:
                    return tokens[at].start, tokens[at + len(name) - 1].end
        return 0, len(text)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class ServiceFinder(GraphComponent):
    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: Optional[ServiceModel]
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"threshold": 0.4, "family_threshold": 0.4}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ServiceFinder:
        return cls(config, model_storage, resource, None)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> ServiceFinder:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, ServiceModel.load(Path(folder), **_thresholds(config)))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> Optional[str]:
        """The catalogue isn't among what Rasa looks at to tell whether a component must be trained anew."""
        return understanding_fingerprint()

    def train(self, training_data: TrainingData) -> Resource:
        self._model = ServiceModel.learn(
            examples_of_training(training_data), read_catalogue(), **_thresholds(self._config)
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(Path(folder))
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        assert self._model is not None
        for message in messages:
            found = self._model.find(message.get(TEXT) or "")
            if found is not None:
                message.set(ENTITIES, [*message.get(ENTITIES, []), _entity(found)], add_to_output=True)
        return messages


def _phrases(catalogue: Sequence[Named]) -> Iterable[tuple[str, str]]:
    for named in catalogue:
        for phrase in (*named.names, *named.phrases):
            yield phrase, named.id


def _words(tokens: Sequence[Token]) -> list[str]:
    return [token.word for token in tokens if _is_word(token)]


def _is_word(token: Token) -> bool:
    return re.match(r"\w", token.raw) is not None


def _thresholds(config: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(config[name]) for name in ("threshold", "family_threshold")}


def _entity(found: FoundService) -> dict[str, Any]:
    return {
        "entity": _ENTITY,
        "value": found.id,
        "confidence_entity": found.confidence,
        "start": found.start,
        "end": found.end,
        "extractor": ServiceFinder.__name__,
        "alternatives": [{"value": label, "confidence": value} for label, value in found.alternatives],
        **({"besides": found.besides} if found.besides else {}),
    }
