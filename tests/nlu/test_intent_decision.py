from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nlu.intent_decision import IntentDecision, decide_intent, may_name_service
from nlu.service_finder import ServiceFinder
from nlu.views import as_words


@pytest.mark.parametrize(
    ("ranking", "service", "expected"),
    [
        ({"salam": 0.5, "tanya_prosedur": 0.3}, 0.98, "tanya_prosedur"),
        ({"di_luar_topik": 0.6, "umpan_balik": 0.2, "ajukan_layanan": 0.15}, 0.95, "ajukan_layanan"),
        ({"tanya_biaya": 0.3, "tanya_syarat": 0.25}, 0.92, "tanya_biaya"),
        ({"terima_kasih": 0.9, "cek_status": 0.06}, 0.9, "cek_status"),
        ({"salam": 0.99, "ajukan_layanan": 0.001}, 0.95, "ajukan_layanan"),
        # The service isn't sure, or none was found, or no such intent is plausible.
        ({"salam": 0.5, "tanya_prosedur": 0.3}, 0.7, "salam"),
        ({"salam": 0.5, "tanya_prosedur": 0.3}, None, "salam"),
        ({"di_luar_topik": 0.97, "tanya_biaya": 0.01}, 0.99, "di_luar_topik"),
        ({"tanya_biaya": 0.3, "tanya_syarat": 0.25}, None, "nlu_fallback"),
        # An intent that goes without a service as well as with one stays.
        ({"pengaduan": 0.5, "cek_status": 0.4}, 0.99, "pengaduan"),
    ],
)
def test_a_surely_found_service_has_a_say(ranking: dict[str, float], service: float, expected: str) -> None:
    intent, confidence = decide_intent("pesan", ranking, service)
    assert intent == expected
    assert confidence == ranking.get(expected, max(ranking.values()))


@pytest.mark.parametrize(
    ("ranking", "service", "expected"),
    [
        ({"tanya_biaya": 0.7, "di_luar_topik": 0.25}, None, "di_luar_topik"),
        ({"tanya_biaya": 0.8, "di_luar_topik": 0.12}, None, "di_luar_topik"),
        ({"tanya_biaya": 0.8, "di_luar_topik": 0.05}, None, "tanya_biaya"),
        # A service that was found speaks for it.
        ({"tanya_biaya": 0.7, "di_luar_topik": 0.25}, 0.7, "tanya_biaya"),
        ({"tanya_biaya": 0.7, "di_luar_topik": 0.25}, 0.5, "di_luar_topik"),
    ],
)
def test_what_is_perhaps_none_of_ours_needs_a_service(ranking: dict[str, float], service: float, expected: str) -> None:
    assert decide_intent("pesan", ranking, service)[0] == expected


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(0.2, "darurat"), (0.02, "pengaduan")],
)
def test_a_hint_of_danger_is_believed_where_the_model_has_it_too(probability: float, expected: str) -> None:
    ranking = {"pengaduan": 1 - probability, "darurat": probability}
    assert decide_intent("bapak jatuh dari tangga", ranking, None)[0] == expected


@pytest.mark.parametrize(
    ("text", "probability", "expected"),
    [
        ("gelam", 0.6, "nlu_fallback"),
        ("mbah nginem", 0.956, "nlu_fallback"),
        ("mas tolooong", 0.999, "darurat"),
        ("adik keponakan masih belum pulang juga", 0.6, "darurat"),
        # A hint alone may be an answer to a question.
        ("yang biru", 0.42, "nlu_fallback"),
        ("bibirnya biru", 0.6, "darurat"),
        ("bibir anakku biru", 0.2, "darurat"),
    ],
)
def test_few_words_that_tell_no_danger_are_asked_about(text: str, probability: float, expected: str) -> None:
    ranking = {"darurat": probability, "salam": (1 - probability) / 2}
    if probability < 0.35:
        ranking = {"pengaduan": 1 - probability, **ranking}
    assert decide_intent(text, ranking, None)[0] == expected


def test_a_complaint_about_a_service_names_none() -> None:
    assert not may_name_service("pengaduan")
    assert may_name_service("tanya_syarat")


def test_an_emergency_wins_over_a_service() -> None:
    assert decide_intent("tolong ada kebakaran!!", {"ajukan_layanan": 0.9}, 1.0) == ("darurat", 1.0)


@pytest.mark.parametrize("text", ["ibuku wis gak onok", "kakek saya sudah tidak ada, surat apa yang diurus"])
def test_who_is_no_more_has_died(text: str) -> None:
    assert "meninggal" in as_words(text)


@pytest.mark.parametrize("text", ["ibu tidak ada di rumah", "anakku gak onok akta", "petugase gak ada"])
def test_who_is_away_has_not(text: str) -> None:
    assert "meninggal" not in as_words(text)


def test_what_is_measured_is_what_citizens_get() -> None:
    """`nlu.evaluation` uses the components' defaults; config.yml shows them to whoever wants to turn them."""
    pipeline = yaml.safe_load((Path(__file__).parents[2] / "config.yml").read_text("utf-8"))["pipeline"]
    given = {component["name"].rpartition(".")[2]: component for component in pipeline}
    assert list(given) == ["IntentClassifier", "EntityFinder", "ServiceFinder", "IntentDecision"]
    for name, component in (("ServiceFinder", ServiceFinder), ("IntentDecision", IntentDecision)):
        set_there = {key: value for key, value in given[name].items() if key != "name"}
        assert set_there.items() <= component.get_default_config().items()
