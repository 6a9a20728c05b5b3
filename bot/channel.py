"""What a channel is: the seam between providers (WhatsApp, Telegram, the simulator) and the way of a message.

A channel splits a request's body into raw updates, which are stored before anything else happens; later it parses one of
them into a typed event, fetches files, and sends. It keeps no state and knows no table.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from identity import InvalidNumber, parse_phone

__all__ = [
    "PHONE",
    "Address",
    "AddressChange",
    "Capabilities",
    "Channel",
    "ChosenReply",
    "Contact",
    "Delivery",
    "DeliveryState",
    "Event",
    "FileReference",
    "Ignored",
    "Location",
    "Message",
    "Outgoing",
    "OutgoingFile",
    "SendFailed",
    "SendFailure",
    "Template",
    "Update",
]

PHONE = "phone"
"""the kind of an address that is a phone number, E.164"""
_CHOICE = re.compile(r"([0-9]{1,18}):([0-9]{1,3})")
_PHONE = re.compile(r"[0-9]{6,15}")


@dataclass(frozen=True)
class Address:
    """How a citizen is reached on a channel. WhatsApp knows one by `bsuid`, `phone` or both; Telegram by `chat`."""

    kind: str
    value: str


@dataclass(frozen=True)
class Update:
    """One raw update as it is stored. `external_id` is unique on its channel, so a redelivery is seen.

    `sender` holds every address the update names, best first; empty when it can't be told (a status, a malformed update).
    """

    external_id: str
    sender: Sequence[Address]
    sent_at: datetime | None
    body: Mapping[str, Any]

    @classmethod
    def unidentified(cls, part: object) -> Update:
        """A row for what bears no id of its provider's: known by its hash."""
        body = part if isinstance(part, Mapping) else {"malformed": part}
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return cls(f"sha256:{digest}", (), None, body)


@dataclass(frozen=True)
class ChosenReply:
    """A tapped button or list row: what the phone sends back is our `OUTBOX_ID:INDEX`."""

    outbox_id: int
    index: int
    title: str

    @classmethod
    def read(cls, data: str, title: str) -> ChosenReply | None:
        """None when `data` isn't ours: a template's own button, an old system's, a forged one."""
        found = _CHOICE.fullmatch(data)
        return cls(int(found[1]), int(found[2]), title) if found else None


@dataclass(frozen=True)
class FileReference:
    """A file at the provider; `reference` is what the provider wants to give it out (media id, file id)."""

    reference: str
    name: str
    content_type: str
    size: int | None
    caption: str | None = None


@dataclass(frozen=True)
class Location:
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Contact:
    """A shared contact card. `own` is false for somebody else's, which must not be taken for the sender's number."""

    phone: str
    """E.164"""
    own: bool

    @classmethod
    def read(cls, number: str, *, own: bool) -> Contact | None:
        """A provider writes numbers with the country's code, with or without `+`; a phone book may hold `0812-…`."""
        digits = re.sub(r"[\s().+-]", "", number)
        try:
            phone = parse_phone(digits) if digits.startswith("0") else "+" + digits
        except InvalidNumber:
            return None
        return cls(phone, own) if _PHONE.fullmatch(phone[1:]) else None


@dataclass(frozen=True)
class Message:
    """What a citizen sent. Exactly one of the contents is set, or `unsupported` names the kind (voice, sticker, …)."""

    text: str | None = None
    choice: ChosenReply | None = None
    file: FileReference | None = None
    location: Location | None = None
    contact: Contact | None = None
    unsupported: str | None = None
    edited: bool = False
    in_album: bool = False
    """one of several files sent at once, which come as messages of their own"""


class DeliveryState(enum.IntEnum):
    """Ordered: a delivery never moves backwards. FAILED counts only before DELIVERED."""

    QUEUED = 0
    SENT = 1
    FAILED = 2
    DELIVERED = 3
    READ = 4


