"""What one update of WhatsApp's means (Meta, webhooks/reference/messages)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bot.channel import (
    Address,
    AddressChange,
    ChosenReply,
    Contact,
    Delivery,
    DeliveryState,
    Event,
    FileReference,
    Ignored,
    Location,
    Message,
)
from bot.channels.whatsapp.addresses import bsuid_address, phone_address, sender_addresses
from bot.channels.whatsapp.failures import CODES
from bot.channels.whatsapp.message_id import kept_id
from bot.channels.whatsapp.received import (
    Change,
    Content,
    Interactive,
    Media,
    Pricing,
    ReceivedMessage,
    Reply,
    Status,
    UserIdUpdate,
    Value,
)
from bot.channels.whatsapp.webhook import moment

__all__ = ["UNSUPPORTED", "parse"]

_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "played": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}
_UNSUPPORTED_NAMES = {
    "poll_creation": "poll",
    "errors": "unavailable",
    "media_placeholder": "media",
    "interactive": "form",
    "list": "form",
}
_UNSUPPORTED_CODES = {131052: "media", 131060: "unavailable"}
_NOT_A_MESSAGE = {"edit", "keep_in_chat", "pin", "poll_update", "reaction"}
_UNSUPPORTED_TYPES = ("button", "gif", "group_invite", "hsm", "image", "link_preview", "location", "order", "product")
"""of `unsupported.type`, which we pass on by their own names"""
UNSUPPORTED = frozenset(
    {
        *("audio", "contact", "form", "order", "sticker", "unsupported", "video", "voice"),
        *_UNSUPPORTED_NAMES.values(),
        *_UNSUPPORTED_CODES.values(),
        *_UNSUPPORTED_TYPES,
    }
)
"""every `Message.unsupported` that Meta documents or is ours to name; a new type goes by its own name"""
_GREETING = "halo"
_T = TypeVar("_T")
_OLD_BSUID = re.compile(r"changed from (\S+) to \S+$")


def parse(update: Mapping[str, Any], phone_number_id: str) -> Event:
    """The meaning of an update as `split` made it. Raises ValueError, without a word of what the citizen wrote."""
    change = Change.model_validate(update)
    if change.field == "user_id_update":
        return _user_id_update(change.value.get("user_id_update"))
    if change.field != "messages":
        return Ignored(f"pemberitahuan {change.field}")
    value = Value.model_validate(change.value)
    if value.metadata.phone_number_id != phone_number_id:
        return Ignored("bukan nomor kami")
    if value.messages:
        contact = value.contacts[0] if value.contacts else {}
        return _message(ReceivedMessage.model_validate(value.messages[0]), sender_addresses(value.messages[0], contact))
    if value.statuses:
        return _delivery(value.statuses[0])
    if value.errors:
        return Ignored(f"galat WhatsApp {value.errors[0].code}: {value.errors[0].text}")
    raise ValueError("the update holds no message, status or error")


def _message(message: ReceivedMessage, sender: Sequence[Address]) -> Event:
    if message.group_id:
        return Ignored("pesan grup")
    match message.type:
        case "system":
            return _address_change(message)
        case "edit":
            return _content(_required(message.edit).message, sender, edited=True)
        case "reaction":
            return Ignored("reaksi")
        case "revoke":
            return Ignored("pesan dihapus pengirimnya")
        case _:
            return _content(message, sender, edited=False)


def _content(content: Content, sender: Sequence[Address], *, edited: bool) -> Event:
    if content.errors or content.type == "unsupported":
        return _unsupported(content, edited=edited)
    match content.type:
        case "text":
            return Message(text=_required(content.text).body, edited=edited)
        case "image":
            return Message(file=_file(_required(content.image), "foto"), edited=edited)
        case "document":
            return Message(file=_file(_required(content.document), "dokumen"), edited=edited)
        case "location":
            place = _required(content.location)
            return Message(location=Location(place.latitude, place.longitude), edited=edited)
        case "contacts":
            return _contact(content, sender)
        case "interactive":
            return _interactive(_required(content.interactive))
        case "button":
            button = _required(content.button)
            return _reply(Reply(id=button.payload, title=button.text))
        case "request_welcome":
            return Message(text=_GREETING)
        case "audio":
            return Message(unsupported="voice" if _required(content.audio).voice else "audio", edited=edited)
        case kind:
            return Message(unsupported=kind, edited=edited)


def _file(media: Media, name: str) -> FileReference:
    content_type = media.mime_type.partition(";")[0].strip().lower()
    name = media.filename or name + (mimetypes.guess_extension(content_type) or "")
    return FileReference(media.id, name, content_type, None, media.caption)


def _interactive(interactive: Interactive) -> Event:
    match interactive.type:
        case "button_reply":
            return _reply(_required(interactive.button_reply))
        case "list_reply":
            return _reply(_required(interactive.list_reply))
        case "nfm_reply":
            return Message(unsupported="form")
        case "call_permission_reply":
            return Ignored("izin menelepon")
        case kind:
            return Message(unsupported=kind)


def _reply(reply: Reply) -> Message:
    """A button of ours; any other counts as if its title had been typed."""
    choice = ChosenReply.read(reply.id, reply.title)
    return Message(choice=choice) if choice else Message(text=reply.title)


def _contact(content: Content, sender: Sequence[Address]) -> Message:
    """The sender's own number among the shared ones, else the first."""
    shared = list(_shared(content, sender))
    if not shared:
        return Message(unsupported="contact")
    return Message(contact=next((contact for contact in shared if contact.own), shared[0]))


