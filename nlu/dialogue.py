"""Taking a turn: what the citizen sent becomes a message to Rasa, what Rasa did becomes the answer, or nothing happened."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Optional, Union

import async_timeout
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.rule_policy import DEFAULT_ACTION_MAPPINGS
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.constants import INTENT_MESSAGE_PREFIX
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from nlu.action_server import ActionServer
from nlu.answer import answer, expects_number, offered_choices
from nlu.choices import chosen_by_text, meaning, proof_in
from nlu.processor import HonestProcessor
from nlu.session import is_over, last_exchange, start_session
from nlu.tracker_store import SealedTrackerStore
from nlu.turn import ChosenId, SentContact, SentFile, SentLocation, Text, Turn

__all__ = ["Dialogue", "NotReady"]

_SECONDS = 15.0
"""Of a turn, waiting for the one before it included; shorter than the bot's lease."""

_GUARD = "\u200b"
_SENT = {
    SentFile: ("kirim_berkas", "file"),
    SentLocation: ("kirim_lokasi", "location"),
    SentContact: ("kirim_kontak", "contact"),
}


class NotReady(Exception):
    """No model is loaded, or the tracker store isn't ours. The message says what to do."""


class Dialogue:
    """Takes turns with the agent that is loaded at the time."""

    def __init__(self, action_server: ActionServer) -> None:
        self._action_server = action_server
        self._loaded: Optional[MessageProcessor] = None
        self._processor: Optional[HonestProcessor] = None

    async def take(self, agent: Agent, turn: Turn) -> dict[str, Any]:
        """The answer as `docs/rooms.md` has it; the same for the same message.

        Whatever it raises, nothing of the turn was saved: ChoiceUnknown, ActionFailed, TurnOutdated, NotReady,
        asyncio.TimeoutError, an error of the database.
        """
        store, processor = self._parts(agent)
        async with (
            async_timeout.timeout(_SECONDS) as limit,
            agent.lock_store.lock(turn.conversation, wait_time_in_seconds=0.05),
        ):
            stored = await store.read(turn.conversation, turn.message_id)
            if stored.answered is not None:
                return answer(stored.answered)
            tracker, known = _session(turn.conversation, stored.tracker, processor.domain)
            message = await _understand(turn, tracker, processor)
            await processor.run_turn(tracker, message)
            happened = list(tracker.events)[known:]
            # From here on it is saved or it isn't; being cut off would leave open which.
            limit.reject()
            await store.append(turn.conversation, happened, after=stored.last_event, message_id=turn.message_id)
            return answer(happened)

    async def forget(self, agent: Agent, what: Union[str, float]) -> None:
        """A conversation by its id, or everything before a Unix time. Raises NotReady, and what the database raises."""
        store, _ = self._parts(agent)
        if isinstance(what, float):
            await store.erase_before(what)
            return
        async with (
            async_timeout.timeout(_SECONDS),
            agent.lock_store.lock(what, wait_time_in_seconds=0.05),
        ):
            await store.erase(what)

    def _parts(self, agent: Optional[Agent]) -> tuple[SealedTrackerStore, HonestProcessor]:
        if agent is None or agent.processor is None:
            raise NotReady("no model is loaded; run `praja train`")
        store = agent.tracker_store
        # The fail-safe one answers from an empty tracker when the database is away.
        if isinstance(store, FailSafeTrackerStore):
            store = store._tracker_store
        if not isinstance(store, SealedTrackerStore):
            # Rasa takes its store in memory, with a warning, when the one of endpoints.yml can't be imported.
            raise NotReady("the tracker store isn't nlu.tracker_store.SealedTrackerStore; check endpoints.yml")
        if self._processor is None or self._loaded is not agent.processor:
            self._loaded, self._processor = agent.processor, HonestProcessor(agent.processor, self._action_server)
        return store, self._processor


def _session(sender: str, tracker: Optional[DialogueStateTracker], domain: Domain) -> tuple[DialogueStateTracker, int]:
    """The tracker to go on with, and how many of its events are stored."""
    if tracker is not None and not is_over(tracker):
        return tracker, len(tracker.events)
    return start_session(sender, domain, tracker), 0


async def _understand(turn: Turn, tracker: DialogueStateTracker, processor: HonestProcessor) -> UserMessage:
    content = turn.content
    text: Optional[str] = None
    metadata: dict[str, Any] = {"channel": turn.channel, "model": processor.model_filename}
    if turn.linked:
        metadata["linked"] = list(turn.linked)
    if turn.early:
        metadata["early"] = True
    if isinstance(content, Text):
        before = last_exchange(tracker)
        chosen = chosen_by_text(content.text, offered_choices(before), expects_number=expects_number(before))
        choice = proof_in(content.text, tracker.get_slot("tawaran")) if chosen is None else chosen.id
        if choice is None:
            text = content.text
            parsed = await _parse(text, processor)
        else:
            content = ChosenId(choice)
    if isinstance(content, ChosenId):
        metadata["choice"] = content.id
        parsed = meaning(content.id, set(processor.domain.intents) - set(DEFAULT_ACTION_MAPPINGS))
    elif not isinstance(content, Text):
        intent, key = _SENT[type(content)]
        metadata[key] = {name: value for name, value in asdict(content).items() if value is not None}
        parsed = {"intent": {"name": intent, "confidence": 1.0}, "entities": []}
    if isinstance(content, SentFile) and content.caption is not None:
        text = content.caption
        parsed = await _parse(text, processor)
    return UserMessage(
        text,
        sender_id=turn.conversation,
        input_channel=turn.channel,
        message_id=turn.message_id,
        metadata=metadata,
        parse_data={**parsed, "text": text, "message_id": turn.message_id, "metadata": metadata},
    )


async def _parse(text: str, processor: HonestProcessor) -> dict[str, Any]:
    """Rasa reads `/intent{…}` as a command; a character of no width before it makes it text again."""
    guard = _GUARD if text.startswith(INTENT_MESSAGE_PREFIX) else ""
    parsed = await processor.parse_message(UserMessage(guard + text))
    for entity in parsed["entities"]:
        for edge in ("start", "end"):
            entity[edge] = max(entity[edge] - len(guard), 0)
    return parsed
