"""The sender of one channel: drains the outbox, in order for each conversation.

What the providers can't promise is in `docs/decisions/0002-sending-without-idempotency.md`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from bot.attachments import fetch_file
from bot.channel import Address, Channel, Outgoing, OutgoingFile, SendFailed, SendFailure
from bot.crew import Crew
from bot.documents import Documents
from bot.fault import fault
from bot.halts import halted_until, put_off
from bot.lease import new_owner
from bot.metrics import Metrics
from bot.notices import OUTBOX, Notices, wait
from bot.outbox import MOST_TRIES, WINDOW_CLOSED, Kind, State
from bot.queue import (
    BURST,
    LONGEST_PAUSE,
    Due,
    Verdict,
    Waiting,
    claim_waiting,
    finish,
    finish_last,
    give_back,
    handled_by,
    queued,
    reached_at,
    release_held,
)
from bot.reply import is_own_number
from bot.store import Store

__all__ = ["Sender"]

_MOST_UNKNOWN = 3
_BUSY = timedelta(seconds=5)
_RELEASE = timedelta(minutes=1)
"""between two looks for what is held though it may go, which is rare"""
_MISTAKE = timedelta(seconds=5)
_OPERATOR = timedelta(minutes=1)
_LONGEST_BACKOFF = timedelta(minutes=10)
_UNKNOWN_PAUSE = timedelta(seconds=30)
_LAST_MESSAGES = 30.0
_WHILE_DATABASE_IS_AWAY = (0.1, 0.5, 2, 5, 10, 20)
"""seconds between the tries of writing down; a claim lasts for 90"""
_SURELY_HELD = timedelta(seconds=30)
"""since a message's turn began, while the clock runs as it should"""
_Result = TypeVar("_Result")
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
        self._under_way: dict[uuid.UUID, datetime] = {}
        """conversations that we are sending to, and since when the present message"""
        self._released = store.clock()
        """when what is held was looked for last"""
        self._stopping = False
        self._woken = asyncio.Event()
        self._pause: tuple[datetime, datetime] | None = None
        """since when the whole channel rests, and until when"""
        self._stopped = False
        """until an operator acts; a message a minute tries whether one has"""
        self._halted = False
        """the same, found out from late refusals"""

    def stop(self) -> None:
        """Claim no more; `run` ends when the messages under way have been sent."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        with self._notices.subscribe(OUTBOX, "", self._channel.name) as self._woken:
            async with Crew(self._concurrency, _LAST_MESSAGES) as crew:
                while not self._stopping:
                    if not crew.free:
                        await crew.one_done()
                        continue
                    may_send = (not self._halted or await self._look_for_halt()) and not self._is_paused()
                    # Whether an operator has acted is tried with one message at a time.
                    trying = self._stopped or self._halted
                    most = int(crew.free == self._concurrency) if trying else crew.free
                    found = await self._claim(most) if most and may_send else ()
                    if found and self._halted:
                        await put_off(self._store, self._channel.name)
                    for waiting in found:
                        crew.start(self._work(waiting))
                    if not found and not self._halted:
                        await self._look_for_halt()
                        await self._release_held()
                    if len(found) < crew.free or trying:
                        await wait(self._woken, self._poll)

    async def _look_for_halt(self) -> bool:
        """Whether anything may be sent now: refusals that come late are noted by whoever reads the statuses."""
        try:
            found = await halted_until(self._store, self._channel.name)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("looking for a halt failed: %s", fault(error))
            return False
        if self._halted != (found is not None):
            self._halted = found is not None
            self._metrics.stopped.labels(self._channel.name).set(self._halted or self._stopped)
            if found is None:
                _logger.warning("%s sends again", self._channel.name)
            else:
                self._tell_operators(found[1])
        return found is None or found[0] <= self._store.clock()

    async def _release_held(self) -> None:
        now, window = self._store.clock(), self._channel.capabilities.window
        if window is None or self._released <= now < self._released + _RELEASE:
            return
        self._released = now
        try:
            await release_held(self._store, self._channel.name, now - window + _RELEASE)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("looking for what is held failed: %s", fault(error))

    def _tell_operators(self, code: int | None) -> None:
        _logger.critical(
            "%s takes nothing until an operator acts (code %s); the queue is kept and tried every minute",
            self._channel.name,
            code,
        )

    def _is_paused(self) -> bool:
        # A pause that hasn't begun was made before the clock went back.
        return self._pause is not None and self._pause[0] <= self._store.clock() < self._pause[1]

    def _rest(self, pause: timedelta) -> None:
        now = self._store.clock()
        self._pause = now, now + pause

    async def _claim(self, most: int) -> Sequence[Waiting]:
        ahead = self._channel.capabilities.pace * BURST
        now = self._store.clock()
        # After a jump of the clock claims have run out, and we are still sending.
        leaving = [one for one, since in self._under_way.items() if not since <= now < since + _SURELY_HELD]
        try:
            return await claim_waiting(
                self._store, new_owner(), self._channel.name, ahead, most, trying=self._halted, leaving=leaving
            )
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("claiming failed: %s", fault(error))
            return ()

    async def _work(self, waiting: Waiting) -> None:
        pause: timedelta | None = None
        sent = 0
        ended = False
        try:
            to = reached_at(self._store, waiting)
            messages = queued(self._store, waiting)[: self._allowance(waiting)]
            handler: str | None = waiting.handler
            for due in messages:
                if handler is None or self._is_paused():
                    break
                self._under_way[waiting.conversation] = self._store.clock()
                verdict = await self._deliver(waiting, to, due, handler)
                sent += verdict.state is State.SENT
                if due is messages[-1] or verdict.pause is not None or verdict.unreachable:
                    used = self._channel.capabilities.pace * sent
                    more = await _written(partial(finish_last, self._store, waiting, due, verdict, used))
                    ended = True
                    if more:
                        self._woken.set()
                    break
                handler = await _written(partial(finish, self._store, waiting, due, verdict))
        except Exception as error:
            _logger.warning("sending failed: %s", fault(error))
            pause = _MISTAKE
        finally:
            self._under_way.pop(waiting.conversation, None)
            if not ended:
                await self._give_back(waiting, pause, sent)

    async def _give_back(self, waiting: Waiting, pause: timedelta | None, sent: int) -> None:
        try:
            if await give_back(self._store, waiting, pause, self._channel.capabilities.pace * sent):
                self._woken.set()
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("a claim runs out by itself: %s", fault(error))

    def _allowance(self, waiting: Waiting) -> int:
        """How many messages the pace lets go now: the time used up ahead must stay within the burst's."""
        if self._halted:
            return 1
        pace = self._channel.capabilities.pace
        if not pace or waiting.paced_until is None:
            return BURST
        ahead = max(waiting.paced_until - self._store.clock(), timedelta(0))
        return max(1, min(BURST, int((pace * BURST - ahead) / pace)))

    async def _deliver(self, waiting: Waiting, to: Sequence[Address], due: Due, handler: str) -> Verdict:
        if _is_silenced(due, handler):
            return Verdict(State.WITHHELD)
        if waiting.unreachable:
            return Verdict(State.FAILED, error=SendFailure.RECIPIENT.value)
        closed = due.closed or self._is_closed(waiting)
        if closed and due.bubble.template is None:
            return self._window_closed(due)
        try:
            file = await self._file(waiting, due) if not closed else None
            # Fetching takes its time, in which the desk may have got the conversation.
            now = await handled_by(self._store, waiting) if file else handler
            if now is None:
                return Verdict(State.QUEUED, pause=timedelta(0))
            if _is_silenced(due, now):
                return Verdict(State.WITHHELD)
            return Verdict(State.SENT, provider_id=await self._send(to, due, file, as_template=closed))
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

    async def _file(self, waiting: Waiting, due: Due) -> OutgoingFile | None:
        if due.bubble.file is None:
            return None
        return await fetch_file(self._store, self._documents, waiting.conversation, due.bubble.file)

    async def _send(self, to: Sequence[Address], due: Due, file: OutgoingFile | None, *, as_template: bool) -> str:
        bubble = due.bubble
        provider_id = await self._channel.send(
            to,
            Outgoing(
                text=bubble.text,
                choices=[(f"{due.id}:{i}", choice.title) for i, choice in enumerate(bubble.choices)],
                contact_choice=_contact_choice(due),
                file=file,
                template=bubble.template if as_template else None,
                tag=str(due.id),
            ),
        )
        if self._stopped:
            self._stopped = False
            self._metrics.stopped.labels(self._channel.name).set(self._halted)
            _logger.warning("%s sends again", self._channel.name)
        return provider_id

    def _failed(self, due: Due, failed: SendFailed, *, as_template: bool) -> Verdict:
        match failed.failure:
            case SendFailure.RETRY:
                return self._retry(due, failed.code, failed.detail, failed.retry_after)
            case SendFailure.CHANNEL_BUSY:
                self._rest(failed.retry_after or _BUSY)
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
        backoff = min(timedelta(seconds=2**due.attempts), _LONGEST_BACKOFF) * random.uniform(0.8, 1.2)  # noqa: S311
        return Verdict(State.QUEUED, code, detail, pause=min(max(backoff, after or timedelta(0)), LONGEST_PAUSE))

    def _window_closed(self, due: Due, code: int | None = None) -> Verdict:
        """A notification goes as its template or waits until the citizen writes, and so does what the desk tells by itself;
        what answers them now fails, for the desk to see.
        """
        if due.kind not in (Kind.NOTIFICATION, Kind.DESK):
            return Verdict(State.FAILED, code, WINDOW_CLOSED)
        if due.bubble.template is not None:
            return Verdict(State.QUEUED, code, WINDOW_CLOSED, pause=timedelta(0))
        return Verdict(State.HELD)

    def _stop_channel(self, failed: SendFailed) -> None:
        self._stopped = True
        self._rest(_OPERATOR)
        self._metrics.stopped.labels(self._channel.name).set(1)
        self._tell_operators(failed.code)


async def _written(write: Callable[[], Awaitable[_Result]]) -> _Result:
    """For as long as the claim lasts: what was sent and isn't written down is sent again."""
    for pause in _WHILE_DATABASE_IS_AWAY:
        try:
            return await write()
        except (SQLAlchemyError, OSError):
            await asyncio.sleep(pause)
    return await write()


def _contact_choice(due: Due) -> str | None:
    if not due.bubble.asks_contact:
        return None
    return next((f"{due.id}:{i}" for i, choice in enumerate(due.bubble.choices) if is_own_number(choice)), None)


def _is_silenced(due: Due, handler: str) -> bool:
    return (due.kind is Kind.BOT and handler != "bot") or (due.bubble.for_waiting and handler != "queued")


def _remembering(due: Due, verdict: Verdict) -> Verdict:
    """What is tried again later still goes as its template."""
    return replace(verdict, error=WINDOW_CLOSED) if due.closed and verdict.state is State.QUEUED else verdict
