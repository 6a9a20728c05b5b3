"""What is kept about a citizen is kept sealed: AES-256-GCM under a key derived from `PRAJA_SECRET_KEY`.

Each room and purpose has a key of its own, so a value can't be moved from one table to another and still open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["Seal", "SealBroken"]

_NONCE = 12


class SealBroken(Exception):
    """A sealed value doesn't open: another `PRAJA_SECRET_KEY`, or the value was altered."""


class Seal:
    """Seals and opens values of one purpose, such as `bot.inbox`."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._cipher = AESGCM(_derive(secret, f"praja seal {purpose}"))
        self._index_key = _derive(secret, f"praja index {purpose}")

    def seal(self, value: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            raise SealBroken("sealed value doesn't open; is PRAJA_SECRET_KEY the one it was sealed with?") from None

    def seal_json(self, value: Any) -> bytes:
        return self.seal(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def open_json(self, sealed: bytes) -> Any:
        return json.loads(self.open(sealed))

    def seal_text(self, value: str) -> str:
        """For columns that hold text: base64 of the sealed bytes."""
        return base64.b64encode(self.seal(value.encode())).decode()

    def open_text(self, sealed: str) -> str:
        try:
            return self.open(base64.b64decode(sealed, validate=True)).decode()
        except ValueError:
            raise SealBroken("sealed value isn't base64; it was altered or never sealed") from None

    def index(self, value: str) -> str:
        """A keyed fingerprint, to look a value up without keeping it in clear."""
        return hmac.new(self._index_key, value.encode(), hashlib.sha256).hexdigest()


def _derive(secret: str, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(secret.encode())
