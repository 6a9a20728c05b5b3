"""What WhatsApp sends, as far as we read it: the rest of a message may change without breaking ours."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from identity import redact

__all__ = [
    "Change",
    "Content",
    "Interactive",
    "Media",
    "Pricing",
    "ReceivedMessage",
    "Reply",
    "Status",
    "UserIdUpdate",
    "Value",
]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Text(Part):
    body: str


class Media(Part):
    id: str
    mime_type: str
    caption: str | None = None
    filename: str | None = None
    voice: bool = False


class Place(Part):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Reply(Part):
    id: str
    title: str


class Interactive(Part):
    type: str
    button_reply: Reply | None = None
    list_reply: Reply | None = None


class Button(Part):
    text: str
    payload: str = ""


class Phone(Part):
    phone: str | None = None
    wa_id: str | None = None


class Card(Part):
    phones: list[Phone] = []
    origin: str | None = None


class System(Part):
    type: str
    body: str = ""
    wa_id: str | None = None
    user_id: str | None = None
    previous_user_id: str | None = None


class Details(Part):
    details: str | None = None


class Error(Part):
    code: int
    title: str = ""
    message: str = ""
    error_data: Details | None = None

    @property
    def text(self) -> str:
        return redact((self.error_data and self.error_data.details) or self.message or self.title)


class Unsupported(Part):
    type: str | None = None


class Content(Part):
    """A message, or what an edited one has become."""

    type: str
    text: Text | None = None
    image: Media | None = None
    document: Media | None = None
    audio: Media | None = None
    location: Place | None = None
    contacts: list[Card] = []
    origin: str | None = None
    interactive: Interactive | None = None
    button: Button | None = None
    system: System | None = None
    unsupported: Unsupported | None = None
    errors: list[Error] = []
    group_id: str | None = None


class Edit(Part):
    message: Content


class ReceivedMessage(Content):
    sender: str | None = Field(None, alias="from")
    edit: Edit | None = None


class Pricing(Part):
    billable: bool | None = None
    type: str | None = None


class Status(Part):
    id: str
    status: str
    timestamp: str
    errors: list[Error] = []
    pricing: Pricing | None = None
    biz_opaque_callback_data: str | None = None


class Metadata(Part):
    phone_number_id: str


class Value(Part):
    metadata: Metadata
    contacts: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    statuses: list[Status] = []
    errors: list[Error] = []


class Ids(Part):
    previous: str
    current: str


class UserIdUpdate(Part):
    user_id: Ids


class Change(Part):
    field: str
    value: dict[str, Any]
