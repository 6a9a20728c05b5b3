"""What is kept about a citizen is kept sealed: AES-256-GCM under a key derived from `PRAJA_SECRET_KEY`.

Each room and purpose has a key of its own, so a value can't be moved from one table to another and still open. Beside the
present secret there may be earlier ones, which open what they have sealed until all of it is sealed anew (`praja rotate`).
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

__all__ = ["Seal", "SealBroken", "Secrets", "present"]

Secrets = str | tuple[str, ...]
"""the secret that everything is derived from, or that one and the ones before it"""
_NONCE = 12


class SealBroken(Exception):
    """A sealed value doesn't open: another `PRAJA_SECRET_KEY`, or the value was altered."""


def present(secrets: Secrets) -> str:
    """The one that seals."""
    return secrets if isinstance(secrets, str) else secrets[0]


class Seal:
    """Seals and opens values of one purpose, such as `bot.inbox`."""

    def __init__(self, secrets: Secrets, purpose: str) -> None:
        each = (secrets,) if isinstance(secrets, str) else secrets
        self._ciphers = tuple(AESGCM(_derive(secret, f"praja seal {purpose}")) for secret in each)
        self._index_keys = tuple(_derive(secret, f"praja index {purpose}") for secret in each)

    def seal(self, value: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        """Raises SealBroken."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
            except (InvalidTag, ValueError):
                continue
        raise SealBroken("sealed value doesn't open; is PRAJA_SECRET_KEY the one it was sealed with?")

    def seal_json(self, value: Any) -> bytes:
        return self.seal(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def open_json(self, sealed: bytes) -> Any:
        return json.loads(self.open(sealed))

    def seal_text(self, value: str) -> str:
        """For columns that hold text: base64 of the sealed bytes."""
        return base64.b64encode(self.seal(value.encode())).decode()

    def open_text(self, sealed: str) -> str:
        return self.open(_bytes(sealed)).decode()

    def renew(self, sealed: bytes) -> bytes | None:
        """The same under the present secret; None where it is under that already. Raises SealBroken."""
        try:
            self._ciphers[0].decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            return self.seal(self.open(sealed))
        return None

    def renew_text(self, sealed: str) -> str | None:
        renewed = self.renew(_bytes(sealed))
        return None if renewed is None else base64.b64encode(renewed).decode()

    def index(self, value: str) -> str:
        """A keyed fingerprint, to look a value up without keeping it in clear."""
        return self.indexes(value)[0]

    def indexes(self, value: str) -> tuple[str, ...]:
        """Every fingerprint under which the value may be kept: while secrets change, also the earlier ones."""
        return tuple(hmac.new(key, value.encode(), hashlib.sha256).hexdigest() for key in self._index_keys)


def _bytes(sealed: str) -> bytes:
    try:
        return base64.b64decode(sealed, validate=True)
    except ValueError:
        raise SealBroken("sealed value isn't base64; it was altered or never sealed") from None


def _derive(secret: str, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(secret.encode())
