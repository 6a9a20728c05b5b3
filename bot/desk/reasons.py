"""When a citizen should have a person without asking for one: stuck twice, or angry. The one place that decides it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import select

from bot.desk.agencies import DeskUnfit
from bot.rasa import Handoff
from bot.store import Store
from bot.tables import frames, inbox
from bot.turn import Answer, Outcome, Stored

__all__ = ["Reasons"]

_ABOUT_US = frozenset({"umpan_balik", "nlu_fallback", "di_luar_topik", "bicara_petugas", "tanya_bot", "tidak"})
"""intents in which hard words are meant for us; in a complaint they are meant for what is complained of"""


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid")
    marah: list[str]
    kesal: list[str]


@dataclass(frozen=True)
class _Before:
    """How the message before went; a message without a frame (a photo, one for an officer) went well."""

    understood: bool = True
    displeased: bool = False


class Reasons:
    def __init__(self, store: Store, data: Path) -> None:
        """Raises DeskUnfit."""
        file = data / "kamus" / "marah.yml"
        try:
            words = _Words.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, ValidationError):
            raise DeskUnfit(f"{file} tidak bisa dibaca; harus berisi daftar 'marah' dan 'kesal'") from None
        self._store = store
        self._angry = _any_of(words.marah)
        self._cross = _any_of(words.kesal)

    async def judged(self, stored: Stored, earlier: Sequence[Answer], answer: Answer) -> Answer:
        """The answer with how the citizen takes it, and with a hand-off if it is time for one.

        `earlier` are the answers before it in the same burst, which aren't recorded yet.
        """
        if answer.outcome is not Outcome.ANSWERED or answer.frame is None:
            return answer
        text = " ".join(re.findall(r"\w+", answer.text.lower()))
        about_us = answer.frame.intent in _ABOUT_US or not answer.understood
        angry = about_us and self._angry.search(text) is not None
        displeased = angry or (about_us and self._cross.search(text) is not None)
        answer = replace(answer, displeased=displeased)
        if answer.handoff is not None or (answer.understood and not displeased):
            return answer
        before = await self._before(stored.conversation, stored.id, earlier)
        if angry or (displeased and before.displeased):
            return _handed_over(answer, "marah")
        if not answer.understood and not before.understood:
            return _handed_over(answer, "buntu")
        return answer

    async def _before(self, conversation: uuid.UUID, message: int, earlier: Sequence[Answer]) -> _Before:
        if earlier:
            last = earlier[-1]
            return _Before(last.understood, last.displeased)
        async with self._store.single.connect() as connection:
            row = (
                await connection.execute(
                    select(frames.c.understood, frames.c.displeased)
                    .select_from(inbox.outerjoin(frames, frames.c.inbox == inbox.c.id))
                    .where(inbox.c.conversation == conversation, inbox.c.id < message)
                    .order_by(inbox.c.id.desc())
                    .limit(1)
                )
            ).first()
        if row is None or row.understood is None:
            return _Before()
        return _Before(row.understood, row.displeased)


def _handed_over(answer: Answer, reason: str) -> Answer:
    """What the bot would have said didn't help the last time."""
    service = answer.frame.service if answer.frame else None
    return replace(answer, replies=(), handoff=Handoff(reason, service))


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    listed = "|".join(re.escape(word.lower()) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"\b(?:{listed})\b")
