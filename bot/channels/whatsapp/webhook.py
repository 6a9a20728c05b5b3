"""Meta's requests to us: is it Meta, and which updates does it bring.

One POST holds up to 1000 updates, any number of entries × changes × messages and statuses, at most 3 MB, and is repeated
for seven days until it is answered with 200. A message comes again in another batch, under the same id.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channel import Update
from bot.channels.whatsapp.addresses import sender_addresses
from bot.channels.whatsapp.message_id import kept_id

__all__ = ["moment", "split", "verify_handshake", "verify_signature"]

_ITEMS = ("messages", "statuses", "errors")
_ID = re.compile(r"[!-~]{1,250}")
_SECONDS = re.compile(r"[0-9]{1,11}")


def verify_handshake(query: Mapping[str, str], verify_token: str) -> str | None:
    """The challenge to answer with, when Meta asks whether this address is ours; None is a 403."""
    token = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not verify_token or not _same(token, verify_token):
        return None
    return query.get("hub.challenge")


def verify_signature(raw: bytes, header: str | None, app_secret: str) -> bool:
    """Whether `X-Hub-Signature-256` signs exactly these bytes.

    Meta signs the body as it sends it, with every non-ASCII letter as `\\uXXXX`: parsing and writing it again breaks that.
    """
    if not header or not app_secret:
        return False
    return _same(header, "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest())


def split(body: Mapping[str, Any], phone_number_id: str) -> list[Update]:
    """One update for each message, status and error; each keeps the shape of the change it came in, with one item.

    Only a message to our own number has a sender: a status, an address change or another number's message opens no
    conversation. What isn't shaped as promised is a row of its own, known by a hash.
    """
    return list(_updates(body, phone_number_id))


def moment(value: object) -> datetime:
    """Meta's timestamp, seconds as text. Raises ValueError."""
    if not _SECONDS.fullmatch(str(value)):
        raise ValueError("a timestamp isn't in seconds")
    return datetime.fromtimestamp(int(str(value)), UTC)


def _updates(body: Mapping[str, Any], ours: str) -> Iterator[Update]:
    entries = _list(body.get("entry"))
    if not entries:
        yield Update.unidentified(body)
    for entry in entries:
        changes = _list(entry.get("changes")) if isinstance(entry, dict) else []
        if not changes:
            yield Update.unidentified(entry)
        for change in changes:
            yield from _changed(change, entry.get("time"), ours)


def _changed(change: object, time: object, ours: str) -> Iterator[Update]:
    value = change.get("value") if isinstance(change, dict) else None
    if not isinstance(change, dict) or not isinstance(value, dict) or change.get("field") != "messages":
        yield Update.unidentified({**change, "time": time} if isinstance(change, dict) else change)
        return
    items = [(kind, item) for kind in _ITEMS for item in _list(value.get(kind))]
    if not items:
        yield Update.unidentified(change)
    shared = {key: part for key, part in value.items() if key not in _ITEMS}
    metadata = value.get("metadata")
    to_us = isinstance(metadata, dict) and metadata.get("phone_number_id") == ours
    for kind, item in items:
        contact = _contact(kind, item, _list(value.get("contacts")), alone=len(items) == 1)
        body = {"field": "messages", "value": {**shared, "contacts": [contact] if contact else [], kind: [item]}}
        yield _item(kind, item if isinstance(item, dict) else {}, contact, body, to_us=to_us)


def _item(
    kind: str, item: Mapping[str, Any], contact: Mapping[str, Any], body: Mapping[str, Any], *, to_us: bool
) -> Update:
    external_id = _external_id(kind, item)
    if external_id is None:
        return Update.unidentified(body)
    personal = to_us and kind == "messages" and item.get("type") != "system" and not item.get("group_id")
    sender = sender_addresses(item, contact) if personal else ()
    return Update(external_id, sender, _sent_at(item), body)


def _contact(kind: str, item: object, contacts: list[Any], *, alone: bool) -> Mapping[str, Any]:
    """The sender's entry among all senders of the batch; a `wa_id` may differ from `from`, so one message has one contact."""
    people = [contact for contact in contacts if isinstance(contact, dict)]
    if kind != "messages" or not isinstance(item, dict):
        return {}
    for contact in people:
        for ours, theirs in (("from_user_id", "user_id"), ("from", "wa_id")):
            if item.get(ours) is not None and item.get(ours) == contact.get(theirs):
                return contact
    return people[0] if alone and len(people) == 1 else {}


def _external_id(kind: str, item: Mapping[str, Any]) -> str | None:
    if kind == "messages" and _is_id(item.get("id")):
        return kept_id(item["id"])
    if kind == "statuses" and _is_id(item.get("id")) and _is_id(item.get("status")):
        return f"status:{kept_id(item['id'])}:{item['status']}"
    return None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _sent_at(item: Mapping[str, Any]) -> datetime | None:
    try:
        return moment(item.get("timestamp"))
    except ValueError:
        return None


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
