"""Rasa's input channel for us: `POST /webhooks/praja/turn`, `/forget` and `/model`, as `docs/rooms.md` has it."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import time
from typing import Any, Optional

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint, Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, empty, json

from journal import TURN_HEADER, of_turn
from nlu.action_server import ActionServer, mend_remote_action
from nlu.choices import ChoiceUnknown
from nlu.dialogue import Dialogue, NotReady
from nlu.model_swap import ModelRefused, SwapUnfit, load_beside, parse_swap
from nlu.turn import TurnUnfit, parse_forgetting, parse_turn

__all__ = ["PrajaChannel"]

_logger = logging.getLogger(__name__)


class PrajaChannel(InputChannel):
    """Refuses to start without `PRAJA_RASA_TOKEN` and `PRAJA_ACTIONS_URL`: Rasa's own token doesn't guard channels."""

    def __init__(self, token: str, action_server: ActionServer) -> None:
        self._token = token
        self._action_server = action_server
        self._dialogue = Dialogue(action_server)
        self._one_change = asyncio.Lock()

    @classmethod
    def name(cls) -> str:
        return "praja"

    @classmethod
    def from_credentials(cls, credentials: Optional[dict[str, Any]]) -> PrajaChannel:
        mend_remote_action()
        return cls(_setting("PRAJA_RASA_TOKEN"), ActionServer(_setting("PRAJA_ACTIONS_URL")))

    def blueprint(self, on_new_message: Any) -> Blueprint:
        blueprint = Blueprint("praja")

        @blueprint.post("/turn")
        async def turn(request: Request) -> HTTPResponse:
            if not self._is_authorized(request):
                return _refusal(401, "wrong token")
            with of_turn(request.headers.get(TURN_HEADER)):
                started = time.monotonic()
                answer = await self._answer(request)
                _logger.info("turn %d in %.0f ms", answer.status, 1000 * (time.monotonic() - started))
                return answer

        @blueprint.post("/forget")
        async def forget(request: Request) -> HTTPResponse:
            if not self._is_authorized(request):
                return _refusal(401, "wrong token")
            return await self._forget(request)

        @blueprint.post("/model")
        async def model(request: Request) -> HTTPResponse:
            if not self._is_authorized(request):
                return _refusal(401, "wrong token")
            return await self._change_model(request)

        @blueprint.listener("after_server_stop")  # type: ignore[untyped-decorator]
        async def stop(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
            await self._action_server.close()

        return blueprint

    def _is_authorized(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self._token.encode())

    async def _forget(self, request: Request) -> HTTPResponse:
        try:
            await self._dialogue.forget(request.app.ctx.agent, parse_forgetting(request.json))
        except (TurnUnfit, SanicException) as error:
            return _refusal(422, str(error) if not isinstance(error, SanicException) else "body isn't JSON")
        except Exception as error:
            _logger.error("forgetting failed: %s", type(error).__name__)  # noqa: TRY400
            return _refusal(503, "nothing was forgotten; ask again")
        return empty()

    async def _change_model(self, request: Request) -> HTTPResponse:
        """A turn under way ends with the model it began with."""
        try:
            swap = parse_swap(request.json)
        except (SwapUnfit, SanicException) as error:
            return _refusal(422, str(error) if not isinstance(error, SanicException) else "body isn't JSON")
        async with self._one_change:
            agent = request.app.ctx.agent
            if agent is None or agent.processor is None:
                return _refusal(503, "no model is loaded; start the server with one")
            try:
                request.app.ctx.agent = await load_beside(agent, swap)
            except ModelRefused as error:
                _logger.warning("model %s refused: %s", swap.model_file.name, error)
                return json({"error": str(error), "failed": list(error.failed)}, status=409)
        _logger.warning("model %s answers from now on", swap.model_file.name)
        return json({"model": swap.model_file.name, "previous": str(agent.processor.model_path)})

    async def _answer(self, request: Request) -> HTTPResponse:
        try:
            turn = parse_turn(request.json)
            return json(await self._dialogue.take(request.app.ctx.agent, turn))
        except (TurnUnfit, ChoiceUnknown, SanicException) as error:
            return _refusal(422, str(error) if not isinstance(error, SanicException) else "body isn't JSON")
        except NotReady as error:
            _logger.error("turn refused: %s", error)  # noqa: TRY400
            return _refusal(503, str(error))
        except Exception as error:
            # Its text may hold the citizen's words (a statement's parameters, a request's body).
            _logger.error("turn failed: %s", type(error).__name__)  # noqa: TRY400
            return _refusal(503, "the turn wasn't done, nothing of it was saved; send it again")


def _refusal(status: int, reason: str) -> HTTPResponse:
    return json({"error": reason}, status=status)


def _setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is missing; start Rasa by `praja run rasa`, which sets it")
    return value
