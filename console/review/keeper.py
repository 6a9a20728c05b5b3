"""What review does by itself, beside the pages: pick what came in, forget what is to be forgotten, keep sets' files in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.fault import fault
from console.protection import WORKSPACE
from console.review.label_changes import write_changes
from console.review.reviewed_set import write_sets
from console.review.room import ReviewRoom
from console.review.selection import forget, pick
from console.review.shadow import forget_shadows

__all__ = ["keep", "keep_review"]

_PAUSE = 60.0
_logger = logging.getLogger(__name__)


async def keep_review(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(keep(app[WORKSPACE].review))
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def keep(room: ReviewRoom, pause: float = _PAUSE) -> None:
    """Until cancelled; `pause` in seconds."""
    # A label that people waited for may have come with the program that starts now.
    with contextlib.suppress(SQLAlchemyError, OSError):
        await write_changes(room)
    while True:
        await asyncio.sleep(pause)
        try:
            await forget(room)
            await forget_shadows(room)
            await pick(room)
            # The last one: a folder that can't be written to holds up nothing else.
            await write_sets(room)
        except (SQLAlchemyError, OSError) as error:
            _logger.warning("review wasn't looked after: %s", fault(error))
