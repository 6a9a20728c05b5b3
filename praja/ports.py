"""Ports of the loopback."""

from __future__ import annotations

import contextlib
import random
import socket

__all__ = ["free_ports"]

_PORTS = range(20_000, 32_768)
"""Below those that the system gives by itself to whoever asks for any: one of ours isn't given away before it is used."""


def free_ports(count: int) -> list[int]:
    """Those that nobody uses now."""
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        # Whoever seeds `random`, in two processes alike, would have both take the same ones.
        for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
            if len(found) == count:
                break
            one = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
        return found
