"""What the room is told by whoever starts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ConsoleSettings", "OidcSettings"]


@dataclass(frozen=True)
class OidcSettings:
    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class ConsoleSettings:
    secret_key: str
    data: Path
    public_url: str
    backend_url: str
    backend_officer_token: str
    may_write_data: bool = False
    """whether reviewed sets are written into `data`, as where the program is developed; else they are downloaded"""
    oidc: OidcSettings | None = None
    """the district's identity provider; None: names and passwords only"""

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by TLS, so that cookies may insist on it."""
        return self.public_url.startswith("https://")
