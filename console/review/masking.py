"""What of a message may enter review: its words, without the numbers, names and addresses of people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from identity import redact

__all__ = ["mask"]

_WORDS = {"nama_orang": "<nama>", "alamat": "<alamat>"}
"""entities whose value is as written; angle brackets mean nothing in Rasa's YAML"""
_FILING = re.compile(r"\bSDA[-\s]?\d{4}[-\s]?[0-9A-Z]{6}\b", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_NAMED = re.compile(
    r"\b((?:atas\s+nama|a\.?n\.?|bernama|nama\s+(?:lengkap|saya|sy|aku|kula|ibu|bapak|ayah|anak|suami|istri)"
    r"(?:\s+(?:saya|sy|nya))?(?:\s+adalah)?)\s*:?\s+)((?:[A-Z][\w'.]*)(?:\s+[A-Z][\w'.]*){0,3})"
)
_LONGEST = 1000


def mask(text: str, entities: Iterable[Mapping[str, Any]]) -> str:
    """At most a thousand characters on one line; `entities` are the frame's.

    A name that no entity and no "atas nama" tells of stays: reviewers can refuse such a message.
    """
    masked = redact(_MAIL.sub("<alamat surat>", _FILING.sub("<nomor permohonan>", text))).replace("[nomor]", "<nomor>")
    for entity in entities:
        value, word = " ".join(str(entity.get("value", "")).split()), _WORDS.get(str(entity.get("entity")))
        if word and len(value) > 1:
            pattern = r"\s+".join(re.escape(part) for part in value.split())
            masked = re.sub(rf"(?<!\w){pattern}(?!\w)", word, masked, flags=re.IGNORECASE)
    return " ".join(_NAMED.sub(r"\1<nama>", masked).split())[:_LONGEST]
