"""How well live messages are understood, by the random stream alone: what was picked for being hard would tell too little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.desk.hours import LOCAL_TIME
from console.review.measures import Share, kappa, share
from console.review.opinions import Judged, final_labels, judged_twice
from console.review.room import ReviewRoom

__all__ = ["Agreement", "Quality", "agreement", "is_right", "measure"]

_NOT_OURS = "di_luar_topik"
_REJECTED = frozenset({_NOT_OURS, "nlu_fallback"})


@dataclass(frozen=True)
class Quality:
    intent: Share
    service: Share
    frame: Share
    """both right"""
    by_week: Sequence[tuple[date, Share]]
    """Monday → frames right, oldest first"""
    by_model: Sequence[tuple[str, Share]]
    by_intent: Sequence[tuple[str, Share]]
    """what it was → intents right, most messages first"""
    confused: Sequence[tuple[str, str | None, int]]
    """what it was, what it was taken for, how often"""


@dataclass(frozen=True)
class Agreement:
    pairs: int
    agreed: Share
    """intent and service"""
    kappa: float | None
    """of the intent"""


async def measure(room: ReviewRoom, days: int) -> Quality:
    since = room.clock() - timedelta(days=days)
    judged = await final_labels(room, since)
    return _quality([one for one in judged if one.is_random and one.label.intent is not None])


async def agreement(room: ReviewRoom) -> Agreement:
    pairs = await judged_twice(room)
    return Agreement(
        len(pairs),
        share(sum(first == second for first, second in pairs), len(pairs)),
        kappa([(first.intent, second.intent) for first, second in pairs]),
    )


def is_right(one: Judged) -> bool:
    """Whether the intent was. A message that isn't ours is rightly rejected by either name."""
    return one.intent == one.label.intent or (one.label.intent == _NOT_OURS and one.intent in _REJECTED)


def _quality(judged: Sequence[Judged]) -> Quality:
    weeks: dict[date, list[Judged]] = defaultdict(list)
    models: dict[str, list[Judged]] = defaultdict(list)
    intents: dict[str, list[Judged]] = defaultdict(list)
    confused: dict[tuple[str, str | None], int] = defaultdict(int)
    for one in judged:
        day = one.received_at.astimezone(LOCAL_TIME).date()
        weeks[day - timedelta(days=day.weekday())].append(one)
        models[one.model or "–"].append(one)
        intents[str(one.label.intent)].append(one)
        if not is_right(one):
            confused[str(one.label.intent), one.intent] += 1
    return Quality(
        intent=_share(map(is_right, judged)),
        service=_share(one.service == one.label.service for one in judged),
        frame=_share(map(_both, judged)),
        by_week=[(week, _share(map(_both, found))) for week, found in sorted(weeks.items())],
        by_model=[(model, _share(map(_both, found))) for model, found in sorted(models.items(), reverse=True)],
        by_intent=sorted(
            ((intent, _share(map(is_right, found))) for intent, found in intents.items()),
            key=lambda pair: (-pair[1].of, pair[0]),
        ),
        confused=sorted(
            ((was, taken, count) for (was, taken), count in confused.items()), key=lambda one: (-one[2], one[0])
        )[:15],
    )


def _both(one: Judged) -> bool:
    return is_right(one) and one.service == one.label.service


def _share(right: Iterable[bool]) -> Share:
    listed = list(right)
    return share(sum(listed), len(listed))
