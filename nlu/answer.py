"""A turn's answer, built from the events it left: the same whether it has just happened or is asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Optional

from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered

from nlu.choices import Choice

__all__ = ["answer", "expects_number", "offered_choices"]

_FORM = "form_permohonan"
_BEFORE_IT = frozenset({"action_extract_slots", "action_listen"})


def answer(events: Iterable[Event]) -> dict[str, Any]:
    """The body of a 200. `events` are those of one turn; what is before the user's message (a new session) is left out."""
    events = list(events)
    start = next(i for i, event in enumerate(events) if isinstance(event, UserUttered))
    user = events[start]
    assert isinstance(user, UserUttered)
    spoken = [event for event in events[start:] if isinstance(event, BotUttered)]
    return {
        "replies": [reply for event in spoken if (reply := _reply(event)) is not None],
        "frame": _frame(user, in_form=_went_to_the_form(events[start:])),
        "model": user.metadata.get("model"),
        "handoff": _handoff(spoken),
        "understood": all(_custom(event).get("understood", True) for event in spoken),
    }


def offered_choices(events: Iterable[Event]) -> Sequence[Choice]:
    """The choices of all replies, in the order a phone shows and numbers them."""
    return [choice for event in events if isinstance(event, BotUttered) for choice in _choices(event)]


def expects_number(events: Iterable[Event]) -> bool:
    return any(_custom(event).get("expects") == "number" for event in events if isinstance(event, BotUttered))


def _reply(event: BotUttered) -> Optional[dict[str, Any]]:
    file = _custom(event).get("file")
    if not event.text and not file:
        return None
    reply = {
        "text": event.text or "",
        "choices": [{"id": choice.id, "title": choice.title} for choice in _choices(event)],
    }
    return {**reply, "file": file} if file else reply


def _choices(event: BotUttered) -> Sequence[Choice]:
    return [Choice(button["payload"], button["title"]) for button in event.data.get("buttons") or []]


def _handoff(spoken: Iterable[BotUttered]) -> Optional[dict[str, Any]]:
    asked = [handoff for event in spoken if (handoff := _custom(event).get("handoff")) is not None]
    return {"reason": asked[-1].get("reason"), "service": asked[-1].get("service")} if asked else None


def _went_to_the_form(events: Iterable[Event]) -> bool:
    """Whether the message was taken as an answer to the form's question: a rule of its own would have come first."""
    done = (event.action_name for event in events if isinstance(event, ActionExecuted))
    return next((name for name in done if name not in _BEFORE_IT), None) == _FORM


def _frame(user: UserUttered, *, in_form: bool) -> Optional[dict[str, Any]]:
    if user.text is None:
        return None
    service = next((entity for entity in user.entities if entity["entity"] == "layanan"), {})
    return {
        "intent": user.intent_name,
        "confidence": user.intent.get("confidence"),
        "margin": _margin(user),
        "service": service.get("value"),
        "service_confidence": service.get("confidence_entity"),
        "entities": [
            {"entity": entity["entity"], "value": entity["value"]}
            for entity in user.entities
            if entity["entity"] != "layanan"
        ],
        "in_form": in_form,
    }


def _margin(user: UserUttered) -> Optional[float]:
    """How far the intent is ahead of the likeliest other one: 0 where none was sure enough, less where a rule decided."""
    parsed: Any = user.parse_data
    ranking = parsed.get("intent_ranking") or []
    others = [each["confidence"] for each in ranking if each["name"] != user.intent_name]
    confidence = user.intent.get("confidence")
    return confidence - max(others) if others and confidence is not None else None


def _custom(event: BotUttered) -> dict[str, Any]:
    custom = event.data.get("custom")
    return custom if isinstance(custom, dict) else {}
