"""What the room is told by whoever starts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.visitor import Network
from identity import Secrets

__all__ = ["ConsoleSettings", "OidcSettings", "PasswordCost"]


@dataclass(frozen=True)
class OidcSettings:
    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class PasswordCost:
    """Of argon2id; RFC 9106, second recommended option. Hashes that cost something else still fit."""

    passes: int = 3
    memory: int = 65536
    """KiB"""
    lanes: int = 4


@dataclass(frozen=True)
class ConsoleSettings:
    secret_key: Secrets
    data: Path
    public_url: str
    backend_url: str
    backend_officer_token: str
    models: Path
    """the folder of models, with the pointer to the live one"""
    command: Sequence[str]
    """how `praja` is started, to train models and to make them live"""
    root: Path
    """where it is started"""
    shadow: Sequence[str] = ()
    """how a model that reads along is started in `root`; its path comes last"""
    frozen: Path | None = None
    """the folder of the sets that models are measured by and never learn; None where they aren't at hand"""
    may_write_data: bool = False
    """whether reviewed sets are written into `data`, as where the program is developed; else they are downloaded"""
    password_cost: PasswordCost = PasswordCost()
    proxies: Sequence[Network] = ()
    """in front of us, whose word for a visitor's address is taken"""
    oidc: OidcSettings | None = None
    """the district's identity provider; None: names and passwords only"""

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by TLS, so that cookies may insist on it."""
        return self.public_url.startswith("https://")
