"""The sender of one channel: drains the outbox, in order for each conversation.

What the providers can't promise is in `docs/decisions/0002-sending-without-idempotency.md`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.channel import Channel, Outgoing, SendFailed, SendFailure
from bot.crew import Crew
from bot.documents import Documents
from bot.fault import fault
from bot.lease import new_owner
from bot.metrics import Metrics
from bot.notices import OUTBOX, Notices, wait
from bot.outbox import MOST_TRIES, WINDOW_CLOSED, Kind, State
from bot.queue import Due, Verdict, Waiting, claim_waiting, finish, give_back, handled_by, queued
from bot.store import Store

__all__ = ["Sender"]

_BURST = 10
"""messages that may go to one person at once, ahead of the pace; WhatsApp takes 45"""
_MOST_UNKNOWN = 3
_BUSY = timedelta(seconds=5)
_MISTAKE = timedelta(seconds=5)
_OPERATOR = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=10)
_UNKNOWN_PAUSE = timedelta(seconds=30)
_LAST_MESSAGES = 30.0
_logger = logging.getLogger(__name__)


class Sender:
    def __init__(
        self,
        store: Store,
        channel: Channel,
        documents: Documents,
        notices: Notices,
        metrics: Metrics,
        *,
        concurrency: int = 8,
        poll: float = 1.0,
    ) -> None:
        self._store = store
        self._channel = channel
        self._documents = documents
        self._notices = notices
        self._metrics = metrics
        self._concurrency = concurrency
        self._poll = poll
        self._name = new_owner()
        self._stopping = False
        self._woken = asyncio.Event()
        self._paused_until: datetime | None = None
        self._stopped = False
        """until an operator acts; a message a minute tries whether one has"""

    def stop(self) -> None:
        """Claim no more; `run` ends when the messages under way have been sent."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        with self._notices.subscribe(OUTBOX) as self._woken:
            async with Crew(self._concurrency, _LAST_MESSAGES) as crew:
                while not self._stopping:
                    if not crew.free:
                        await crew.one_done()
                        continue
                    # Whether an operator has acted is tried with one message at a time.
                    most = crew.free if not self._stopped else int(crew.free == self._concurrency)
                    found = await self._claim(most) if most and not self._is_paused() else ()
                    for waiting in found:
                        crew.start(self._work(waiting))
                    if len(found) < crew.free or self._stopped:
                        await wait(self._woken, self._poll)

    def _is_paused(self) -> bool:
        return self._paused_until is not None and self._store.clock() < self._paused_until

    async def _claim(self, most: int) -> Sequence[Waiting]:
        ahead = self._channel.capabilities.pace * _BURST
        try:
            return await claim_waiting(self._store, self._name, self._channel.name, ahead, most)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("claiming failed: %s", fault(error))
            return ()

    async def _work(self, waiting: Waiting) -> None:
        pause: timedelta | None = None
        sent = 0
        try:
            for due in await queued(self._store, waiting, limit=self._allowance(waiting)):
                handler = await handled_by(self._store, waiting) if sent else waiting.handler
                if handler is None or self._is_paused():
                    break
                verdict = await self._deliver(waiting, due, handler)
                await finish(self._store, waiting, due, verdict)
                sent += verdict.state is State.SENT
                pause = verdict.pause
                if pause is not None or verdict.unreachable:
                    break
        except Exception as error:
            _logger.warning("sending failed: %s", fault(error))
            pause = _MISTAKE
        finally:
            await self._give_back(waiting, pause, sent)

    async def _give_back(self, waiting: Waiting, pause: timedelta | None, sent: int) -> None:
        try:
            if await give_back(self._store, waiting, pause, self._channel.capabilities.pace * sent):
                self._woken.set()
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("a claim runs out by itself: %s", fault(error))

    def _allowance(self, waiting: Waiting) -> int:
        """How many messages the pace lets go now: the time used up ahead must stay within the burst's."""
        pace = self._channel.capabilities.pace
        if not pace or waiting.paced_until is None:
            return _BURST
        ahead = max(waiting.paced_until - self._store.clock(), timedelta(0))
        return max(1, min(_BURST, int((pace * _BURST - ahead) / pace)))

    async def _deliver(self, waiting: Waiting, due: Due, handler: str) -> Verdict:
        if due.kind is Kind.BOT and handler == "officer":
            return Verdict(State.WITHHELD)
        if waiting.unreachable:
            return Verdict(State.FAILED, error=SendFailure.RECIPIENT.value)
        closed = due.closed or self._is_closed(waiting)
        if closed and due.bubble.template is None:
            return self._window_closed(due)
        try:
            return Verdict(State.SENT, provider_id=await self._send(waiting, due, as_template=closed))
        except SendFailed as failed:
            self._metrics.send_failures.labels(self._channel.name, failed.failure.value).inc()
            return _remembering(due, self._failed(due, failed, as_template=closed))
        except Exception as error:
            self._metrics.send_failures.labels(self._channel.name, "exception").inc()
            _logger.warning("outbox %d couldn't be sent: %s", due.id, fault(error))
            return _remembering(due, self._retry(due, None, fault(error), None))

    def _is_closed(self, waiting: Waiting) -> bool:
        window = self._channel.capabilities.window
        if window is None:
            return False
        return waiting.last_message_at is None or self._store.clock() - waiting.last_message_at > window

    async def _send(self, waiting: Waiting, due: Due, *, as_template: bool) -> str:
        bubble = due.bubble
        file = await self._documents.fetch(bubble.file) if bubble.file and not as_template else None
        provider_id = await self._channel.send(
            waiting.addresses,
            Outgoing(
                text=bubble.text,
                choices=[(f"{due.id}:{i}", choice.title) for i, choice in enumerate(bubble.choices)],
                file=file,
                template=bubble.template if as_template else None,
                tag=str(due.id),
            ),
        )
        if self._stopped:
            self._stopped = False
            self._metrics.stopped.labels(self._channel.name).set(0)
            _logger.warning("%s sends again", self._channel.name)
        return provider_id

    def _failed(self, due: Due, failed: SendFailed, *, as_template: bool) -> Verdict:
        match failed.failure:
            case SendFailure.RETRY:
                return self._retry(due, failed.code, failed.detail, failed.retry_after)
            case SendFailure.CHANNEL_BUSY:
                self._paused_until = self._store.clock() + (failed.retry_after or _BUSY)
                return Verdict(State.QUEUED, pause=timedelta(0))
            case SendFailure.OPERATOR:
                self._stop_channel(failed)
                return Verdict(State.QUEUED, failed.code, failed.detail, pause=timedelta(0))
            case SendFailure.UNKNOWN:
                if due.kind is Kind.OFFICER or due.attempts + 1 >= _MOST_UNKNOWN:
                    return Verdict(State.FAILED, failed.code, SendFailure.UNKNOWN.value)
                return Verdict(State.QUEUED, failed.code, failed.detail, pause=_UNKNOWN_PAUSE * 4**due.attempts)
            case SendFailure.WINDOW_CLOSED if not as_template:
                return self._window_closed(due, failed.code)
            case SendFailure.RECIPIENT:
                return Verdict(State.FAILED, failed.code, failed.detail, unreachable=True)
            case _:
                _logger.error("outbox %d was refused: %s %s", due.id, failed.failure.value, failed.code)
                return Verdict(State.FAILED, failed.code, failed.detail)

    def _retry(self, due: Due, code: int | None, detail: str, after: timedelta | None) -> Verdict:
        if due.attempts + 1 >= MOST_TRIES:
            return Verdict(State.FAILED, code, detail)
        backoff = min(timedelta(seconds=2**due.attempts), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311
        return Verdict(State.QUEUED, code, detail, pause=max(backoff, after or timedelta(0)))

    def _window_closed(self, due: Due, code: int | None = None) -> Verdict:
        """A notification goes as its template or waits until the citizen writes; what answers them now fails, for the
        desk to see.
        """
        if due.kind is not Kind.NOTIFICATION:
            return Verdict(State.FAILED, code, WINDOW_CLOSED)
        if due.bubble.template is not None:
            return Verdict(State.QUEUED, code, WINDOW_CLOSED, pause=timedelta(0))
        return Verdict(State.HELD)

    def _stop_channel(self, failed: SendFailed) -> None:
        self._stopped = True
        self._paused_until = self._store.clock() + _OPERATOR
        self._metrics.stopped.labels(self._channel.name).set(1)
        _logger.critical(
            "%s takes nothing until an operator acts (code %s); the queue is kept and tried every minute",
            self._channel.name,
            failed.code,
        )


def _remembering(due: Due, verdict: Verdict) -> Verdict:
    """What is tried again later still goes as its template."""
    return replace(verdict, error=WINDOW_CLOSED) if due.closed and verdict.state is State.QUEUED else verdict
