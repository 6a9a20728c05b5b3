"""A message's id as we keep it: Meta's own holds the number of the citizen in base64, so its digest stands for it.

Half of such an id is random, so nobody finds the number by trying all of them.
"""

from __future__ import annotations

import hashlib

__all__ = ["kept_id"]


def kept_id(wamid: str) -> str:
    return f"wamid:{hashlib.sha256(wamid.encode()).hexdigest()}"
