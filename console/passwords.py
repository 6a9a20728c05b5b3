"""Passwords as they are kept: argon2id, at a cost that is the same for a name that isn't there."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from console.settings import PasswordCost

__all__ = ["Passwords"]


class Passwords:
    def __init__(self, cost: PasswordCost) -> None:
        self._hasher = PasswordHasher(cost.passes, cost.memory, cost.lanes)
        self._nobodys = self._hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, password)

    async def match(self, hashed: str | None, password: str) -> bool:
        """None, where there is no such name, takes as long as another's."""
        return await asyncio.to_thread(self._matches, hashed or self._nobodys, password) and hashed is not None

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
