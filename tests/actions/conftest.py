from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from actions.action import DialogueAction
from actions.server import ActionsSettings, dialogue_actions
from tests.actions.fake_backend import FakeBackend
from tests.actions.fake_bot import FakeBot
from tests.actions.talk import Talk
from tests.stack.running import ROOT


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot()


class Clock:
    """Stands at a Tuesday morning of Sidoarjo until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("Asia/Jakarta"))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def start(
    backend: FakeBackend, bot: FakeBot, clock: Clock, aiohttp_server: Any
) -> AsyncIterator[Callable[[], Mapping[str, DialogueAction]]]:
    """The actions as they begin: nothing of before is kept."""
    backend_server, bot_server = await aiohttp_server(backend.app()), await aiohttp_server(bot.app())
    bot.url = str(bot_server.make_url("/")).rstrip("/")
    settings = ActionsSettings(
        data=ROOT / "data",
        host="127.0.0.1",
        port=0,
        backend_url=str(backend_server.make_url("/")),
        backend_token="kanal",
        bot_url=bot.url,
        rasa_token="rasa",
    )
    async with aiohttp.ClientSession() as session:
        yield lambda: {action.name(): action for action in dialogue_actions(settings, session, clock)}


@pytest.fixture
def talk(start: Callable[[], Mapping[str, DialogueAction]], bot: FakeBot) -> Talk:
    return Talk(start(), bot)
