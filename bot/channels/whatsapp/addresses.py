"""How WhatsApp names a person: a BSUID, a phone number, or both.

A BSUID is `CC.` and at most 128 letters and digits, the same for all numbers of one business portfolio; a person with a
username may come with nothing else (Meta, business-scoped-user-ids).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.channel import Address

__all__ = ["bsuid_address", "phone_address", "sender_addresses"]

_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_PHONE = re.compile(r"\+?([0-9]{6,15})")


def bsuid_address(value: object) -> Address | None:
    return Address("bsuid", value) if isinstance(value, str) and _BSUID.fullmatch(value) else None


def phone_address(value: object) -> Address | None:
    """From a `wa_id` or `from`: the digits of an international number."""
    found = _PHONE.fullmatch(value) if isinstance(value, str) else None
    return Address("phone", f"+{found[1]}") if found else None


def sender_addresses(message: Mapping[str, Any], contact: Mapping[str, Any]) -> Sequence[Address]:
    """The BSUID first: it is there even when the phone isn't."""
    bsuid = _first(bsuid_address(value) for value in (message.get("from_user_id"), contact.get("user_id")))
    phone = _first(phone_address(value) for value in (message.get("from"), contact.get("wa_id")))
    return tuple(address for address in (bsuid, phone) if address)


def _first(addresses: Iterable[Address | None]) -> Address | None:
    return next((address for address in addresses if address), None)
