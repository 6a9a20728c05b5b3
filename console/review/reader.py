"""The process in which a shadow reads, and what feeds it: one of all consoles, with the messages answered since it began."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import SQLAlchemyError

from bot.fault import fault
from bot.tables import frames, inbox
from console.protection import WORKSPACE
from console.review.label_changes import changes_now
from console.review.opinions import Label, label_now
from console.review.room import ReviewRoom
from console.review.shadow import Shadow, running
from console.settings import ConsoleSettings
from console.tables import shadow_answers, shadows
from console.workspace import Workspace

__all__ = ["keep_shadow", "read_along"]

_PAUSE = 5.0
_BATCH = 50
_LEASE = timedelta(minutes=3)
_LOADING = 120.0
_READING = 60.0
"""seconds that it may take"""
_FOREIGN = 3
"""exit code of nlu/shadow.py"""
_LONGEST_LINE = 1024 * 1024
_logger = logging.getLogger(__name__)


class _Fault(Exception):
    """The shadow can't go on; the message is a sentence for its page."""


class _Answer(BaseModel):
    """A line of nlu/shadow.py."""

    id: int
    intent: str
    confidence: float
    service: str | None
    service_confidence: float | None


@dataclass(frozen=True)
class _Reader:
    process: asyncio.subprocess.Process

    async def ready(self) -> None:
        """Raises _Fault."""
        line = await self._line(_LOADING)
        if "ready" not in line:
            raise _Fault("Model tidak bisa dimuat.")

    async def read(self, messages: Mapping[int, str]) -> Sequence[_Answer]:
        """Raises _Fault."""
        assert self.process.stdin is not None
        answers = []
        for number, text in messages.items():
            self.process.stdin.write(json.dumps({"id": number, "text": text}).encode() + b"\n")
            try:
                await self.process.stdin.drain()
                answer = _Answer.model_validate(await self._line(_READING))
            except (ConnectionError, ValidationError):
                raise _Fault("Proses bayangan berhenti sendiri.") from None
            if answer.id != number:
                raise _Fault("Proses bayangan menjawab yang lain.")
            answers.append(answer)
        return answers

    async def _line(self, seconds: float) -> Any:
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), seconds)
        except (TimeoutError, ValueError):
            raise _Fault("Proses bayangan tidak menjawab.") from None
        if not line:
            code = await asyncio.wait_for(self.process.wait(), seconds)
            if code == _FOREIGN:
                raise _Fault("Model ini dibuat dari program yang lain; latih model baru.")
            raise _Fault("Proses bayangan berhenti sendiri.")
        try:
            return json.loads(line)
        except ValueError:
            raise _Fault("Proses bayangan menjawab yang tidak bisa dibaca.") from None


async def keep_shadow(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(read_along(app[WORKSPACE]))
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def read_along(workspace: Workspace, pause: float = _PAUSE) -> None:
    """Until cancelled; `pause` in seconds."""
    me = uuid.uuid4()
    while True:
        try:
            shadow = await running(workspace.review)
            if shadow is not None and await _claim(workspace.review, shadow, me):
                await _follow(workspace, shadow, me, pause)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("reading along failed: %s", fault(error))
        await asyncio.sleep(pause)


async def _follow(workspace: Workspace, shadow: Shadow, me: uuid.UUID, pause: float) -> None:
    """Until it is ended, or another console has it."""
    room = workspace.review
    try:
        async with _started(workspace.settings, workspace.settings.models / shadow.model) as reader:
            await reader.ready()
            while await _claim(room, shadow, me):
                if not await _read_some(room, shadow, reader):
                    await asyncio.sleep(pause)
    except _Fault as reason:
        async with room.engine.begin() as connection:
            await connection.execute(
                update(shadows)
                .where(shadows.c.id == shadow.id, shadows.c.ended_at.is_(None))
                .values(ended_at=room.clock(), fault=str(reason))
            )


@contextlib.asynccontextmanager
async def _started(settings: ConsoleSettings, model: Path) -> AsyncIterator[_Reader]:
    process = await asyncio.create_subprocess_exec(
        *settings.shadow,
        str(model),
        cwd=settings.root,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_LINE,
    )
    try:
        yield _Reader(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _claim(room: ReviewRoom, shadow: Shadow, me: uuid.UUID) -> bool:
    """Whether it still runs and is ours to read."""
    now = room.clock()
    free = or_(shadows.c.reader == me, shadows.c.reads_until.is_(None), shadows.c.reads_until < now)
    async with room.engine.begin() as connection:
        claimed = await connection.execute(
            update(shadows)
            .where(shadows.c.id == shadow.id, shadows.c.ended_at.is_(None), free)
            .values(reader=me, reads_until=now + _LEASE)
        )
    return claimed.rowcount == 1


async def _read_some(room: ReviewRoom, shadow: Shadow, reader: _Reader) -> int:
    """How many. What a form took as an answer is left out: its intent says nothing. Raises _Fault."""
    done = exists().where(shadow_answers.c.shadow == shadow.id, shadow_answers.c.message == frames.c.inbox)
    query = (
        select(frames)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(frames.c.inbox > shadow.since, frames.c.text.is_not(None), frames.c.in_form.is_(False), ~done)
        .order_by(frames.c.inbox)
        .limit(_BATCH)
    )
    async with room.engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    if any(row.model == shadow.model for row in rows):
        raise _Fault("Model ini sudah menjawab warga sendiri.")
    texts = {row.inbox: room.store.frame.open(row.text).decode() for row in rows}
    answers = await reader.read(texts)
    if answers:
        changes = await changes_now(room)
        by_message = {row.inbox: row for row in rows}
        values = [_row(room, shadow, by_message[answer.id], answer) for answer in answers]
        for value in values:
            seen = label_now(changes, texts[value["message"]], value["live_intent"], value["live_service"])
            value["differs"] = seen != Label(value["intent"], value["service"])
        async with room.engine.begin() as connection:
            await connection.execute(upsert(shadow_answers).on_conflict_do_nothing(), values)
            await connection.execute(update(shadows).where(shadows.c.id == shadow.id).values(read_at=room.clock()))
    return len(answers)


def _row(room: ReviewRoom, shadow: Shadow, live: Row[Any], answer: _Answer) -> dict[str, Any]:
    return {
        "shadow": shadow.id,
        "message": live.inbox,
        "at": room.clock(),
        "live_intent": live.intent,
        "live_service": live.service,
        "intent": answer.intent,
        "confidence": answer.confidence,
        "service": answer.service,
        "service_confidence": answer.service_confidence,
    }
