"""Every kind of update Meta documents, and some it doesn't: `tests/data/whatsapp/`, one file per case."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    SendFailure,
    Update,
)
from bot.channels.whatsapp import events, webhook
from bot.channels.whatsapp.message_id import kept_id

_DATA = Path(__file__).parents[2] / "data" / "whatsapp"
_OURS = "100000000000001"
_AT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
_LATER = datetime(2026, 11, 24, 6, 1, 40, tzinfo=UTC)
_BSUID = Address("bsuid", "ID.13491208655302741918")
_NEW_BSUID = Address("bsuid", "ID.99991208655302741918")
_PHONE = Address("phone", "+6281234500001")
_BOTH = (_BSUID, _PHONE)
_BUDI = (Address("bsuid", "ID.22221208655302741918"), Address("phone", "+6281234500002"))
_ELSEWHERE = Ignored("bukan nomor kami")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")

Row = tuple[str, Sequence[Address], Event | None]
"""external id ("#": a hash), sender, event (None: ValueError)"""


def _one(name: str, event: Event | None, sender: Sequence[Address] = _BOTH) -> list[Row]:
    return [(kept_id(f"wamid.{name}"), sender, event)]


def _unsupported(name: str, kind: str) -> list[Row]:
    return _one(name, Message(unsupported=kind))


def _delivery(state: DeliveryState, **more: Any) -> Delivery:
    return Delivery(kept_id("wamid.OURS"), state, _LATER, **more)


def _status(state: str, event: Event | None) -> list[Row]:
    return [(f"status:{kept_id('wamid.OURS')}:{state}", (), event)]


_OURS2 = kept_id("wamid.OURS2")
_PHOTO = FileReference("900000000000001", "foto.jpg", "image/jpeg", None)
_WINDOW = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
)
_LIMIT = "Message failed to send because there were too many messages sent from this phone number"

EXPECTED: dict[str, list[Row]] = {
    "text": _one("TEXT", Message(text="Pak, KTP saya hilang 😢")),
    "text_reply_forwarded": _one("REPLY", Message(text="ini ya")),
    "text_restart": _one("RESTART", Message(text="/restart")),
    "text_phone_only": _one("PHONE", Message(text="halo"), [_PHONE]),
    "text_bsuid_only": _one("BSUID", Message(text="halo"), [_BSUID]),
    "text_sender_in_contacts_only": _one("CONTACT", Message(text="halo")),
    "text_other_number": _one("OTHER", _ELSEWHERE, []),
    "text_group": _one("GROUP", Ignored("pesan grup"), []),
    "image": _one("IMAGE", Message(file=_PHOTO)),
    "image_caption": _one(
        "CAPTION", Message(file=FileReference("900000000000001", "foto.png", "image/png", None, "KK saya"))
    ),
    "document": _one(
        "DOCUMENT", Message(file=FileReference("900000000000002", "kk.pdf", "application/pdf", None, "ini kk"))
    ),
    "document_without_name": _one(
        "NONAME", Message(file=FileReference("900000000000003", "dokumen.pdf", "application/pdf", None))
    ),
    "voice": _unsupported("VOICE", "voice"),
    "audio": _unsupported("AUDIO", "audio"),
    "video": _unsupported("VIDEO", "video"),
    "sticker": _unsupported("STICKER", "sticker"),
    "order": _unsupported("ORDER", "order"),
    "location": _one("LOCATION", Message(location=Location(-7.4478, 112.7183))),
    "contacts_other": _one("CONTACTS", Message(contact=Contact("+6281345670002", own=False))),
    "contacts_own": _one("OWN", Message(contact=Contact("+6281234500001", own=True))),
    "contacts_requested": _one("REQUESTED", Message(contact=Contact("+6281234500001", own=True)), [_BSUID]),
    "contacts_requested_on_message": _one("REQUESTED2", Message(contact=Contact("+6281234500001", own=True)), [_BSUID]),
    "contacts_phone_book": _one("BOOK", Message(contact=Contact("+6281345670002", own=False))),
    "contacts_without_phone": _unsupported("NOPHONE", "contact"),
    "interactive_button_reply": _one("BUTTON", Message(choice=ChosenReply(41, 1, "Ya, kirim"))),
    "interactive_list_reply": _one("LIST", Message(choice=ChosenReply(42, 7, "Akta kelahiran"))),
    "interactive_foreign_id": _one("FOREIGN", Message(text="Mulai lagi")),
    "interactive_nfm_reply": _unsupported("FLOW", "form"),
    "interactive_call_permission": _one("CALL", Ignored("izin menelepon")),
    "button": _one("BUTTON", Message(text="Cek status")),
    "reaction": _one("REACTION", Ignored("reaksi")),
    "reaction_removed": _one("UNREACT", Ignored("reaksi")),
    "request_welcome": _one("REQUEST_WELCOME", Message(text="halo")),
    "system_user_changed_number": _one("SYSTEM", AddressChange(_PHONE, Address("phone", "+6281234500009")), []),
    "system_user_changed_user_id": _one("SYSTEM", AddressChange(_BSUID, _NEW_BSUID), []),
    "system_user_changed_user_id_in_words": _one("SYSTEM", AddressChange(_BSUID, _NEW_BSUID), []),
    "system_customer_identity_changed": _one("SYSTEM", Ignored("pemberitahuan customer_identity_changed"), []),
    "user_id_update": [("#", (), AddressChange(_BSUID, _NEW_BSUID))],
    "user_id_update_list": [("#", (), AddressChange(_BSUID, _NEW_BSUID))],
    "edit_text": _one("EDIT", Message(text="KTP istri saya hilang", edited=True)),
    "edit_caption": _one(
        "EDIT2",
        Message(file=FileReference("900000000000001", "foto.jpg", "image/jpeg", None, "KK lama"), edited=True),
    ),
    "revoke": _one("REVOKE", Ignored("pesan dihapus pengirimnya")),
    "unsupported_131051_poll": _unsupported("UNSUPPORTED", "poll"),
    "unsupported_131051_pin": _one("UNSUPPORTED", Ignored("pin yang tidak disampaikan WhatsApp")),
    "unsupported_131051": _unsupported("UNSUPPORTED", "unsupported"),
    "unsupported_131060": _unsupported("UNSUPPORTED", "unavailable"),
    "unsupported_131052_too_large": _unsupported("LARGE", "media"),
    "unknown_type": _unsupported("HOLOGRAM", "hologram"),
    "status_sent": _status("sent", _delivery(DeliveryState.SENT, billable=True, tag="outbox-41")),
    "status_delivered_free": _status("delivered", _delivery(DeliveryState.DELIVERED, billable=False)),
    "status_delivered_regular": _status("delivered", _delivery(DeliveryState.DELIVERED, billable=True)),
    "status_read": _status("read", _delivery(DeliveryState.READ)),
    "status_played": _status("played", _delivery(DeliveryState.READ)),
    "status_unknown": _status("warning", Ignored("status warning")),
    "status_failed_window": _status(
        "failed",
        _delivery(DeliveryState.FAILED, error_code=131047, error=_WINDOW, failure=SendFailure.WINDOW_CLOSED),
    ),
    "status_failed_bare": _status(
        "failed",
        _delivery(
            DeliveryState.FAILED, error_code=131026, error="Message undeliverable", failure=SendFailure.RECIPIENT
        ),
    ),
    "status_out_of_order": [
        *_status("read", _delivery(DeliveryState.READ)),
        *_status("delivered", _delivery(DeliveryState.DELIVERED)),
        *_status("sent", _delivery(DeliveryState.SENT)),
    ],
    "status_other_number": _status("sent", _ELSEWHERE),
    "value_errors": [("#", (), Ignored(f"galat WhatsApp 130429: {_LIMIT}"))],
    "account_update": [("#", (), Ignored("pemberitahuan account_update"))],
    "batch": [
        *_one("B1", Message(text="satu")),
        *_one("B2", Message(text="dua"), _BUDI),
        *_status("sent", _delivery(DeliveryState.SENT)),
        (f"status:{_OURS2}:delivered", (), Delivery(_OURS2, DeliveryState.DELIVERED, _LATER)),
        *_one("B3", Message(text="tiga")),
        *_one("B4", _ELSEWHERE, []),
    ],
    "batch_redelivered": _one("B2", Message(text="dua"), _BUDI),
    "batch_with_odd_items": [
        ("#", (), None),
        *_one("GOOD", Message(text="tetap sampai")),
        ("#", (), None),
        ("#", (), None),
    ],
    "malformed_no_entry": [("#", (), None)],
    "malformed_entry": [("#", (), None), ("#", (), None)],
    "malformed_change": [("#", (), None), ("#", (), None)],
    "malformed_empty_value": [("#", (), None)],
    "malformed_text_without_body": _one("NOBODY", None),
    "malformed_location": _one("NOWHERE", None),
    "malformed_type_without_content": _one("EMPTY", None),
    "malformed_timestamp": _status("sent", None),
}


def _split(name: str) -> list[Update]:
    return webhook.split(json.loads((_DATA / f"{name}.json").read_text()), _OURS)


def _parsed(update: Update) -> Event | None:
    try:
        return events.parse(update.body, _OURS)
    except ValueError:
        return None


@pytest.mark.parametrize("name", sorted(path.stem for path in _DATA.glob("*.json")))
def test_payload_means_what_it_should(name: str) -> None:
    updates = _split(name)
    rows = EXPECTED[name]
    assert [_parsed(update) for update in updates] == [event for _, _, event in rows]
    assert [list(update.sender) for update in updates] == [list(sender) for _, sender, _ in rows]
    ids = ["#" if _HASH.fullmatch(update.external_id) else update.external_id for update in updates]
    assert ids == [external_id for external_id, _, _ in rows]


def test_every_expectation_has_its_payload() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in _DATA.glob("*.json"))


def test_a_message_keeps_its_id_in_another_batch() -> None:
    first = next(update for update in _split("batch") if update.external_id == kept_id("wamid.B2"))
    assert _split("batch_redelivered") == [first]


def test_an_id_does_not_tell_the_number_that_meta_puts_into_it() -> None:
    body = json.loads((_DATA / "text.json").read_text())
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message["id"] = f"wamid.{base64.b64encode(b'..6281234500001' + bytes(20)).decode()}"
    (update,) = webhook.split(body, _OURS)
    assert message["id"].removeprefix("wamid.")[:12] not in update.external_id


def test_what_has_no_id_keeps_its_hash() -> None:
    assert _split("user_id_update")[0].external_id == _split("user_id_update")[0].external_id
    assert _split("user_id_update")[0].external_id != _split("user_id_update_list")[0].external_id


def test_sent_at_tells_a_message_of_last_week() -> None:
    assert [update.sent_at for update in _split("text")] == [_AT]
    assert [update.sent_at for update in _split("malformed_timestamp")] == [None]


def test_an_error_does_not_repeat_what_the_citizen_wrote() -> None:
    body = json.loads((_DATA / "malformed_location.json").read_text())
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    message["location"] = {"latitude": "NIK saya 3515085708909999", "longitude": 1}
    with pytest.raises(ValueError, match="latitude") as caught:
        events.parse(webhook.split(body, _OURS)[0].body, _OURS)
    assert "3515085708909999" not in str(caught.value)


def test_a_thousand_updates_are_a_thousand_rows() -> None:
    body = json.loads((_DATA / "text.json").read_text())
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"] = [value["messages"][0] | {"id": f"wamid.{number}"} for number in range(1000)]
    assert [update.external_id for update in webhook.split(body, _OURS)] == [kept_id(f"wamid.{n}") for n in range(1000)]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_KINDS = sorted({path.stem.partition("_")[0] for path in _DATA.glob("*.json")} | {"contacts", "edit", "nfm_reply"})
_MESSAGE = st.fixed_dictionaries(
    {"type": st.sampled_from(_KINDS) | _JSON},
    optional={
        **{kind: _JSON | st.fixed_dictionaries({"type": st.text(), "body": _JSON}) for kind in _KINDS},
        **dict.fromkeys(("from", "from_user_id", "id", "timestamp", "errors", "group_id", "origin"), _JSON),
    },
)
_VALUE = st.fixed_dictionaries(
    {"metadata": st.just({"phone_number_id": _OURS}) | _JSON},
    optional={
        "messages": st.lists(_MESSAGE, max_size=3) | _JSON,
        "statuses": st.lists(st.dictionaries(st.sampled_from(("id", "status", "timestamp", "errors")), _JSON)) | _JSON,
        "errors": _JSON,
        "contacts": st.lists(st.dictionaries(st.sampled_from(("wa_id", "user_id")), _JSON)) | _JSON,
        "user_id_update": _JSON,
    },
)
_FIELDS = st.sampled_from(("messages", "user_id_update")) | _JSON
_CHANGES = st.lists(st.fixed_dictionaries({"field": _FIELDS, "value": _VALUE}), max_size=3) | _JSON
_BODIES = st.dictionaries(st.text(), _JSON) | st.fixed_dictionaries(
    {"entry": st.lists(st.fixed_dictionaries({"changes": _CHANGES}), max_size=2) | _JSON}
)


@given(_BODIES)
def test_any_json_is_split_and_parsed_or_refused(body: dict[str, Any]) -> None:
    updates = webhook.split(body, _OURS)
    assert updates
    for update in updates:
        assert update.external_id.isascii()
        _parsed(update)
        json.dumps(update.body)
