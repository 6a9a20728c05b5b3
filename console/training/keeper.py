"""What training does by itself, beside the pages: work on what was asked for, ask by the schedule, see probations through."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.fault import fault
from console.protection import WORKSPACE
from console.training.job import Job, Outcome
from console.training.room import TrainingRoom
from console.training.runs import (
    Kind,
    Run,
    State,
    ask_by_schedule,
    claim,
    end,
    give_up_the_dead,
    keep,
)
from console.training.schedule import Limits
from learning.live_model import LiveModelUnreadable

__all__ = ["keep_training", "see_probation_through", "work"]

_PAUSE = 2.0
_BEAT = 1.0
_AFTER_TROUBLE = 30.0
_REFUSED = 3
"""exit code of the gate"""
_ASK_ANEW = "Dari model mana kembali tidak tercatat; buka lagi halaman Pelatihan, lalu ulangi."
_WATCHING = Limits(minutes=24 * 60, megabytes=1000)
_logger = logging.getLogger(__name__)


async def keep_training(app: web.Application) -> AsyncIterator[None]:
    room = app[WORKSPACE].training
    tasks = [
        asyncio.create_task(_forever(room, work, room.asked)),
        asyncio.create_task(_forever(room, see_probation_through, asyncio.Event())),
    ]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _forever(room: TrainingRoom, one: Callable[[TrainingRoom], Awaitable[None]], woken: asyncio.Event) -> None:
    while True:
        try:
            woken.clear()
            await one(room)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), _PAUSE)
        except (SQLAlchemyError, OSError, LiveModelUnreadable) as error:
            _logger.warning("models weren't looked after: %s", fault(error))
            await asyncio.sleep(_AFTER_TROUBLE)


async def work(room: TrainingRoom) -> None:
    """What is due: one run at the most, to its end."""
    await give_up_the_dead(room)
    if (slot := room.schedule.slot(room.clock())) is not None:
        await ask_by_schedule(room, slot)
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if (run := await claim(room, owner)) is not None:
        await _Worked(room, owner, run).to_its_end()


async def see_probation_through(room: TrainingRoom) -> None:
    """Whoever made a model live may have died since, in its first minutes or in the middle of the change itself."""
    if room.live.is_unsettled or room.live.on_probation(room.clock()) is not None:
        job = Job([*room.command, "watch"], room.root, _WATCHING)
        outcome = await job.run()
        for line in job.said:
            _logger.warning("watching the live model: %s", line)
        if outcome.code:
            await asyncio.sleep(_AFTER_TROUBLE)


class _Worked:
    def __init__(self, room: TrainingRoom, owner: str, run: Run) -> None:
        self._room = room
        self._owner = owner
        self._run = run
        self._said: list[str] = []

    async def to_its_end(self) -> None:
        state, model = State.FAILED, None
        try:
            model = await self._train() if self._run.order.kind is Kind.TRAIN else self._run.order.model
            if model is not None:
                state = await self._with(model)
            elif self._run.order.kind is Kind.SEND_BACK:
                # Asked for on a page of the version before, which didn't say from which.
                self._said.append(_ASK_ANEW)
        except _EndedEarly:
            state = State.CANCELLED
        except asyncio.CancelledError:
            # We are told to stop: said at once, not when the lease has run out.
            await asyncio.shield(self._end(State.CUT_OFF, None))
            raise
        await self._end(state, model)

    async def _train(self) -> str | None:
        """The new model's file name; None where none came out."""
        outcome = await self._do("train")
        return Path(outcome.results[-1]).name if outcome.code == 0 and outcome.results else None

    async def _with(self, model: str) -> State:
        order, archive = self._run.order, str(self._room.models / model)
        match order.kind:
            case Kind.TRAIN | Kind.MEASURE:
                # A model that is refused was measured all the same.
                outcome = await self._do("evaluate", "--candidate", archive)
                return State.DONE if outcome.code in (0, _REFUSED) else State.FAILED
            case Kind.PROMOTE:
                override = ("--override", order.reason) if order.override else ()
                outcome = await self._do("promote", archive, "--leave", *override)
            case Kind.SEND_BACK:
                outcome = await self._do("rollback", "--reason", order.reason, "--only", model)
        return State.DONE if outcome.code == 0 else State.FAILED

    async def _do(self, *arguments: str) -> Outcome:
        """Raises _EndedEarly."""
        job = Job([*self._room.command, *arguments], self._room.root, self._room.schedule.limits)
        task = asyncio.create_task(job.run())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_BEAT)
                if not await self._keep([*self._said, *job.said]):
                    raise _EndedEarly
            return task.result()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._said += job.said

    async def _keep(self, said: Sequence[str]) -> bool:
        try:
            return await keep(self._room, self._owner, self._run.id, said)
        except (SQLAlchemyError, OSError) as error:
            # The lease says how long that may last; whoever takes it for dead has it.
            _logger.warning("a run's lease wasn't renewed: %s", fault(error))
            return True

    async def _end(self, state: State, model: str | None) -> None:
        await end(self._room, self._owner, self._run.id, state, self._said, model)


class _EndedEarly(Exception):
    """Somebody has cancelled it, or it isn't ours any more."""