def _shared(content: Content, sender: Sequence[Address]) -> Iterator[Contact]:
    """`origin` is WhatsApp's word that the citizen gave the own number we had asked for; Meta's pages put it in either place."""
    for card in content.contacts:
        asked = "contact_request" in (content.origin, card.origin)
        for phone in card.phones:
            address = phone_address(phone.wa_id)
            contact = Contact.read(address.value if address else phone.phone or "", own=asked or address in sender)
            if contact:
                yield contact


def _unsupported(content: Content, *, edited: bool) -> Event:
    kind = content.unsupported.type if content.unsupported else None
    if kind in _NOT_A_MESSAGE:
        return Ignored(f"{kind} yang tidak disampaikan WhatsApp")
    code = content.errors[0].code if content.errors else 0
    name = _UNSUPPORTED_NAMES.get(kind, kind) if kind else _UNSUPPORTED_CODES.get(code, content.type)
    return Message(unsupported=name, edited=edited)


def _address_change(message: ReceivedMessage) -> Event:
    system = _required(message.system)
    if system.type == "user_changed_number":
        return _changed(phone_address(message.sender), phone_address(system.wa_id))
    if system.type == "user_changed_user_id":
        told = _OLD_BSUID.search(system.body)
        return _changed(bsuid_address(system.previous_user_id or (told and told[1])), bsuid_address(system.user_id))
    return Ignored(f"pemberitahuan {system.type}")


def _user_id_update(update: object) -> Event:
    """Meta's example shows an object, other captures a list of one."""
    ids = UserIdUpdate.model_validate(update[0] if isinstance(update, list) and update else update).user_id
    return _changed(bsuid_address(ids.previous), bsuid_address(ids.current))


def _changed(old: Address | None, new: Address | None) -> AddressChange:
    return AddressChange(_required(old), _required(new))


def _delivery(status: Status) -> Event:
    if status.status not in _STATES:
        return Ignored(f"status {status.status}")
    error = status.errors[0] if status.errors else None
    return Delivery(
        provider_id=kept_id(status.id),
        state=_STATES[status.status],
        at=moment(status.timestamp),
        error_code=error.code if error else None,
        error=error.text if error else None,
        failure=CODES.get(error.code) if error else None,
        billable=_billable(status.pricing) if status.pricing else None,
        tag=status.biz_opaque_callback_data,
    )


def _billable(pricing: Pricing) -> bool | None:
    """`billable` is to go; `type` then tells: `regular`, or one of the free ones."""
    if pricing.billable is None and pricing.type is not None:
        return pricing.type == "regular"
    return pricing.billable


def _required(part: _T | None) -> _T:
    if part is None:
        raise ValueError("the message lacks what its type promises")
    return part