@dataclass(frozen=True)
class Delivery:
    """A provider's word on a message of ours; `billable` where the provider says so."""

    provider_id: str
    state: DeliveryState
    at: datetime
    error_code: int | None = None
    error: str | None = None
    failure: SendFailure | None = None
    """of a FAILED one: a provider may accept a message and refuse it later, the closed window for one"""
    billable: bool | None = None
    tag: str | None = None
    """what `Outgoing.tag` was: tells which message it is when sending timed out and no provider id came back"""


@dataclass(frozen=True)
class AddressChange:
    """The provider gave a citizen a new address (WhatsApp `user_changed_user_id`, `user_changed_number`)."""

    old: Address
    new: Address


@dataclass(frozen=True)
class Ignored:
    """Not a message to answer (a reaction, a removed message, an account notice); the reason is kept for operators."""

    reason: str


Event = Message | Delivery | AddressChange | Ignored


@dataclass(frozen=True)
class OutgoingFile:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Template:
    """A message approved beforehand, the only kind WhatsApp takes outside its 24 hours."""

    name: str
    language: str
    parameters: Sequence[str]


@dataclass(frozen=True)
class Outgoing:
    """One bubble, already shaped to the channel's capabilities. `choices` are (`OUTBOX_ID:INDEX`, title)."""

    text: str
    choices: Sequence[tuple[str, str]] = ()
    file: OutgoingFile | None = None
    template: Template | None = None
    tag: str | None = None
    """ours, returned by the provider with each delivery where it can"""
    contact_choice: str | None = None
    """the choice that asks the phone for its own number"""


@dataclass(frozen=True)
class Capabilities:
    """What a channel can show. Lengths in characters. Replies are shaped to it in one place, `bot/shaping.py`."""

    text: int
    text_with_choices: int
    buttons: int
    """how many choices fit as buttons; more become a list if `rows` allows, else numbers in the text"""
    button_title: int
    rows: int
    row_title: int
    files: bool
    window: timedelta | None
    """how long after a citizen's last message free text may be sent; None = always"""
    pace: timedelta
    """pause between two messages to one person"""
    stale: timedelta
    """an older message is kept but not answered: it came late, after an outage"""
    asks_contact: bool = False
    """can ask a phone for its own number by a button"""
    billed: bool = False
    """each message costs money"""


class SendFailure(enum.Enum):
    RETRY = "retry"
    """try again later, this recipient only"""
    CHANNEL_BUSY = "channel_busy"
    """the whole channel must pause"""
    UNKNOWN = "unknown"
    """timed out: it may have been sent, and the provider knows no idempotency key"""
    WINDOW_CLOSED = "window_closed"
    """outside the window: a template, or wait for the citizen"""
    RECIPIENT = "recipient"
    """can't be reached: blocked, no account"""
    PAYLOAD = "payload"
    """our mistake; no retry"""
    OPERATOR = "operator"
    """token, payment, policy: nothing can be sent until an operator acts; the queue is kept"""


@dataclass
class SendFailed(Exception):
    failure: SendFailure
    code: int | None
    detail: str
    retry_after: timedelta | None = None


class Channel(Protocol):
    name: str
    capabilities: Capabilities

    def split(self, body: Mapping[str, Any]) -> list[Update]:
        """Every update of a verified request. Never raises on an odd update: it becomes a row of its own."""
        ...

    def parse(self, update: Mapping[str, Any]) -> Event:
        """One stored update's meaning. Raises ValueError when it isn't shaped as its provider promises."""
        ...

    async def download(self, file: FileReference) -> bytes:
        """Raises SendFailed (RETRY or RECIPIENT) when it can't be had."""
        ...

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        """Send and give the provider's id. Raises SendFailed."""
        ...

    async def acknowledge(self, update: Mapping[str, Any], answered: asyncio.Event | None = None) -> None:
        """Show that the message was read and an answer is being typed; not where `answered` is set soon enough that nobody
        would see it. Best effort, never raises.
        """
        ...
