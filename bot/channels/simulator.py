"""The simulator: a phone in the browser and in `praja chat`, a channel like the two real ones."""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channel import (
    Address,
    Capabilities,
    ChosenReply,
    Contact,
    Event,
    FileReference,
    Location,
    Message,
    Outgoing,
    SendFailed,
    SendFailure,
    Update,
)

__all__ = ["Simulator"]


class Simulator:
    name = "simulator"
    capabilities = Capabilities(
        text=4096,
        text_with_choices=4096,
        buttons=10,
        button_title=60,
        rows=0,
        row_title=0,
        files=True,
        window=None,
        pace=timedelta(0),
        stale=timedelta(hours=12),
    )

    @staticmethod
    def address(sender: str) -> Address:
        return Address("sender", sender)

    def split(self, body: Mapping[str, Any]) -> list[Update]:
        return [
            Update(
                external_id=str(body["id"]),
                sender=(self.address(str(body["sender"])),),
                sent_at=datetime.fromtimestamp(body["at"], UTC),
                body=body,
            )
        ]

    def parse(self, update: Mapping[str, Any]) -> Event:
        """The body is what `bot/simulator.py` has checked."""
        match update:
            case {"choice": str(data)}:
                chosen = ChosenReply.read(data, str(update.get("title") or ""))
                return Message(choice=chosen) if chosen else Message(text=str(update.get("title") or data))
            case {"file": {"name": str(name), "content_type": str(content_type), "size": int(size), "data": str(data)}}:
                # The content itself is the reference: there is no other place to fetch it from.
                caption = update.get("text")
                return Message(file=FileReference(data, name, content_type, size, str(caption) if caption else None))
            case {"location": {"lat": float() | int() as latitude, "lon": float() | int() as longitude}}:
                return Message(location=Location(latitude, longitude))
            case {"contact": {"phone": str(phone)} as contact}:
                return Message(contact=Contact(phone, own=contact.get("own", True) is True))
            case {"text": str(text)}:
                return Message(text=text)
        raise ValueError("not a message of the simulator")

    async def download(self, file: FileReference) -> bytes:
        try:
            return base64.b64decode(file.reference, validate=True)
        except binascii.Error:
            raise SendFailed(SendFailure.RECIPIENT, None, "not base64") from None

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        """Nothing leaves: the page reads the outbox."""
        return f"simulator:{message.tag or uuid.uuid4().hex}"

    async def acknowledge(self, update: Mapping[str, Any], answered: asyncio.Event | None = None) -> None:
        return
