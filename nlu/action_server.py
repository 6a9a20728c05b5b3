"""How Rasa calls the action server: a connection that stays, a body of what actions read, a look at the answer's shape.

Stock Rasa opens a connection for each action, sends the whole session, and builds a JSON schema validator of 30 ms for
each answer. The last two can only be replaced on Rasa's own class, so this module refuses any Rasa it wasn't written for.
"""

from __future__ import annotations

from typing import Any, Optional

import aiohttp
import rasa
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from journal import turn_header

__all__ = ["ActionServer", "mend_remote_action"]

_WRITTEN_FOR = "3.6.21"
_SECONDS = 10
"""Shorter than a turn's limit, so that a hanging action is told apart from a slow turn."""

_EXCHANGES = 2
"""User messages whose events an action sees: the present one and the one before."""


class ActionServer(EndpointConfig):
    """The endpoint of the actions. Errors are Rasa's (`ClientResponseError`), aiohttp's, or `asyncio.TimeoutError`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._address = url
        self._session: Optional[aiohttp.ClientSession] = None

    async def request(  # type: ignore[override]
        self, *, json: Any, **_: Any
    ) -> Any:
        async with self._open_session().post(self._address, json=json, headers=turn_header()) as response:
            if response.status >= 400:
                raise ClientResponseError(response.status, response.reason or "", (await response.read()).decode())
            return await response.json()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        # It belongs to the loop it is made in, and endpoints are read before there is one.
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS))
        return self._session


def mend_remote_action() -> None:
    """Replace two methods of Rasa's `RemoteAction`. Raises RuntimeError for another version of Rasa."""

    def validate(self: RemoteAction, result: Any) -> bool:
        if not _is_answer(result):
            # Stock puts the offending value into the message, and with it what the citizen wrote.
            raise ValueError(f"the answer of {self.name()} isn't one of an action server")
        return True

    def call(self: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
        return {
            "next_action": self.name(),
            "sender_id": tracker.sender_id,
            "tracker": {**tracker.current_state(), "events": _recent_events(tracker)},
            "version": rasa.__version__,
        }

    replacements = {"_validate_action_result": validate, "_action_call_format": call}
    if rasa.__version__ != _WRITTEN_FOR or not all(hasattr(RemoteAction, name) for name in replacements):
        raise RuntimeError(
            f"nlu/action_server.py was written for Rasa {_WRITTEN_FOR}; check it against {rasa.__version__}"
        )
    for name, replacement in replacements.items():
        setattr(RemoteAction, name, replacement)


def _is_answer(result: Any) -> bool:
    """An event that there isn't fails where it is read; of a slot without a name Rasa would make one called None."""
    if not isinstance(result, dict):
        return False
    parts = [result.get(part, []) for part in ("events", "responses")]
    return all(isinstance(part, list) and all(isinstance(each, dict) for each in part) for part in parts) and all(
        isinstance(event.get("name"), str) for event in parts[0] if event.get("event") == "slot"
    )


def _recent_events(tracker: DialogueStateTracker) -> list[dict[str, Any]]:
    recent: list[dict[str, Any]] = []
    exchanges = 0
    for event in reversed(tracker.events):
        recent.append(event.as_dict())
        exchanges += isinstance(event, UserUttered)
        if exchanges == _EXCHANGES:
            break
    return recent[::-1]
