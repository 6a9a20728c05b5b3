"""A linear classifier of short messages with probabilities that can be believed.

Word and character n-grams, a linear support vector machine for each label, and one temperature that turns its margins
into probabilities: fitted on margins of examples that the machine hadn't seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

import joblib
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from nlu.seed import SEED
from nlu.views import as_words, as_written

__all__ = ["TextClassifier"]

_HELD_OUT = 0.2
_WORDS: dict[str, Any] = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\S+"}
_CHARACTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (2, 5), "min_df": 2}


class TextClassifier:
    """Untrained until `fit`; `strength` is the machine's C, `balanced` gives rare labels the weight of frequent ones."""

    def __init__(self, *, strength: float = 0.4, balanced: bool = False) -> None:
        self._strength = strength
        self._balanced = balanced
        self._vectorizers: list[TfidfVectorizer] = []
        self._labels: Sequence[str] = []
        self._weights = np.zeros((0, 0), np.float32)
        self._bias = np.zeros(0, np.float32)
        self._temperature = 1.0

    def fit(self, texts: Sequence[str], labels: Sequence[str], weights: Optional[Sequence[float]] = None) -> None:
        """`weights` say how much an example counts."""
        views = [_views(text) for text in texts]
        self._vectorizers = [
            TfidfVectorizer(lowercase=False, sublinear_tf=True, dtype=np.float32, **kind).fit(
                [view[number] for view in views]
            )
            for number, kind in enumerate((_WORDS, _CHARACTERS, _CHARACTERS))
        ]
        for vectorizer in self._vectorizers:
            # What was too rare to learn would be kept for nothing, in the words of whoever wrote it (CVE-2024-5206).
            del vectorizer.stop_words_
        features = self._features(views)
        answers = np.array(labels)
        counts = np.ones(len(labels)) if weights is None else np.array(weights)
        self._temperature = self._fit_temperature(features, answers, counts)
        machine = self._machine().fit(features, answers, counts)
        self._labels = [str(label) for label in machine.classes_]
        self._weights = machine.coef_.astype(np.float32).T
        self._bias = machine.intercept_.astype(np.float32)

    def probabilities(self, text: str) -> Mapping[str, float]:
        """Of every label, best first."""
        return self.all_probabilities([text])[0]

    def all_probabilities(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
        margins = self._features([_views(text) for text in texts]) @ self._weights + self._bias
        return [
            {self._labels[label]: float(row[label]) for label in np.argsort(-row)}
            for row in softmax(margins / self._temperature, axis=1)
        ]

    def save(self, file: Path) -> None:
        joblib.dump(self.__dict__, file, compress=3)

    @classmethod
    def load(cls, file: Path) -> TextClassifier:
        classifier = cls()
        classifier.__dict__.update(joblib.load(file))
        return classifier

    def _features(self, views: Sequence[tuple[str, ...]]) -> csr_matrix:
        return hstack(
            [
                vectorizer.transform([view[number] for view in views])
                for number, vectorizer in enumerate(self._vectorizers)
            ]
        ).tocsr()

    def _machine(self) -> LinearSVC:
        return LinearSVC(C=self._strength, class_weight="balanced" if self._balanced else None, random_state=SEED)

    def _fit_temperature(self, features: csr_matrix, answers: Any, counts: Any) -> float:
        """From margins of examples held out; one number needs no more than one split."""
        train, test = train_test_split(np.arange(len(answers)), test_size=_HELD_OUT, random_state=SEED)
        machine = self._machine().fit(features[train], answers[train], counts[train])
        known = test[np.isin(answers[test], machine.classes_)]
        margins = machine.decision_function(features[known])
        right = np.searchsorted(machine.classes_, answers[known])

        def loss(log_temperature: float) -> float:
            return float(-log_softmax(margins / np.exp(log_temperature), axis=1)[np.arange(len(right)), right].mean())

        return float(np.exp(minimize_scalar(loss, bounds=(-4, 2), method="bounded").x))


# The intent's classifier and the service's look at the same message one after the other.
@lru_cache(maxsize=1)
def _views(text: str) -> tuple[str, ...]:
    words = as_words(text)
    return words, words, as_written(text)
