"""A wish to begin a filing, as a choice carries it: `mulai:LAYANAN[:wakil]`, or `setuju:…` with consent (`docs/rooms.md`)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Order", "order_in"]

_HELPER = "wakil"


@dataclass(frozen=True)
class Order:
    service: str
    helper: bool = False
    """somebody files for another person"""
    agreed: bool = False
    """the privacy notice was read and agreed to with this very choice"""

    @property
    def choice(self) -> str:
        kind = "setuju" if self.agreed else "mulai"
        return f"{kind}:{self.service}" + (f":{_HELPER}" if self.helper else "")


def order_in(choice: str | None) -> Order | None:
    kind, _, rest = (choice or "").partition(":")
    if kind not in ("mulai", "setuju") or not rest:
        return None
    service, _, role = rest.partition(":")
    return Order(service, helper=role == _HELPER, agreed=kind == "setuju")
