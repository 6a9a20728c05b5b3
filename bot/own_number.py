"""The choice "this number": shown only where it can be kept, and what a tap on it means."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Capabilities
from bot.phones import knows_phone
from bot.reply import Bubble, Reply, is_own_number
from bot.shaping import shape
from bot.store import Store

__all__ = ["shape_for"]


async def shape_for(
    connection: AsyncConnection,
    store: Store,
    conversation: uuid.UUID,
    replies: Sequence[Reply],
    capabilities: Capabilities,
    prompt: str,
) -> list[Bubble]:
    """As `shape`; a choice of the own number is left out where nobody knows it and the channel can't ask for it."""
    offered = any(is_own_number(choice) for reply in replies for choice in reply.choices)
    if not offered or await knows_phone(connection, store, conversation):
        return shape(replies, capabilities, prompt)
    if capabilities.asks_contact:
        return [
            replace(bubble, asks_contact=any(is_own_number(choice) for choice in bubble.choices))
            for bubble in shape(replies, capabilities, prompt)
        ]
    return shape([_without(reply) for reply in replies], capabilities, prompt)


def _without(reply: Reply) -> Reply:
    return replace(reply, choices=tuple(choice for choice in reply.choices if not is_own_number(choice)))
