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
