"""Phones on the providers' fakes: what was said is said until it is accepted, and every bubble is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.channels.whatsapp.message_id import kept_id
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram import Sent as TelegramSent
from tests.fakes.whatsapp import FakeWhatsApp
from tests.fakes.whatsapp import Sent as WhatsAppSent
from tests.stack.citizen import is_title

__all__ = ["Bubble", "Meta", "Phone", "TelegramPhone", "WhatsAppPhone"]

_LONGEST_PAUSE = 3.0


class Meta(FakeWhatsApp):
    """It delivers what it has for as long as it takes, as the real one does for seven days."""

    redelivered = 0

    async def send_raw(self, body: Mapping[str, Any]) -> int:
        self.webhooks.append(body)
        pause = self.retry_pause
        while (status := await self._post(body)) != 200:
            self.redelivered += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return status


@dataclass(frozen=True)
class Bubble:
    provider_id: str
    text: str
    titles: Sequence[str]
    outbox: int | None
    """our own number of it, where the provider is told"""


class Phone(Protocol):
    """Each act gives the message's external id once it has been accepted."""

    channel: str
    external_ids: list[str]

    async def say(self, text: str) -> str: ...

    async def tap(self, title: str) -> str: ...

    async def send_photo(self, content: bytes) -> str: ...

    async def say_again(self) -> None:
        """The provider delivers the last message once more."""

    def bubbles(self) -> list[Bubble]:
        """As the phone shows them, oldest first."""


@dataclass
class WhatsAppPhone:
    meta: Meta
    number: str
    channel: str = "whatsapp"
    external_ids: list[str] = field(default_factory=list)
    _seen: int = 0
    _bubbles: list[Bubble] = field(default_factory=list)

    async def say(self, text: str) -> str:
        return self._said(await self.meta.say(text, self.number))

    async def tap(self, title: str) -> str:
        shown = _shown(self.bubbles(), title)
        return self._said(await self.meta.tap(shown, self.number)) if shown else await self.say(title)

    async def send_photo(self, content: bytes) -> str:
        return self._said(await self.meta.send_photo(content, self.number))

    async def say_again(self) -> None:
        await self.meta.send_again(self.number)

    def bubbles(self) -> list[Bubble]:
        new, self._seen = self.meta.messages[self._seen :], len(self.meta.messages)
        mine = (self.number, self.number[1:], self.meta.bsuid(self.number))
        self._bubbles += [_of_whatsapp(sent) for sent in new if sent.to in mine]
        return self._bubbles

    def _said(self, external_id: str) -> str:
        self.external_ids.append(kept_id(external_id))
        return self.external_ids[-1]


@dataclass
class TelegramPhone:
    """What it says waits at Telegram until the bot has fetched it."""

    telegram: FakeTelegram
    user: int
    channel: str = "telegram"
    external_ids: list[str] = field(default_factory=list)
    _seen: int = 0
    _bubbles: list[Bubble] = field(default_factory=list)

    async def say(self, text: str) -> str:
        return self._said(await self.telegram.say(text, self.user))

    async def tap(self, title: str) -> str:
        shown = _shown(self.bubbles(), title)
        return self._said(await self.telegram.tap(shown, self.user)) if shown else await self.say(title)

    async def send_photo(self, content: bytes) -> str:
        return self._said(await self.telegram.send_photo(content, self.user))

    async def say_again(self) -> None:
        """What was fetched and not confirmed is fetched again anyway."""

    def bubbles(self) -> list[Bubble]:
        new, self._seen = self.telegram.messages[self._seen :], len(self.telegram.messages)
        self._bubbles += [_of_telegram(sent) for sent in new if sent.to == self.user]
        return self._bubbles

    def _said(self, update: int) -> str:
        self.external_ids.append(str(update))
        return str(update)


def _of_whatsapp(sent: WhatsAppSent) -> Bubble:
    tag = sent.payload.get("biz_opaque_callback_data", "")
    return Bubble(
        kept_id(sent.id), sent.text, [title for _, title in sent.choices], int(tag) if tag.isdigit() else None
    )


def _of_telegram(sent: TelegramSent) -> Bubble:
    tag = sent.choices[0][0].partition(":")[0] if sent.choices else ""
    return Bubble(str(sent.id), sent.text, [title for _, title in sent.choices], int(tag) if tag.isdigit() else None)


def _shown(bubbles: Sequence[Bubble], title: str) -> str | None:
    """The title as the last choices show it: cut where it is too long; None where it must be typed."""
    last = next((bubble.titles for bubble in reversed(bubbles) if bubble.titles), ())
    return next((shown for shown in last if is_title(shown, title)), None)
