"""Work that goes on for as long as the process: a mistake in it must not end it unseen, while the process looks well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.fault import fault

__all__ = ["lasting"]

_PAUSE = 5.0
_logger = logging.getLogger(__name__)


async def lasting(work: Callable[[], Awaitable[None]], *, pause: float = _PAUSE) -> None:
    """Until it returns or is cancelled; whatever it raises is logged, and it is begun again."""
    while True:
        try:
            await work()
        except Exception as error:
            _logger.error("%s ended by mistake and is begun again: %s", _name(work), fault(error))  # noqa: TRY400
            await asyncio.sleep(pause)
        else:
            return


def _name(work: Callable[[], Awaitable[None]]) -> str:
    return getattr(work, "__qualname__", type(work).__name__)
