"""Sending, fetching, and the two ways to receive: a webhook, or asking (long polling)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
)
from telegram import Message as SentMessage
from telegram.error import TelegramError

from bot.channel import (
    Address,
    Capabilities,
    Event,
    FileReference,
    Outgoing,
    OutgoingFile,
    SendFailed,
    SendFailure,
    Update,
)
from bot.channels.telegram import updates
from bot.channels.telegram.failures import refusal
from bot.channels.telegram.request import AiohttpRequest

__all__ = ["Telegram", "TelegramSettings", "verify_secret"]

_CAPTION = 1024
_PHOTOS = {"image/jpeg", "image/png"}
_PHOTO_SIZE = 10 * 1024 * 1024
_SHORT_TITLE = 16
_POLL_SECONDS = 50
_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_AT_ONCE = 0.5
"""seconds; before an answer that comes sooner nobody sees that anything is typed"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TelegramSettings:
    token: str
    api_url: str = "https://api.telegram.org"
    """the root, without `/bot`"""
    mode: Literal["polling", "webhook"] = "polling"
    webhook_secret: str = ""
    """1 to 256 of A-Z a-z 0-9 _ -"""
    webhook_url: str = ""


def verify_secret(header: str | None, secret: str) -> bool:
    """Whether `X-Telegram-Bot-Api-Secret-Token` is the one we registered."""
    return bool(header and secret) and hmac.compare_digest((header or "").encode(errors="replace"), secret.encode())


