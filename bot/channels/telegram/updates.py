"""One update of Telegram's: who sent it, and what it means. Only private chats are a citizen's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot import channel
from bot.channel import Address, ChosenReply, Contact, Event, FileReference, Ignored, Location
from bot.channels.telegram.received import CallbackQuery, Document, MembershipChange, Message, Photo, Update

__all__ = ["ALLOWED", "LARGEST_FILE", "UNSUPPORTED", "parse", "split"]

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
"""What to ask Telegram for; left out, it would go on sending what an earlier call had asked for."""
LARGEST_FILE = 16 * 1024 * 1024

_UNSUPPORTED = (
    # an animation is a document too, for old clients
    *("animation", "audio", "checklist", "dice", "game", "invoice", "paid_media", "poll", "sticker", "story"),
    *("video", "video_note", "voice"),
)
_SERVICE = {
    *("boost_added", "chat_background_set", "chat_shared", "connected_website", "gift", "giveaway", "giveaway_created"),
    *("giveaway_completed", "giveaway_winners", "message_auto_delete_timer_changed", "passport_data", "pinned_message"),
    *("proximity_alert_triggered", "refunded_payment", "successful_payment", "unique_gift", "users_shared"),
    *("web_app_data", "write_access_allowed"),
}
UNSUPPORTED = frozenset({*_UNSUPPORTED, "contact", "unsupported"})
"""every `Message.unsupported` that is ours to name"""
_GREETING = "halo"


def split(body: Mapping[str, Any]) -> list[channel.Update]:
    """Telegram brings one update at a time."""
    update_id = body.get("update_id")
    if not isinstance(update_id, int) or isinstance(update_id, bool) or not 0 <= update_id < 2**63:
        return [channel.Update.unidentified(body)]
    return [channel.Update(str(update_id), _sender(body), _sent_at(body), body)]


def parse(update: Mapping[str, Any]) -> Event:
    """Raises ValueError, without a word of what the citizen wrote."""
    received = Update.model_validate(update)
    if received.callback_query:
        return _choice(received.callback_query)
    if received.my_chat_member:
        return _membership(received.my_chat_member)
    if received.message:
        return _message(received.message, update["message"], edited=False)
    if received.edited_message:
        return _message(received.edited_message, update["edited_message"], edited=True)
    kinds = sorted(str(key) for key in update if key != "update_id")
    if not kinds:
        raise ValueError("the update holds nothing")
    return Ignored(f"pembaruan {kinds[0]}")


def _sender(body: Mapping[str, Any]) -> tuple[Address, ...]:
    message = _part(body, "message") or _part(body, "edited_message") or _part(_part(body, "callback_query"), "message")
    chat = _part(message, "chat")
    if chat.get("type") != "private" or not isinstance(chat.get("id"), int) or isinstance(chat.get("id"), bool):
        return ()
    return (Address("chat", str(chat["id"])),) if 0 < chat["id"] < 2**53 else ()


def _sent_at(body: Mapping[str, Any]) -> datetime | None:
    """Unknown for a tap: the date in it is that of our own message."""
    message = _part(body, "message") or _part(body, "edited_message")
    seconds = message.get("edit_date", message.get("date"))
    if not isinstance(seconds, int) or not 0 < seconds < 10**11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _part(whole: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = whole.get(key)
    return part if isinstance(part, Mapping) else {}


def _message(message: Message, raw: Mapping[str, Any], *, edited: bool) -> Event:
    if message.chat.type != "private":
        return Ignored("pesan grup")
    if message.sender and message.sender.is_bot:
        return Ignored("pesan bot")
    unsupported = next((kind for kind in _UNSUPPORTED if kind in raw), None)
    if unsupported:
        return channel.Message(unsupported=unsupported, edited=edited)
    if message.text is not None:
        return channel.Message(text=_text(message.text), edited=edited)
    if message.photo:
        return _sent(_photo(message.photo, message.caption), message, edited=edited)
    if message.document:
        return _sent(_document(message.document, message.caption), message, edited=edited)
    if message.location:
        return _location(message, edited=edited)
    if message.contact:
        return _contact(message)
    if _SERVICE & raw.keys():
        return Ignored("pesan layanan")
    return channel.Message(unsupported="unsupported", edited=edited)


def _text(text: str) -> str:
    """The button every chat with a bot begins with sends `/start`, or `/start PAYLOAD` from a link."""
    return _GREETING if text.split(maxsplit=1)[:1] == ["/start"] else text


def _sent(file: FileReference, message: Message, *, edited: bool) -> channel.Message:
    return channel.Message(file=file, edited=edited, in_album=message.media_group_id is not None)


def _photo(sizes: list[Photo], caption: str | None) -> FileReference:
    small_enough = [size for size in sizes if (size.file_size or 0) <= LARGEST_FILE] or sizes
    largest = max(small_enough, key=lambda size: size.width * size.height)
    return FileReference(largest.file_id, "foto.jpg", "image/jpeg", largest.file_size, caption)


def _document(document: Document, caption: str | None) -> FileReference:
    name = document.file_name or "dokumen"
    return FileReference(document.file_id, name, document.mime_type.lower(), document.file_size, caption)


def _location(message: Message, *, edited: bool) -> Event:
    """A live location is edited at every step; only where it began counts. A venue comes with its location."""
    if edited or message.location is None:
        return Ignored("lokasi langsung bergeser")
    return channel.Message(location=Location(message.location.latitude, message.location.longitude))


def _contact(message: Message) -> Event:
    card, sender = message.contact, message.sender
    own = bool(card and sender and card.user_id == sender.id)
    contact = Contact.read(card.phone_number, own=own) if card else None
    return channel.Message(contact=contact) if contact else channel.Message(unsupported="contact")


def _choice(tap: CallbackQuery) -> Event:
    if tap.message is None or tap.message.chat.type != "private":
        return Ignored("tombol di luar percakapan pribadi")
    buttons = [button for row in tap.message.reply_markup.inline_keyboard for button in row]
    title = next((button.text for button in buttons if button.callback_data == tap.data), "")
    choice = ChosenReply.read(tap.data or "", title)
    return channel.Message(choice=choice) if choice else Ignored("tombol yang bukan milik kami")


def _membership(change: MembershipChange) -> Event:
    if change.chat.type != "private":
        return Ignored("keanggotaan grup")
    return Ignored("warga memblokir bot" if change.new_chat_member.status == "kicked" else "warga membuka bot")
