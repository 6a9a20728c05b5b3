from __future__ import annotations

from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from nlu.session import is_over, start_session

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load(str(ROOT / "domain.yml"))


def remembered(tracker: DialogueStateTracker) -> dict[str, object]:
    return {name: slot.value for name, slot in tracker.slots.items() if slot.value is not None}


def test_all_that_is_remembered_goes_on_but_for_the_forms_own_course(domain: Domain) -> None:
    before = DialogueStateTracker("x", domain.slots)
    before.update_with_events([SlotSet(slot.name, f"{slot.name}-1") for slot in domain.slots], domain)
    values = remembered(before)
    assert values.keys() >= {"draf", "layanan", "berikutnya", "isian"}
    values.pop("isian")
    values.pop("requested_slot", None)
    assert remembered(start_session("x", domain, before)) == values


def test_a_session_ends_after_some_messages(domain: Domain) -> None:
    tracker = start_session("x", domain, None)
    assert not is_over(tracker)
    tracker.update_with_events([UserUttered("a", {"name": "salam"})] * 20, domain)
    assert is_over(tracker)
