"""Sending and fetching by the Graph API."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

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
from bot.channels.whatsapp import events, webhook
from bot.channels.whatsapp import payloads as graph
from bot.channels.whatsapp.failures import PAIR_RATE, refusal
from bot.channels.whatsapp.message_id import kept_id

__all__ = ["WhatsApp", "WhatsAppSettings"]

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5, sock_read=20)
_ACKNOWLEDGE_TIMEOUT = aiohttp.ClientTimeout(total=5)
_LARGEST_DOWNLOAD = 16 * 1024 * 1024
_LONGEST_PAIR_PAUSE = timedelta(minutes=5)
_CHUNK = 64 * 1024
_MEDIA_ID = re.compile(r"[0-9A-Za-z_-]{1,200}")
"""it becomes part of an address"""
_MEDIA_HOSTS = (".fbsbx.com", ".fbcdn.net", ".whatsapp.net")
"""of Meta's, beside the Graph API's own host; the address comes with our token, and whatever it answers becomes a file"""
_MOST_REDIRECTS = 3


@dataclass(frozen=True)
class WhatsAppSettings:
    token: str
    phone_number_id: str
    app_secret: str
    verify_token: str
    api_url: str = "https://graph.facebook.com"
    api_version: str = "v26.0"
    window_template: tuple[str, str] | None = None
    """name and language of the approved template for notifications outside the window; its one parameter is the text"""
    open_list: str = "Pilih"
    """on the button that opens a list, at most 20 characters"""
    list_title: str = "Pilihan"
    """at most 24 characters"""


class WhatsApp:
    """A `Channel`. What it remembers between calls is only how long to leave a person alone after error 131056."""

    name = "whatsapp"
    capabilities = Capabilities(
        text=graph.TEXT,
        text_with_choices=graph.TEXT_WITH_BUTTONS,
        buttons=graph.BUTTONS,
        button_title=graph.BUTTON_TITLE,
        rows=graph.ROWS,
        row_title=graph.ROW_TITLE,
        files=True,
        window=timedelta(hours=24),
        # One in six seconds to a person, but up to 45 may go at once and are paid back later: a pause of six would keep a
        # citizen waiting for the second bubble. Who goes too far gets 131056 and waits.
        pace=timedelta(seconds=1),
        stale=timedelta(hours=12),
        billed=True,
    )

    def __init__(self, settings: WhatsAppSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._root = f"{settings.api_url.rstrip('/')}/{settings.api_version}"
        self._number = f"{self._root}/{settings.phone_number_id}"
        self._headers = {"Authorization": f"Bearer {settings.token}"}
        self._pressed: Counter[str] = Counter()

    def split(self, body: Mapping[str, Any]) -> list[Update]:
        return webhook.split(body, self._settings.phone_number_id)

    def parse(self, update: Mapping[str, Any]) -> Event:
        return events.parse(update, self._settings.phone_number_id)

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        """What can't stand under its file (a long text, a list) follows it as a message of its own, whose id is returned."""
        address = next((address for address in to if address.kind in ("bsuid", "phone")), None)
        if address is None:
            raise SendFailed(SendFailure.RECIPIENT, None, "no BSUID and no phone number to send to")
        media = await self._upload(message.file) if message.file and not message.template else None
        if media and not graph.fits_under_file(message):
            await self._send(address, Outgoing(text="", file=message.file), media)
            media = None
        return await self._send(address, message, media)

    async def download(self, file: FileReference) -> bytes:
        """At most 16 MB. Raises SendFailed: RETRY, or RECIPIENT when it has to be sent again (too large, gone)."""
        for _ in range(2):
            described = await self._describe(file.reference)
            content = await self._fetch(str(described.get("url")))
            if content is not None and _intact(content, described.get("sha256")):
                return content
        raise SendFailed(SendFailure.RETRY, None, "the file's address was stale or its content broken, twice")

    async def acknowledge(self, update: Mapping[str, Any], answered: asyncio.Event | None = None) -> None:
        """Blue ticks, also on earlier messages, and "sedang mengetik…" for 25 seconds or until the answer."""
        if answered is not None and answered.is_set():
            return
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, KeyError, TypeError, IndexError):
            message = update["value"]["messages"][0]["id"]
            seen = {"messaging_product": "whatsapp", "status": "read", "message_id": message}
            payload = seen | {"typing_indicator": {"type": "text"}}
            async with self._session.post(
                f"{self._number}/messages", json=payload, headers=self._headers, timeout=_ACKNOWLEDGE_TIMEOUT
            ):
                pass

    async def token_ends(self) -> datetime | None:
        """None: never, or Meta doesn't say."""
        with contextlib.suppress(SendFailed, TypeError, ValueError, OverflowError):
            told = await self._call("GET", f"{self._root}/debug_token", params={"input_token": self._settings.token})
            data = told.get("data")
            if isinstance(data, Mapping) and (ends := int(data.get("expires_at") or 0)):
                return datetime.fromtimestamp(ends, UTC)
        return None

    async def _send(self, to: Address, message: Outgoing, media: str | None) -> str:
        content = graph.content(
            message, media, open_list=self._settings.open_list, list_title=self._settings.list_title
        )
        try:
            answer = await self._call(
                "POST", f"{self._number}/messages", json=graph.envelope(to, message.tag) | content
            )
        except SendFailed as failed:
            if failed.code != PAIR_RATE:
                raise
            self._pressed[to.value] += 1
            raise replace(failed, retry_after=_pair_pause(self._pressed[to.value])) from None
        self._pressed.pop(to.value, None)
        try:
            return kept_id(str(answer["messages"][0]["id"]))
        except (KeyError, TypeError, IndexError):
            raise SendFailed(SendFailure.UNKNOWN, None, "WhatsApp took the message but gave no id") from None

    async def _upload(self, file: OutgoingFile) -> str:
        """The id lives for 30 days. Nothing was sent yet, so what goes wrong here may always be tried again."""
        form = aiohttp.FormData({"messaging_product": "whatsapp"})
        form.add_field("file", io.BytesIO(file.content), filename=file.name, content_type=file.content_type)
        try:
            return str((await self._call("POST", f"{self._number}/media", data=form))["id"])
        except KeyError:
            raise SendFailed(SendFailure.RETRY, None, "WhatsApp took the file but gave no id") from None
        except SendFailed as failed:
            raise _sent_nothing(failed) from None

    async def _describe(self, media: str) -> Mapping[str, Any]:
        """Its address, valid for five minutes, and its SHA-256."""
        if not _MEDIA_ID.fullmatch(media):
            raise SendFailed(SendFailure.RECIPIENT, None, "no id of a file")
        try:
            return await self._call(
                "GET", f"{self._root}/{media}", params={"phone_number_id": self._settings.phone_number_id}
            )
        except SendFailed as failed:
            gone = failed.failure is SendFailure.PAYLOAD
            raise replace(failed, failure=SendFailure.RECIPIENT if gone else SendFailure.RETRY) from None

    async def _fetch(self, url: str) -> bytes | None:
        """None when the address is stale."""
        for _ in range(_MOST_REDIRECTS):
            content = await self._fetch_here(url)
            if not isinstance(content, str):
                return content
            url = _leading(url, content)
        raise SendFailed(SendFailure.RETRY, None, "a file's address leads in circles")

    async def _fetch_here(self, url: str) -> bytes | str | None:
        """Where else it is, as a text; None when the address is stale."""
        if not self._is_metas(url):
            raise SendFailed(SendFailure.RECIPIENT, None, "a file's address isn't Meta's")
        try:
            async with self._session.get(
                url, headers=self._headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                if response.status == 404:
                    return None
                if response.status in (301, 302, 303, 307, 308):
                    return response.headers.get("Location", "")
                if response.status != 200:
                    raise SendFailed(SendFailure.RETRY, None, f"HTTP {response.status} for a file")
                content = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK):
                    content += chunk
                    if len(content) > _LARGEST_DOWNLOAD:
                        raise SendFailed(SendFailure.RECIPIENT, None, "the file is larger than 16 MB")
                return bytes(content)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SendFailed(SendFailure.RETRY, None, type(error).__name__) from None

    def _is_metas(self, url: str) -> bool:
        """A host that resolves to an address of ours has another name than these."""
        graph = urlsplit(self._settings.api_url)
        try:
            address = urlsplit(url)
            host = address.hostname or ""
        except ValueError:
            return False
        if (address.scheme, host) == (graph.scheme, graph.hostname):
            return True
        return address.scheme == "https" and host.endswith(_MEDIA_HOSTS)

    async def _call(self, method: str, url: str, **request: Any) -> Mapping[str, Any]:
        """Raises SendFailed; UNKNOWN when the request may have been carried out."""
        try:
            async with self._session.request(
                method, url, headers=self._headers, timeout=_TIMEOUT, **request
            ) as response:
                status, body = response.status, _json(await response.read())
                retry_after = _seconds(response.headers.get("Retry-After"))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise SendFailed(SendFailure.RETRY, None, type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SendFailed(SendFailure.UNKNOWN, None, type(error).__name__) from None
        if status >= 300:
            raise refusal(status, body, retry_after=retry_after)
        return body if isinstance(body, dict) else {}


def _leading(from_: str, location: str) -> str:
    try:
        return urljoin(from_, location)
    except ValueError:
        return location


def _pair_pause(refusals: int) -> timedelta:
    """4, 16, 64, 256 … seconds, as Meta asks."""
    return min(timedelta(seconds=4 ** min(refusals, 10)), _LONGEST_PAIR_PAUSE)


def _sent_nothing(failed: SendFailed) -> SendFailed:
    return replace(failed, failure=SendFailure.RETRY) if failed.failure is SendFailure.UNKNOWN else failed


def _intact(content: bytes, sha256: object) -> bool:
    """Meta writes the hash in hex or in base64, depending on the page."""
    digest = hashlib.sha256(content)
    return sha256 is None or sha256 in (digest.hexdigest(), base64.b64encode(digest.digest()).decode())


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _seconds(header: str | None) -> timedelta | None:
    return (
        timedelta(seconds=int(header)) if header and header.isascii() and header.isdigit() and len(header) < 6 else None
    )
