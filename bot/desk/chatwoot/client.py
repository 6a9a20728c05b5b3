"""Chatwoot's application API, as much of it as a desk needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel, ValidationError

from bot.attachments import Attachment
from bot.files import LARGEST_FILE

__all__ = ["Chatwoot", "ChatwootFailed", "ChatwootRefused", "ChatwootSettings"]

_TIMEOUT = aiohttp.ClientTimeout(total=20)
_Shape = TypeVar("_Shape", bound=BaseModel)


@dataclass(frozen=True)
class ChatwootSettings:
    url: str
    token: str
    """of an agent who may write in the inbox"""
    account: int
    inbox: int
    """of type API"""
    webhook_secret: str


class ChatwootFailed(Exception):
    """It didn't do what it was asked; the message names a status and nothing of a citizen's."""


class ChatwootRefused(ChatwootFailed):
    """It won't do it the next time either."""


class _Numbered(BaseModel):
    id: int


class _OfInbox(BaseModel):
    source_id: str
    inbox: _Numbered | None = None


class _Contact(BaseModel):
    id: int
    identifier: str | None = None
    contact_inboxes: list[_OfInbox] = []


class _Created(BaseModel):
    contact: _Contact
    contact_inbox: _OfInbox | None = None


class _Payload(BaseModel):
    payload: _Created


class _Contacts(BaseModel):
    payload: list[_Contact]


class _Message(BaseModel):
    id: int
    source_id: str | None = None


class _Open(_Numbered):
    custom_attributes: dict[str, Any] | None = None


class _Opened(BaseModel):
    payload: list[_Open]


class _Messages(BaseModel):
    payload: list[_Message]


