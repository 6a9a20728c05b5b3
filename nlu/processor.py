"""A message processor that fails where Rasa's own would go on.

Stock Rasa swallows an exception of an action, and stops without a word when actions go round in circles; both times it
answers 200 and saves. Here both raise.
"""

from __future__ import annotations

import copy
import dataclasses
import logging
from typing import Any

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.events import ActionExecutionRejected
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from nlu.straight_graph import StraightGraph

__all__ = ["ActionFailed", "HonestProcessor"]

_logger = logging.getLogger(__name__)


class ActionFailed(Exception):
    """An action raised, timed out or couldn't be reached, or actions went on without end."""


class HonestProcessor(MessageProcessor):
    """Shares model and domain with the processor that the agent has loaded; keeps nothing of a conversation."""

    def __init__(self, stock: MessageProcessor, action_server: EndpointConfig) -> None:
        self.__dict__.update(stock.__dict__)
        if isinstance(stock.graph_runner, DaskGraphRunner):
            self.graph_runner = StraightGraph(stock.graph_runner)  # type: ignore[assignment]
        self.action_endpoint = action_server
        self.on_circuit_break = _refuse_circles  # type: ignore[assignment]

    def _check_for_unseen_features(self, parse_data: dict[str, Any]) -> None:
        """A warning for developers, for which Rasa builds an empty domain at each message; `praja train` looks at the same."""

    async def run_turn(self, tracker: DialogueStateTracker, message: UserMessage) -> None:
        """Log the message on `tracker`, run actions until the bot listens. Saves nothing. Raises ActionFailed."""
        tracker.model_id = self.model_metadata.model_id
        tracker.assistant_id = self.model_metadata.assistant_id
        await self._handle_message_with_tracker(message, tracker)
        await self.run_action_extract_slots(message.output_channel, tracker)
        await self._run_prediction_loop(message.output_channel, tracker)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        trial = _fork(tracker)
        trial.update_with_events(prediction.events, self.domain)
        try:
            events = await action.run(output_channel, nlg, trial, self.domain)
        except ActionExecutionRejection:
            tracker.update(ActionExecutionRejected(action.name(), prediction.policy_name, prediction.max_confidence))
            return self.should_predict_another_action(action.name())
        except Exception as error:
            # No traceback and no text of the error: the action server quotes the whole request in its answer.
            _logger.error("action %s failed: %s", action.name(), _kinds(error))  # noqa: TRY400
            raise ActionFailed(action.name()) from None
        self._log_action_on_tracker(tracker, action, events, prediction)
        return self.should_predict_another_action(action.name())


def _fork(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """What `tracker.copy()` gives, without replaying the session event by event."""
    fork = copy.copy(tracker)
    fork.events = tracker.events.copy()
    fork.slots = {name: copy.copy(slot) for name, slot in tracker.slots.items()}
    fork.active_loop = tracker.active_loop and dataclasses.replace(tracker.active_loop)
    return fork


def _refuse_circles(*_: Any) -> None:
    _logger.error("actions go round in circles; look at data/rules.yml and the last model")
    raise ActionFailed("too many actions in one turn")


def _kinds(error: BaseException) -> str:
    """`RasaException < ClientResponseError 500`: classes and statuses along the chain of causes."""
    status = getattr(error, "status", None)
    kind = type(error).__name__ + (f" {status}" if status is not None else "")
    return f"{kind} < {_kinds(error.__cause__)}" if error.__cause__ is not None else kind
