"""Whether a message was an answer to the form's question, told by what came first after it."""

from __future__ import annotations

import pytest
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, BotUttered, UserUttered

from nlu.answer import answer

SAID = UserUttered("Siti", intent={"name": "di_luar_topik", "confidence": 0.6})
FORM = ActionExecuted("form_permohonan")


@pytest.mark.parametrize(
    ("events", "in_form"),
    [
        ([ActionExecuted("action_extract_slots"), FORM, BotUttered("Berapa NIK?")], True),
        ([ActionExecuted("action_ajukan"), FORM, BotUttered("Siapa nama Anda?")], False),
        ([ActionExecutionRejected("form_permohonan"), ActionExecuted("action_biaya"), FORM], False),
        ([ActionExecuted("action_salam"), BotUttered("Halo")], False),
        ([], False),
    ],
)
def test_in_form(events: list[object], in_form: bool) -> None:
    frame = answer([ActionExecuted("action_listen"), SAID, *events])["frame"]
    assert frame["in_form"] is in_form


@pytest.mark.parametrize(
    ("intent", "confidence", "margin"),
    [
        ("tanya_syarat", 0.5, 0.2),
        ("nlu_fallback", 0.5, 0.0),
        # A rule was surer than the ranking.
        ("darurat", 1.0, 0.5),
        ("di_luar_topik", 0.1, -0.4),
    ],
)
def test_margin(intent: str, confidence: float, margin: float) -> None:
    ranking = {"tanya_syarat": 0.5, "tanya_prosedur": 0.3, "di_luar_topik": 0.1}
    ranked = [{"name": name, "confidence": value} for name, value in ranking.items()]
    chosen = {"name": intent, "confidence": confidence}
    said = UserUttered("pesan", intent=chosen, parse_data={"intent": chosen, "intent_ranking": ranked})
    assert answer([said])["frame"]["margin"] == pytest.approx(margin)


def test_no_ranking_no_margin() -> None:
    assert answer([SAID])["frame"]["margin"] is None
