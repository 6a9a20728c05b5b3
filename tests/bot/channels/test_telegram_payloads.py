"""Every kind of update Telegram documents, and some it doesn't: `tests/data/telegram/`, one file per case."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Address, ChosenReply, Contact, Event, FileReference, Ignored, Location, Message, Update
from bot.channels.telegram import updates, verify_secret

_DATA = Path(__file__).parents[2] / "data" / "telegram"
_AT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
_CITIZEN = [Address("chat", "5001")]

Row = tuple[str, list[Address], Event | None]
"""external id ("#": a hash), sender, event (None: ValueError)"""


def _sent(event: Event | None, update_id: str = "900001") -> Row:
    return update_id, _CITIZEN, event


def _unsupported(kind: str) -> Row:
    return _sent(Message(unsupported=kind))


def _nobody(update_id: str, event: Event | None) -> Row:
    return update_id, [], event


_SQUARE = Location(-7.4478, 112.7183)

EXPECTED: dict[str, Row] = {
    "text": _sent(Message(text="Pak, KTP saya hilang 😢")),
    "text_start": _sent(Message(text="halo")),
    "text_start_payload": _sent(Message(text="halo")),
    "text_restart": _sent(Message(text="/restart")),
    "text_reply": _sent(Message(text="ini ya")),
    "edited_text": _sent(Message(text="KTP istri saya hilang", edited=True)),
    "photo": _sent(Message(file=FileReference("AgAC-besar", "foto.jpg", "image/jpeg", 180000, "KK saya"))),
    "photo_of_album": _sent(
        Message(file=FileReference("AgAC-besar", "foto.jpg", "image/jpeg", 180000, "KK saya"), in_album=True)
    ),
    "photo_too_large": _sent(Message(file=FileReference("AgAC-besar", "foto.jpg", "image/jpeg", 180000))),
    "document": _sent(Message(file=FileReference("BQAC-1", "kk.pdf", "application/pdf", 54321, "ini kk"))),
    "document_bare": _sent(Message(file=FileReference("BQAC-2", "dokumen", "application/octet-stream", None))),
    "location": _sent(Message(location=_SQUARE)),
    "location_live": _sent(Message(location=_SQUARE)),
    "location_live_moved": _sent(Ignored("lokasi langsung bergeser")),
    "venue": _sent(Message(location=_SQUARE)),
    "contact_own": _sent(Message(contact=Contact("+6281234500001", own=True))),
    "contact_other": _sent(Message(contact=Contact("+6281345670002", own=False))),
    "contact_phone_book": _sent(Message(contact=Contact("+6281345670002", own=False))),
    "contact_unreadable": _unsupported("contact"),
    "voice": _unsupported("voice"),
    "audio": _unsupported("audio"),
    "video": _unsupported("video"),
    "video_note": _unsupported("video_note"),
    "sticker": _unsupported("sticker"),
    "animation": _unsupported("animation"),
    "poll_without_members_only": _unsupported("poll"),
    "dice": _unsupported("dice"),
    "unknown_kind": _unsupported("unsupported"),
    "service_pinned": _sent(Ignored("pesan layanan")),
    "callback_query": _sent(Message(choice=ChosenReply(41, 1, "Batal")), "900002"),
    "callback_query_inaccessible": _sent(Message(choice=ChosenReply(41, 1, "")), "900002"),
    "callback_query_foreign": _sent(Ignored("tombol yang bukan milik kami"), "900002"),
    "callback_query_inline": _nobody("900002", Ignored("tombol di luar percakapan pribadi")),
    "my_chat_member_blocked": _nobody("900003", Ignored("warga memblokir bot")),
    "my_chat_member_unblocked": _nobody("900003", Ignored("warga membuka bot")),
    "group_text": _nobody("900004", Ignored("pesan grup")),
    "channel_post": _nobody("900004", Ignored("pembaruan channel_post")),
    "from_bot": _sent(Ignored("pesan bot"), "900004"),
    "malformed_no_id": _nobody("#", Message(text="halo")),
    "malformed_empty": _nobody("900005", None),
    "malformed_text": _sent(None),
    "malformed_message": _nobody("900005", None),
    "malformed_without_date": _sent(Message(text="tanpa tanggal"), "900005"),
}


def _split(name: str) -> Update:
    (update,) = updates.split(json.loads((_DATA / f"{name}.json").read_text()))
    return update


def _parsed(update: Update) -> Event | None:
    try:
        return updates.parse(update.body)
    except ValueError:
        return None


@pytest.mark.parametrize("name", sorted(path.stem for path in _DATA.glob("*.json")))
def test_payload_means_what_it_should(name: str) -> None:
    update = _split(name)
    external_id, sender, event = EXPECTED[name]
    assert _parsed(update) == event
    assert list(update.sender) == sender
    assert re.sub(r"sha256:[0-9a-f]{64}", "#", update.external_id) == external_id


def test_every_expectation_has_its_payload() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in _DATA.glob("*.json"))


def test_sent_at_is_the_citizens_time() -> None:
    assert _split("text").sent_at == _AT
    assert _split("edited_text").sent_at == _AT.replace(minute=1)
    assert _split("callback_query").sent_at is None
    assert _split("malformed_without_date").sent_at is None


@pytest.mark.parametrize(("text", "means"), [("/start", "halo"), ("/starting", "/starting"), ("", ""), (" ", " ")])
def test_only_start_is_a_greeting(text: str, means: str) -> None:
    body = json.loads((_DATA / "text.json").read_text())
    body["message"]["text"] = text
    assert updates.parse(body) == Message(text=means)


def test_secret() -> None:
    assert verify_secret("rahasia_1", "rahasia_1")
    assert not verify_secret("rahasia_2", "rahasia_1")
    assert not verify_secret("é\ud800", "rahasia_1")
    assert not verify_secret(None, "rahasia_1")
    assert not verify_secret("", "")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_CHAT = st.fixed_dictionaries({"id": st.integers() | _JSON, "type": st.sampled_from(("private", "group")) | _JSON})
_CONTENTS = ("text", "caption", "photo", "document", "location", "contact", "date", "edit_date", "from", "poll")
_MESSAGE = st.fixed_dictionaries({"chat": _CHAT | _JSON}, optional=dict.fromkeys(_CONTENTS, _JSON)) | _JSON
_QUERY = st.fixed_dictionaries({"id": st.text(), "data": st.text() | _JSON, "message": _MESSAGE}) | _JSON
_BODIES = st.dictionaries(st.text(), _JSON) | st.fixed_dictionaries(
    {"update_id": st.integers() | _JSON},
    optional={"message": _MESSAGE, "edited_message": _MESSAGE, "callback_query": _QUERY, "my_chat_member": _JSON},
)


@given(_BODIES)
def test_any_json_is_split_and_parsed_or_refused(body: dict[str, Any]) -> None:
    (update,) = updates.split(body)
    assert update.external_id.isascii()
    _parsed(update)
