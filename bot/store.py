"""Where the room keeps things: the database, the seals, and the clock, handed to whoever reads or writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator
from sqlalchemy import func, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.channel import Address
from identity import Seal, Secrets

__all__ = ["ON_DISK_WITH_THE_NEXT", "Cleaned", "Clock", "Store", "clean", "utc_now"]

Clock = Callable[[], datetime]
ON_DISK_WITH_THE_NEXT = func.set_config("synchronous_commit", "off", True)
"""In what a transaction selects: nobody waits until it is on disk. It gets there before any later one that is waited for."""
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""in JSON as `json.dumps` writes it, where a backslash of the text's own is doubled"""


def utc_now() -> datetime:
    return datetime.now(UTC)


def clean(text: str) -> str:
    """Without NUL and with lone surrogates replaced: neither fits into PostgreSQL or UTF-8, and both arrive in JSON."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Cleaned = Annotated[str, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)]
"""a text of a checked body"""


@dataclass(frozen=True)
class Store:
    engine: AsyncEngine
    single: AsyncEngine
    """for one statement that is a transaction by itself: no BEGIN and COMMIT go over the wire"""
    clock: Clock
    inbox: Seal
    outbox: Seal
    address: Seal
    frame: Seal
    file: Seal
    desk: Seal
    link: Seal

    @classmethod
    def open(cls, database_url: str, secrets: Secrets, clock: Clock = utc_now, *, connections: int = 10) -> Store:
        """`database_url` is a plain `postgresql://…`; nothing connects before the first query."""
        engine = create_async_engine(
            make_url(database_url).set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,  # one more would be made and thrown away at every peak, which costs more than waiting
            hide_parameters=True,
        )
        seals = {
            name: Seal(secrets, f"bot.{name}")
            for name in ("inbox", "outbox", "address", "frame", "file", "desk", "link")
        }
        return cls(engine, engine.execution_options(isolation_level="AUTOCOMMIT"), clock, **seals)

    def fingerprint(self, channel: str, address: Address) -> str:
        return self.fingerprints(channel, address)[0]

    def fingerprints(self, channel: str, address: Address) -> tuple[str, ...]:
        """The present one, and those under which it may be kept from before."""
        return self.address.indexes(f"{channel}:{address.kind}:{clean(address.value)}")

    def seal_raw(self, body: Mapping[str, Any]) -> bytes:
        """Cleaned all through, names too: whatever is read from it can be stored, sent on and shown."""
        written = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return self.inbox.seal(clean(_ESCAPED_NUL.sub(r"\1", written)).encode())

    def open_raw(self, sealed: bytes) -> Any:
        return self.inbox.open_json(sealed)
