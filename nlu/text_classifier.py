"""A linear classifier of short messages with probabilities that can be believed.

Word and character n-grams, a linear support vector machine for each label, and one temperature that turns its margins
into probabilities: fitted on margins of examples that the machine hadn't seen.
"""

from __future__ import annotations

from collections import Counter
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
        self._readers: Sequence[_Reader] = ()
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
        self._readers = _readers(self._vectorizers)
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
        margins = self._bias.copy()
        for reader, view in zip(self._readers, _views(text), strict=True):
            columns, values = reader.read(view)
            margins += values @ self._weights[columns]
        probabilities = softmax(margins / self._temperature)
        return {self._labels[label]: float(probabilities[label]) for label in np.argsort(-margins, kind="stable")}

    def save(self, file: Path) -> None:
        joblib.dump({**self.__dict__, "_readers": ()}, file, compress=3)

    @classmethod
    def load(cls, file: Path) -> TextClassifier:
        classifier = cls()
        classifier.__dict__.update(joblib.load(file))
        classifier._readers = _readers(classifier._vectorizers)
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


class _Reader:
    """What a vectorizer's `transform` gives for one message, without its matrices: a tenth of the time."""

    def __init__(self, vectorizer: TfidfVectorizer, first: int) -> None:
        """`first` is the column of all features where this one's begin."""
        self._ngrams = vectorizer.build_analyzer()
        self._columns = {ngram: int(column) for ngram, column in vectorizer.vocabulary_.items()}
        self._rarity = vectorizer.idf_.astype(np.float32)
        self._first = first

    def read(self, text: str) -> tuple[Any, Any]:
        """Columns and values of what is in the text."""
        known = self._columns
        counts = Counter(known[ngram] for ngram in self._ngrams(text) if ngram in known)
        columns = np.fromiter(counts, np.intp, len(counts))
        values = (np.log(np.fromiter(counts.values(), np.float32, len(counts))) + 1) * self._rarity[columns]
        length = np.linalg.norm(values)
        return columns + self._first, values / length if length else values


def _readers(vectorizers: Sequence[TfidfVectorizer]) -> Sequence[_Reader]:
    first, readers = 0, []
    for vectorizer in vectorizers:
        readers.append(_Reader(vectorizer, first))
        first += len(vectorizer.vocabulary_)
    return readers


# The intent's classifier and the service's look at the same message one after the other.
@lru_cache(maxsize=1)
def _views(text: str) -> tuple[str, ...]:
    words = as_words(text)
    return words, words, as_written(text)