class Chatwoot:
    def __init__(self, settings: ChatwootSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._root = f"{settings.url.rstrip('/')}/api/v1/accounts/{settings.account}"
        self._headers = {"api_access_token": settings.token}

    async def contact(self, identifier: str, name: str) -> tuple[int, str]:
        """Id and source id of the contact, made if there is none. Raises ChatwootFailed."""
        body = {"inbox_id": self._settings.inbox, "name": name, "identifier": identifier}
        status, answer = await self._ask("POST", "/contacts", json=body)
        if status == 200:
            made = _read(_Payload, answer).payload
            return made.contact.id, self._source(made.contact, made.contact_inbox)
        if status != 422:
            raise ChatwootFailed(f"contacts: {status}")
        # The identifier is taken: an earlier hand-off's.
        status, answer = await self._ask("GET", "/contacts/search", params={"q": identifier})
        if status != 200:
            raise ChatwootFailed(f"contacts/search: {status}")
        known = next((one for one in _read(_Contacts, answer).payload if one.identifier == identifier), None)
        if known is None:
            raise ChatwootFailed("contacts/search: not found")
        return known.id, self._source(known, None)

    async def opened(self, contact: int, attribute: str, value: str) -> int | None:
        """The number of that contact's conversation with this attribute, if there is one. Raises ChatwootFailed."""
        status, answer = await self._ask("GET", f"/contacts/{contact}/conversations")
        if status != 200:
            raise ChatwootFailed(f"contacts/conversations: {status}")
        found = _read(_Opened, answer).payload
        return next((one.id for one in found if (one.custom_attributes or {}).get(attribute) == value), None)

    async def conversation(self, contact: int, source: str, attributes: Mapping[str, str]) -> int:
        """Open one; its number. Raises ChatwootFailed."""
        body = {
            "source_id": source,
            "inbox_id": self._settings.inbox,
            "contact_id": contact,
            "status": "open",
            "custom_attributes": dict(attributes),
        }
        status, answer = await self._ask("POST", "/conversations", json=body)
        if status != 200:
            raise ChatwootFailed(f"conversations: {status}")
        return _read(_Numbered, answer).id

    async def say(self, number: int, text: str, tag: str, file: Attachment | None = None) -> None:
        """A citizen's message. Raises ChatwootFailed."""
        form: dict[str, Any] = {"content": text, "message_type": "incoming", "private": False, "source_id": tag}
        if file is None:
            status, _ = await self._ask("POST", f"/conversations/{number}/messages", json=form)
        else:
            data = aiohttp.FormData()
            for name, value in form.items():
                data.add_field(name, str(value).lower() if isinstance(value, bool) else value)
            data.add_field("attachments[]", file.content, filename=file.name, content_type=file.content_type)
            status, _ = await self._ask("POST", f"/conversations/{number}/messages", data=data)
        if status != 200:
            raise ChatwootFailed(f"messages: {status}")

    async def note(self, number: int, text: str, tag: str | None = None) -> None:
        """For agents only. Raises ChatwootFailed."""
        body = {"content": text, "message_type": "outgoing", "private": True} | ({"source_id": tag} if tag else {})
        status, _ = await self._ask("POST", f"/conversations/{number}/messages", json=body)
        if status != 200:
            raise ChatwootFailed(f"messages: {status}")

    async def mark(self, number: int, message: int, state: str, error: str | None) -> None:
        """How far an agent's message got: `sent`, `delivered`, `read` or `failed`. Raises ChatwootFailed, ChatwootRefused."""
        body = {"status": state} | ({"external_error": error} if error else {})
        status, _ = await self._ask("PATCH", f"/conversations/{number}/messages/{message}", json=body)
        if 400 <= status < 500 and status != 429:
            raise ChatwootRefused(f"message: {status}")
        if status != 200:
            raise ChatwootFailed(f"message: {status}")

    async def tags(self, number: int) -> Sequence[str]:
        """Of the last messages there: ours bear one, so that it can be seen whether one got through."""
        status, answer = await self._ask("GET", f"/conversations/{number}/messages")
        if status != 200:
            raise ChatwootFailed(f"messages: {status}")
        return [message.source_id for message in _read(_Messages, answer).payload if message.source_id]

    async def resolve(self, number: int) -> None:
        """Raises ChatwootFailed."""
        body = {"status": "resolved"}
        status, _ = await self._ask("POST", f"/conversations/{number}/toggle_status", json=body)
        # One that an agent deleted needs no more closing.
        if status not in (200, 404):
            raise ChatwootFailed(f"toggle_status: {status}")

    async def download(self, url: str) -> bytes:
        """An agent's attachment, from Chatwoot's own host. Raises ChatwootFailed."""
        if urlsplit(url)[:2] != urlsplit(self._settings.url)[:2]:
            raise ChatwootFailed("attachment: from elsewhere")
        try:
            async with self._session.get(url, timeout=_TIMEOUT) as response:
                if response.status != 200:
                    raise ChatwootFailed(f"attachment: {response.status}")
                content = await response.content.read(LARGEST_FILE + 1)
                while len(content) <= LARGEST_FILE and (more := await response.content.read(LARGEST_FILE)):
                    content += more
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ChatwootFailed(f"attachment: {type(error).__name__}") from None
        return content

    def _source(self, contact: _Contact, made: _OfInbox | None) -> str:
        of_ours = [one for one in contact.contact_inboxes if one.inbox and one.inbox.id == self._settings.inbox]
        for one in (*([made] if made else []), *of_ours):
            return one.source_id
        raise ChatwootFailed("contacts: no source id in our inbox")

    async def _ask(self, method: str, path: str, **content: Any) -> tuple[int, bytes]:
        try:
            async with self._session.request(
                method, self._root + path, headers=self._headers, timeout=_TIMEOUT, **content
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ChatwootFailed(f"{path.rsplit('/', maxsplit=1)[-1]}: {type(error).__name__}") from None


def _read(shape: type[_Shape], answer: bytes) -> _Shape:
    try:
        return shape.model_validate_json(answer)
    except ValidationError:
        raise ChatwootFailed("an answer that isn't as documented") from None
