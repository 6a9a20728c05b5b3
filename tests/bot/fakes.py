"""A channel on paper, and the clock that the room goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channel import (
    Address,
    AddressChange,
    Capabilities,
    ChosenReply,
    Contact,
    Delivery,
    DeliveryState,
    Event,
    FileReference,
    Ignored,
    Message,
    Outgoing,
    SendFailure,
    Update,
)

__all__ = ["Clock", "PaperChannel", "Posted", "update"]

WHATSAPP_LIKE = Capabilities(
    text=4096,
    text_with_choices=1024,
    buttons=3,
    button_title=20,
    rows=10,
    row_title=24,
    files=True,
    window=timedelta(hours=24),
    pace=timedelta(milliseconds=1),
    stale=timedelta(hours=12),
)


class Clock:
    """Goes on by itself until it is stopped, and can be moved forward."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)
        self._stopped: datetime | None = None

    def __call__(self) -> datetime:
        return (self._stopped or datetime.now(UTC)) + self._ahead

    def stop(self) -> None:
        """From now on only `advance` moves it: however long the test takes, no pause runs out by itself."""
        self._stopped = datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        self._ahead += by


@dataclass(frozen=True)
class Posted:
    to: Sequence[Address]
    message: Outgoing
    provider_id: str


@dataclass
class PaperChannel:
    """Named like WhatsApp, since that is what the room's rules about windows and bills are about."""

    name: str = "whatsapp"
    capabilities: Capabilities = WHATSAPP_LIKE
    posted: list[Posted] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    """raised by the next sendings, one each"""
    files: dict[str, bytes | Exception] = field(default_factory=dict)
    downloads: int = 0
    acknowledged: list[Mapping[str, Any]] = field(default_factory=list)
    before_sending: Callable[[], Any] | None = None
    before_downloading: Callable[[], Any] | None = None

    def limit(self, **limits: Any) -> None:
        self.capabilities = replace(self.capabilities, **limits)

    def texts(self) -> list[str]:
        return [posted.message.text for posted in self.posted]

    def split(self, body: Mapping[str, Any]) -> list[Update]:
        return [update(**part) for part in body["updates"]]

    def parse(self, body: Mapping[str, Any]) -> Event:
        match body["kind"]:
            case "text":
                return Message(text=body["text"], edited=body.get("edited", False))
            case "choice":
                return Message(choice=ChosenReply.read(body["data"], body["title"]))
            case "file":
                file = FileReference(body["file"], "kk.jpg", "image/jpeg", body.get("size"), "ini KK")
                return Message(file=file, in_album=body.get("in_album", False))
            case "contact":
                return Message(contact=Contact("+628123450000", own=body["own"]))
            case "unsupported":
                return Message(unsupported=body["what"])
            case "reaction":
                return Ignored("reaksi")
            case "status":
                return Delivery(
                    body["provider_id"],
                    DeliveryState[body["state"]],
                    datetime.now(UTC),
                    error_code=body.get("code") if body["state"] == "FAILED" else None,
                    failure=body.get("failure") and SendFailure(body["failure"]),
                    billable=body.get("billable"),
                    tag=body.get("tag"),
                )
            case "moved":
                return AddressChange(Address("bsuid", body["old"]), Address("bsuid", body["new"]))
        raise ValueError("unknown kind")

    async def download(self, file: FileReference) -> bytes:
        self.downloads += 1
        if self.before_downloading is not None:
            await self.before_downloading()
        content = self.files[file.reference]
        if isinstance(content, Exception):
            raise content
        return content

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        if self.before_sending is not None:
            await self.before_sending()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        posted = Posted(to, message, f"wamid.{len(self.posted)}")
        self.posted.append(posted)
        return posted.provider_id

    async def acknowledge(self, body: Mapping[str, Any], answered: asyncio.Event | None = None) -> None:
        self.acknowledged.append(body)


def update(
    external_id: str,
    *,
    bsuid: str | None = "ID.1",
    phone: str | None = None,
    sent_at: datetime | None = None,
    kind: str = "text",
    **body: Any,
) -> Update:
    """One update; `ID.1` sends it unless told otherwise."""
    sender = [Address("bsuid", bsuid)] if bsuid else []
    sender += [Address("phone", phone)] if phone else []
    return Update(external_id, sender, sent_at, {"kind": kind, **body})
