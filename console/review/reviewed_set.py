"""The reviewed set: what is settled becomes files that a model is made of, and what was drawn at random one it is measured by."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.desk.hours import LOCAL_TIME
from console.accounts import Account
from console.audit import Act, record_in
from console.review.opinions import Judged, final_labels
from console.review.room import ReviewRoom
from console.tables import accounts, review_sets, reviews
from console.workspace import Workspace
from learning.example import Example, key
from learning.reviewed_set import ReviewedSet
from learning.training_file import render

__all__ = ["Conflict", "Draft", "MadeSet", "draft", "list_sets", "make_set", "measured_lines", "set_content"]

_AUTHOR = "tinjauan"
_RANDOM_AUTHOR = "acak"
_VOCABULARY = 3
"""So few words may be taught and measured as well, as `praja dataset check` has it."""


@dataclass(frozen=True)
class Conflict:
    """A text with several labels: it isn't taken into the set until they are one."""

    text: str
    ours: Sequence[Example]
    """as reviewed"""
    known: Sequence[Example]
    """as taught already"""


@dataclass(frozen=True)
class Draft:
    examples: Sequence[Example]
    conflicts: Sequence[Conflict] = ()
    duplicates: int = 0
    """taught already with the same labels, or twice among these"""
    measured: Sequence[Example] = ()
    """the random stream, but for what is taught already; nothing of it is taught later"""
    kept_apart: int = 0
    """would be taught, but the random stream measures by the same text"""
    by_intent: Sequence[tuple[str, int]] = ()
    messages: Sequence[int] = field(default=(), repr=False)
    """rows of `reviews` that the examples came from"""


@dataclass(frozen=True)
class MadeSet:
    name: str
    created_at: datetime
    who: str
    examples: int
    is_kept: bool


async def draft(room: ReviewRoom) -> Draft:
    """What the next set would hold. Raises TrainingFileUnfit."""
    settled = [one for one in await final_labels(room) if one.label.intent is not None and one.text]
    measured = await _measured(room, settled)
    measured_keys = {key(example.text) for example in measured}
    fresh = [one for one in settled if not one.is_random and one.in_set is None]
    to_teach = [one for one in fresh if key(str(one.text)) not in measured_keys]
    known = await room.known.labels_of([str(one.text) for one in to_teach])
    by_key: dict[str, list[Judged]] = {}
    for one in to_teach:
        by_key.setdefault(key(str(one.text)), []).append(one)
    examples, conflicts, messages, duplicates = [], [], [], 0
    for alike in by_key.values():
        ours = [_example(one, _AUTHOR) for one in alike]
        taught = known.get(str(alike[0].text), ())
        labels = {(example.intent, example.service) for example in [*ours, *taught]}
        if len(labels) > 1:
            conflicts.append(Conflict(ours[0].text, ours, taught))
            continue
        messages += [one.message for one in alike]
        duplicates += len(alike) - (not taught)
        if not taught:
            examples.append(ours[0])
    counts: dict[str, int] = {}
    for example in examples:
        counts[example.intent] = counts.get(example.intent, 0) + 1
    return Draft(
        examples,
        conflicts,
        duplicates,
        measured,
        len(fresh) - len(to_teach),
        sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])),
        messages,
    )


async def make_set(workspace: Workspace, account: Account) -> str | None:
    """The name of the new set; None when there is nothing new. Written into `data` where that is allowed.

    Raises TrainingFileUnfit, and OSError where it can't be written.
    """
    room = workspace.review
    made = await draft(room)
    if not made.examples:
        return None
    content = render(made.examples)
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    name = f"{workspace.clock().astimezone(LOCAL_TIME):%Y-%m-%d}-{digest}"
    async with workspace.engine.begin() as connection:
        taken = await connection.execute(
            update(reviews).where(reviews.c.message.in_(made.messages), reviews.c.in_set.is_(None)).values(in_set=name)
        )
        if taken.rowcount < len(made.messages):
            # Somebody made one of the same at this moment; theirs counts.
            await connection.rollback()
            return None
        row = {
            "created_at": workspace.clock(),
            "account": account.id,
            "examples": len(made.examples),
            "content": room.seal.seal(content.encode()),
        }
        # Taken back and judged the same again on one day, it has the same name.
        await connection.execute(
            upsert(review_sets).values(name=name, **row).on_conflict_do_update(index_elements=["name"], set_=row)
        )
        await record_in(
            connection, workspace, account.id, Act.MADE_SET, f"reviewed_set:{name}", examples=len(made.examples)
        )
        if room.may_write:
            await asyncio.to_thread(_write, room, name, made)
    return name


async def list_sets(room: ReviewRoom) -> Sequence[MadeSet]:
    query = (
        select(review_sets, accounts.c.name.label("who"))
        .join(accounts, accounts.c.id == review_sets.c.account)
        .order_by(review_sets.c.created_at.desc())
    )
    async with room.engine.connect() as connection:
        return [
            MadeSet(row.name, row.created_at, row.who, row.examples, row.content is not None)
            for row in await connection.execute(query)
        ]


async def set_content(room: ReviewRoom, name: str) -> str | None:
    """None: there is no such set, or it was forgotten."""
    async with room.engine.connect() as connection:
        sealed = await connection.scalar(select(review_sets.c.content).where(review_sets.c.name == name))
    return room.text(sealed)


def measured_lines(examples: Sequence[Example]) -> str:
    """The random stream as the gate reads it, a JSON object a line."""
    lines: list[Mapping[str, object]] = [
        {
            "text": example.text, "intent": example.intent, "layanan": example.service, "ragam": "", "entities": [],
            "group": "acak", "penulis": example.author,
        }
        for example in examples
    ]  # fmt: skip
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


async def _measured(room: ReviewRoom, settled: Sequence[Judged]) -> Sequence[Example]:
    known = await room.known.labels_of([str(one.text) for one in settled if one.is_random])
    taught = {key(text) for text in known} | {
        key(str(one.text)) for one in settled if one.in_set is not None and not one.is_random
    }
    examples = [_example(one, _RANDOM_AUTHOR) for one in settled if one.is_random]
    return [one for one in examples if key(one.text) not in taught or len(key(one.text).split()) <= _VOCABULARY]


def _write(room: ReviewRoom, name: str, made: Draft) -> None:
    written = ReviewedSet(room.data / "tinjauan")
    written.write(name, made.examples)
    written.write_measured(made.measured)


def _example(one: Judged, author: str) -> Example:
    return Example(str(one.text), str(one.label.intent), one.label.service, author=author)
