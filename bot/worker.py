"""The worker: claims conversations and answers them, any number at once, here and in other processes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.answer import Done, Trouble, record
from bot.claim import LONGEST_PAUSE, Claim, claim, release, renew
from bot.crew import Crew
from bot.desk.reasons import Reasons
from bot.desk.room import DeskRoom
from bot.fault import fault
from bot.flood import LOOK_AGAIN, FloodLimits, find_flood, skim
from bot.lease import new_owner
from bot.metrics import Metrics
from bot.notices import INBOX, UNADDRESSED, Notices, wait
from bot.rasa import TurnTrouble
from bot.turn import Answer, Outcome, Stored, Turns
from bot.unaddressed import note_unaddressed

__all__ = ["Worker"]

_PAUSES = (*(timedelta(seconds=seconds) for seconds in (2, 4, 8, 16, 32, 64)), *[LONGEST_PAUSE] * 7)
"""between the tries of one message, a quarter of an hour in all; then it is given to the desk"""
_LAST_TURNS = 30.0
_RENEWED_AFTER = 1.0
"""Seconds of a burst after which it is looked again who has the conversation, and the lease extended. What was answered for an
officer who came in between is withheld by the sender, as it is for one who comes during a turn.
"""
_BETWEEN_FILES = timedelta(seconds=1.5)
_LARGEST_ALBUM = 10
"""files; as many as one claim answers"""
_logger = logging.getLogger(__name__)


class Worker:
    def __init__(
        self,
        room: DeskRoom,
        turns: Turns,
        reasons: Reasons,
        notices: Notices,
        metrics: Metrics,
        *,
        limits: FloodLimits = FloodLimits(),  # noqa: B008 - frozen
        concurrency: int = 8,
        poll: float = 1.0,
    ) -> None:
        self._room = room
        self._store = room.store
        self._channels = room.channels
        self._turns = turns
        self._reasons = reasons
        self._notices = notices
        self._metrics = metrics
        self._limits = limits
        self._concurrency = concurrency
        self._poll = poll
        self._stopping = False
        self._wakers: list[asyncio.Event] = []

    def stop(self) -> None:
        """Claim no more; `run` ends when the turns under way have."""
        self._stopping = True
        for waker in self._wakers:
            waker.set()

    async def run(self) -> None:
        # Of the two none goes on when the other has ended by mistake: both are begun again.
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_all())
            group.create_task(self._note_all())

    async def _answer_all(self) -> None:
        with self._notices.subscribe(INBOX) as woken:
            self._wakers.append(woken)
            async with Crew(self._concurrency, _LAST_TURNS) as crew:
                while not self._stopping:
                    if not crew.free:
                        await crew.one_done()
                        continue
                    free = crew.free
                    claims = await self._claim(free)
                    for claimed in claims:
                        crew.start(self._work(claimed, woken))
                    if len(claims) < free:
                        await wait(woken, self._poll)

    async def _claim(self, most: int) -> Sequence[Claim]:
        try:
            few = self._limits.messages_a_minute + 1
            return await claim(self._store, new_owner(), self._channels, most, few=few)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("claiming failed: %s", fault(error))
            return ()

    async def _note_all(self) -> None:
        with self._notices.subscribe(INBOX, UNADDRESSED) as woken:
            self._wakers.append(woken)
            while not self._stopping:
                try:
                    noted = await note_unaddressed(self._store, self._channels, self._metrics)
                except (SQLAlchemyError, OSError) as error:
                    _logger.warning("noting statuses failed: %s", fault(error))
                    noted = False
                if not noted:
                    await wait(woken, self._poll)

    async def _work(self, claim: Claim, woken: asyncio.Event) -> None:
        try:
            if await self._answer(claim):
                woken.set()
        except asyncio.CancelledError:
            await release(self._store, claim)
            raise
        except Exception as error:
            # Most likely the database. The lease runs out, and the conversation is claimed again.
            _logger.warning("answering failed: %s", fault(error))

    async def _answer(self, claim: Claim) -> bool:
        """Whether more messages have come in the meantime, whose notice found the conversation taken."""
        capabilities = self._channels[claim.channel].capabilities
        by_bot = claim.handler == "bot"
        # The desk reads everything, and costs nothing.
        flood = await find_flood(self._store, claim, self._limits, billed=capabilities.billed) if by_bot else None
        messages = claim.messages if flood is None else await self._skim(claim)
        if flood is not None and self._store.clock() < flood.answer_at:
            await release(self._store, claim, self._store.clock() + LOOK_AGAIN)
            return False
        if by_bot and flood is None and (until := self._end_of_album(messages)) is not None:
            await release(self._store, claim, until)
            return False
        done: list[Done] = []
        trouble: Trouble | None = None
        handler: str | None = claim.handler
        looked = time.monotonic()
        for stored in messages:
            started = time.monotonic()
            if started - looked > _RENEWED_AFTER:
                handler, looked = await renew(self._store, claim), started
            if handler is None:
                return True
            try:
                answer = await self._take(stored, claim, handler, [earlier for _, earlier in done])
            except TurnTrouble as error:
                self._metrics.troubles.inc()
                attempts = 0 if done else claim.attempts
                if attempts < len(_PAUSES):
                    trouble = Trouble(stored, _PAUSES[attempts])
                    break
                answer = self._turns.given_up(str(error))
            self._metrics.turn_seconds.labels(answer.outcome.value).observe(time.monotonic() - started)
            if answer.outcome is Outcome.UNREADABLE:
                self._metrics.unreadable.labels(stored.channel).inc()
            done.append((stored, answer))
            if answer.handoff is not None or answer.outcome is Outcome.RETURNED:
                # Somebody else answers what comes after it.
                break
        more = await record(self._room, claim, capabilities, done, trouble, flood)
        if more is None:
            _logger.warning("a claim was lost before its answer was recorded; it is answered by the next one")
        return more is not False

    def _end_of_album(self, messages: Sequence[Stored]) -> datetime | None:
        """When to look again whether all of an album is there, so that it gets one answer; None when nothing is awaited."""
        if not messages or len(messages) >= _LARGEST_ALBUM:
            return None
        last = messages[-1]
        until = last.received_at + _BETWEEN_FILES
        # What came later than now came before the clock went back: that is long ago enough.
        is_fresh = last.received_at <= self._store.clock() < until
        return until if is_fresh and self._turns.is_of_album(last) else None

    async def _skim(self, claim: Claim) -> Sequence[Stored]:
        last, passed = await skim(self._store, claim)
        self._metrics.flooded.labels(claim.channel).inc(passed)
        return [last] if last else []

    async def _take(self, stored: Stored, claim: Claim, handler: str, earlier: Sequence[Answer]) -> Answer:
        """A mistake of ours is treated like any trouble: tried again, then given to the desk."""
        try:
            # What comes behind another message of the same burst was written without its answer.
            early = stored.early or any(answer.replies for answer in earlier)
            answer = await self._turns.take(replace(stored, early=early), handler=handler, linked=claim.linked)
            return await self._reasons.judged(stored, earlier, answer)
        except (TurnTrouble, SQLAlchemyError):
            raise
        except Exception as error:
            _logger.warning("turn of inbox %d failed: %s", stored.id, fault(error))
            raise TurnTrouble(fault(error)) from None
