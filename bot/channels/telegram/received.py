"""What Telegram sends, as far as we read it.

Not the library's `Update.de_json`: it checks no type, and an unfamiliar part anywhere in a message loses the whole of it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CallbackQuery", "Document", "MembershipChange", "Message", "Photo", "Update"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Chat(_Part):
    id: int
    type: str


class User(_Part):
    id: int
    is_bot: bool = False


class Photo(_Part):
    """One of several sizes of the same picture, all JPEG."""

    file_id: str
    width: int
    height: int
    file_size: int | None = None


class Document(_Part):
    file_id: str
    file_name: str | None = None
    mime_type: str = "application/octet-stream"
    file_size: int | None = None


class Place(_Part):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Card(_Part):
    phone_number: str
    user_id: int | None = None


class Message(_Part):
    chat: Chat
    sender: User | None = Field(None, alias="from")
    text: str | None = None
    caption: str | None = None
    photo: list[Photo] = []
    document: Document | None = None
    location: Place | None = None
    contact: Card | None = None
    media_group_id: str | None = None


class Button(_Part):
    text: str
    callback_data: str | None = None


class Keyboard(_Part):
    inline_keyboard: list[list[Button]] = []


class Asked(_Part):
    """The message a button stood under; without its keyboard when it has become inaccessible."""

    chat: Chat
    reply_markup: Keyboard = Keyboard()


class CallbackQuery(_Part):
    id: str
    data: str | None = None
    message: Asked | None = None


class Membership(_Part):
    status: str


class MembershipChange(_Part):
    chat: Chat
    new_chat_member: Membership


class Update(_Part):
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: MembershipChange | None = None