class Telegram:
    """A `Channel`. Call `close` when done."""

    name = "telegram"
    capabilities = Capabilities(
        text=4096,
        text_with_choices=4096,
        buttons=24,
        button_title=60,
        rows=0,
        row_title=0,
        files=True,
        window=None,
        # One a second to a chat in the long run, and short bursts are let through; who goes too far gets 429 and waits.
        pace=timedelta(milliseconds=50),
        stale=timedelta(hours=12),
        asks_contact=True,
    )

    def __init__(
        self, settings: TelegramSettings, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._root = settings.api_url.rstrip("/")
        self._calls = AiohttpRequest(connections=64, read_timeout=20)
        self._polls = AiohttpRequest(connections=1, read_timeout=20)
        self._bot = Bot(
            settings.token,
            base_url=f"{self._root}/bot",
            base_file_url=f"{self._root}/file/bot",
            request=self._calls,
            get_updates_request=self._polls,
        )

    async def close(self) -> None:
        await asyncio.gather(self._calls.shutdown(), self._polls.shutdown())

    def split(self, body: Mapping[str, Any]) -> list[Update]:
        return updates.split(body)

    def parse(self, update: Mapping[str, Any]) -> Event:
        return updates.parse(update)

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        """The id is the chat's own count of its messages; whose chat it is, the conversation knows.

        A caption too long for Telegram follows its file as a message of its own, whose id is the one returned.
        """
        chat = next((int(address.value) for address in to if address.kind == "chat"), None)
        if chat is None:
            raise SendFailed(SendFailure.RECIPIENT, None, "no chat to send to")
        with _refusals():
            if message.file and len(message.text) > _CAPTION:
                await self._send(chat, Outgoing(text="", file=message.file))
                message = replace(message, file=None)
            sent = await self._send(chat, message)
        return str(sent.message_id)

    async def download(self, file: FileReference) -> bytes:
        """At most 16 MB. Raises SendFailed: RETRY, or RECIPIENT when it has to be sent again (too large, gone)."""
        try:
            found = await self._bot.get_file(file.reference)
            if (found.file_size or 0) <= updates.LARGEST_FILE:
                content = bytes(await found.download_as_bytearray())
                if len(content) <= updates.LARGEST_FILE:
                    return content
        except TelegramError as error:
            failed = refusal(error)
            gone = failed.failure in (SendFailure.PAYLOAD, SendFailure.RECIPIENT)
            raise replace(failed, failure=SendFailure.RECIPIENT if gone else SendFailure.RETRY) from None
        except RuntimeError:
            raise SendFailed(SendFailure.RECIPIENT, None, "Telegram knows the file but doesn't give it out") from None
        raise SendFailed(SendFailure.RECIPIENT, None, "the file is larger than 16 MB")

    async def acknowledge(self, update: Mapping[str, Any], answered: asyncio.Event | None = None) -> None:
        """Stop the tapped button's spinner, and show "sedang mengetik…" for five seconds or until the answer."""
        tap = update.get("callback_query")
        with contextlib.suppress(TelegramError):
            if isinstance(tap, Mapping):
                await self._bot.answer_callback_query(str(tap.get("id")))
        if answered is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AT_ONCE):
                    await answered.wait()
                return
        with contextlib.suppress(TelegramError):
            for address in self.split(update)[0].sender:
                await self._bot.send_chat_action(int(address.value), "typing")

    async def register_webhook(self) -> None:
        """Ask until it is taken: Telegram may be away when we start, and the other channels aren't."""
        pause = _SHORTEST_PAUSE
        while True:
            try:
                await self._bot.set_webhook(
                    self._settings.webhook_url,
                    secret_token=self._settings.webhook_secret,
                    allowed_updates=updates.ALLOWED,
                )
            except TelegramError as error:
                _log.warning("Telegram didn't take the webhook, next try in %.0f s: %s", pause, _reason(error))
            else:
                return
            await self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def poll(self, receive: Callable[[list[Update]], Awaitable[None]]) -> None:
        """Ask for updates for ever. Telegram forgets a batch only when asked for the next one, which is after `receive` has
        returned; after any failure it comes again.
        """
        pause = _SHORTEST_PAUSE
        while True:
            try:
                # Where it is still there, asking says so.
                with contextlib.suppress(TelegramError):
                    await self._bot.delete_webhook()
                async with contextlib.aclosing(self._batches()) as batches:
                    async for batch in batches:
                        if batch:
                            await receive(batch)
                        pause = _SHORTEST_PAUSE
            except Exception as error:  # whatever it is, receiving must go on
                _log.warning("receiving from Telegram failed, next try in %.0f s: %s", pause, _reason(error))
            await self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _batches(self) -> AsyncGenerator[list[Update], None]:
        """Raw, since one update that the library's `get_updates` can't read loses it the whole batch, again and again."""
        offset = 0
        while True:
            query = {"offset": offset, "timeout": _POLL_SECONDS, "allowed_updates": json.dumps(updates.ALLOWED)}
            bodies = await self._polls.post(
                f"{self._root}/bot{self._settings.token}/getUpdates?{urlencode(query)}", read_timeout=_POLL_SECONDS + 10
            )
            if not isinstance(bodies, list):
                raise TypeError("getUpdates answered without a list")
            yield [update for body in bodies for update in self.split(body)]
            offset = max((body["update_id"] + 1 for body in bodies), default=offset)

    async def _send(self, chat: int, message: Outgoing) -> SentMessage:
        keyboard = _contact_keyboard(message) if message.contact_choice else _keyboard(message.choices)
        if message.file is None:
            return await self._bot.send_message(
                chat, message.text, reply_markup=keyboard, link_preview_options=LinkPreviewOptions(is_disabled=True)
            )
        if _is_photo(message.file):
            return await self._bot.send_photo(
                chat, message.file.content, caption=message.text, filename=message.file.name, reply_markup=keyboard
            )
        return await self._bot.send_document(
            chat, message.file.content, caption=message.text, filename=message.file.name, reply_markup=keyboard
        )


def _is_photo(file: OutgoingFile) -> bool:
    return file.content_type in _PHOTOS and len(file.content) <= _PHOTO_SIZE


def _contact_keyboard(message: Outgoing) -> ReplyKeyboardMarkup:
    """Only such a keyboard asks for the number; the other choices then come back as texts."""
    rows = [
        [KeyboardButton(title, request_contact=choice == message.contact_choice)] for choice, title in message.choices
    ]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)


def _keyboard(choices: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    """Two short titles share a row; a long one would be cut off in half of one."""
    if not choices:
        return None
    columns = 2 if all(len(title) <= _SHORT_TITLE for _, title in choices) else 1
    buttons = [InlineKeyboardButton(title, callback_data=choice) for choice, title in choices]
    return InlineKeyboardMarkup([buttons[start : start + columns] for start in range(0, len(buttons), columns)])


def _reason(error: Exception) -> str:
    """Of an error that isn't Telegram's only the kind: a database's error quotes what was to be stored."""
    return refusal(error).detail if isinstance(error, TelegramError) else type(error).__name__


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except TelegramError as error:
        raise refusal(error) from None
