"""The client of a turn: `bot` → Rasa's channel, as `docs/rooms.md` has it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from bot.reply import Choice, FileLink, Reply
from bot.store import clean
from journal import turn_header

__all__ = ["Frame", "Handoff", "Rasa", "TurnAnswer", "TurnRefused", "TurnTrouble"]

TIMEOUT = 20.0
_UNWELL = 10.0
"""seconds that a server which didn't answer is asked last"""
_logger = logging.getLogger(__name__)


class TurnTrouble(Exception):
    """The turn wasn't done, or it can't be known whether it was: ask again later with the same message id."""


class TurnRefused(Exception):
    """The message can't be a turn; asking again won't help."""


@dataclass(frozen=True)
class Frame:
    intent: str | None
    confidence: float | None
    service: str | None
    service_confidence: float | None
    entities: Sequence[Mapping[str, Any]]
    in_form: bool = False
    """taken as an answer to the form's question, whatever intent it would have by itself"""
    margin: float | None = None
    """how far the intent is ahead of the likeliest other one"""


@dataclass(frozen=True)
class Handoff:
    reason: str
    service: str | None


@dataclass(frozen=True)
class TurnAnswer:
    replies: tuple[Reply, ...]
    frame: Frame | None
    model: str | None
    handoff: Handoff | None
    understood: bool


class Rasa:
    """Any number of servers on one tracker store; a conversation stays with one of them while that one answers."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: Sequence[str],
        token: str,
        *,
        timeout: float = TIMEOUT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._urls = tuple(url.rstrip("/") for url in urls)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout = timeout
        self._monotonic = monotonic
        self._unwell_until: dict[str, float] = {}

    async def turn(self, conversation: str, message_id: str, channel: str, content: Mapping[str, Any]) -> TurnAnswer:
        """`content` holds one of text, choice, file, location, contact, and what else belongs to it (linked, early).

        Raises TurnTrouble, TurnRefused.
        """
        body = {"conversation": conversation, "message_id": message_id, "channel": channel, **content}
        for url in self._in_order(conversation):
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._ask(url, body)
            except aiohttp.ClientConnectorError:
                # Nothing was said yet, so another server may be asked at once.
                self._unwell_until[url] = self._monotonic() + _UNWELL
            except TimeoutError:
                self._unwell_until[url] = self._monotonic() + _UNWELL
                raise TurnTrouble("timed out") from None
            except aiohttp.ClientError as error:
                raise TurnTrouble(type(error).__name__) from None
        raise TurnTrouble("no server takes connections")

    async def forget(self, conversation: str) -> None:
        """Whatever was said in it. Raises TurnTrouble."""
        await self._forget({"conversation": conversation})

    async def forget_before(self, at: datetime) -> None:
        """Whatever was said before, in any conversation. Raises TurnTrouble."""
        await self._forget({"before": at.timestamp()})

    async def _forget(self, body: Mapping[str, Any]) -> None:
        """All servers share one store of trackers, so one is enough."""
        for url in self._in_order(str(body)):
            try:
                async with (
                    asyncio.timeout(self._timeout),
                    self._session.post(f"{url}/webhooks/praja/forget", json=body, headers=self._headers) as response,
                ):
                    if response.status == 204:
                        return
                    raise TurnTrouble(str(response.status))
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError) as error:
                raise TurnTrouble(type(error).__name__) from None
        raise TurnTrouble("no server takes connections")

    def _in_order(self, conversation: str) -> list[str]:
        now = self._monotonic()

        def rank(url: str) -> tuple[bool, bytes]:
            digest = hashlib.blake2b(f"{conversation} {url}".encode(), digest_size=8).digest()
            return self._unwell_until.get(url, now) > now, digest

        return sorted(self._urls, key=rank)

    async def _ask(self, url: str, body: Mapping[str, Any]) -> TurnAnswer:
        async with self._session.post(
            f"{url}/webhooks/praja/turn", json=body, headers={**self._headers, **turn_header()}
        ) as response:
            if response.status == 422:
                raise TurnRefused("422")
            if response.status == 401:
                _logger.error("Rasa refuses our token; give bot and Rasa the same PRAJA_RASA_TOKEN")
            if response.status != 200:
                raise TurnTrouble(str(response.status))
            try:
                answer = _answer(await response.json())
            except (ValueError, TypeError, KeyError, AttributeError):
                raise TurnTrouble("answer is not as agreed") from None
        if not answer.replies:
            # Silence is how stock Rasa reports most failures; and a citizen gets no silence.
            raise TurnTrouble("answer is empty")
        return answer


def _answer(body: Mapping[str, Any]) -> TurnAnswer:
    frame, handoff = body.get("frame"), body.get("handoff")
    replies = [
        Reply(
            text=clean(str(reply.get("text") or "")),
            choices=tuple(
                Choice(str(choice["id"]), clean(str(choice["title"]))) for choice in reply.get("choices") or ()
            ),
            file=_file(reply.get("file")),
        )
        for reply in body["replies"]
    ]
    return TurnAnswer(
        replies=tuple(reply for reply in replies if reply.text.strip() or reply.choices or reply.file),
        frame=Frame(
            intent=frame.get("intent"),
            confidence=frame.get("confidence"),
            service=frame.get("service"),
            service_confidence=frame.get("service_confidence"),
            entities=list(frame.get("entities") or ()),
            in_form=frame.get("in_form") is True,
            margin=frame.get("margin"),
        )
        if frame
        else None,
        model=body.get("model"),
        handoff=Handoff(str(handoff.get("reason") or ""), handoff.get("service")) if handoff else None,
        understood=body.get("understood", True) is True,
    )


def _file(file: Mapping[str, Any] | None) -> FileLink | None:
    return FileLink(str(file["url"]), str(file["name"]), str(file["content_type"])) if file else None
