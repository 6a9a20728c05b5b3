"""Sessions: a turn's cost grows with its session, so a new one starts now and then and the open draft goes on in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

__all__ = ["is_over", "last_exchange", "start_session"]

_LONGEST = 8
"""User messages in a session: each makes every later one dearer, by 2 % of a turn."""

_FORM_SLOT = "isian"
_FORM_DONE = "selesai"


def is_over(tracker: DialogueStateTracker) -> bool:
    """After a filing, or when it has become long."""
    if tracker.active_loop_name is None and tracker.get_slot(_FORM_SLOT) == _FORM_DONE:
        return True
    return sum(isinstance(event, UserUttered) for event in tracker.events) >= _LONGEST


def start_session(sender: str, domain: Domain, previous: Optional[DialogueStateTracker]) -> DialogueStateTracker:
    """A tracker that holds nothing but its first events; slots, open form and last replies of `previous` go on in it."""
    tracker = DialogueStateTracker(sender, domain.slots)
    tracker.update_with_events(
        [
            ActionExecuted(ACTION_SESSION_START_NAME),
            SessionStarted(),
            *([] if previous is None else _carried(previous)),
            ActionExecuted(ACTION_LISTEN_NAME),
        ],
        domain,
    )
    return tracker


def last_exchange(tracker: DialogueStateTracker) -> Iterable[Event]:
    """The last user message and what came after it; everything of a session that holds none yet."""
    events = list(tracker.events)
    start = next((i for i in reversed(range(len(events))) if isinstance(events[i], UserUttered)), 0)
    return events[start:]


def _carried(previous: DialogueStateTracker) -> Iterable[Event]:
    for name, slot in previous.slots.items():
        # What is about the form's own course begins anew; the slot asked for goes with the form, below.
        if name not in (_FORM_SLOT, REQUESTED_SLOT) and slot.value is not None:
            yield SlotSet(name, slot.value)
    # A citizen may ask to hear it again, or answer with the number of a choice.
    for event in last_exchange(previous):
        if isinstance(event, BotUttered):
            yield BotUttered(event.text, event.data, event.metadata)
    if previous.active_loop_name is not None:
        yield ActiveLoop(previous.active_loop_name)
        yield SlotSet(REQUESTED_SLOT, previous.get_slot(REQUESTED_SLOT))
