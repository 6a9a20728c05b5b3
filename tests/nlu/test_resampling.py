from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from nlu.resampling import Resampling


def test_measures_are_the_usual_ones() -> None:
    chance = np.random.default_rng(1)
    asked, given = chance.random(50) < 0.4, chance.random(50) < 0.4
    resampling = Resampling(50, 10, 0.95)
    assert resampling.f1(asked, given)[0] == pytest.approx(f1_score(asked, given))
    assert resampling.share(given, asked)[0] == pytest.approx((given & asked).sum() / asked.sum())


def test_the_interval_is_about_as_wide_as_theory_says() -> None:
    right = np.arange(400) < 320
    low, high = (resampling := Resampling(400, 4000, 0.95)).interval(resampling.share(right, np.ones(400, bool)))
    expected = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert (low, high) == (pytest.approx(0.8 - expected, abs=0.006), pytest.approx(0.8 + expected, abs=0.006))


def test_the_same_draws_every_time() -> None:
    right, everything = np.arange(30) < 20, np.ones(30, bool)
    assert (Resampling(30, 50, 0.9).share(right, everything) == Resampling(30, 50, 0.9).share(right, everything)).all()


def test_nothing_asked_is_nothing() -> None:
    assert Resampling(3, 5, 0.9).f1(np.zeros(3, bool), np.zeros(3, bool)).tolist() == [0.0] * 6
