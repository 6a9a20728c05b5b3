"""Notifications: what the backend tells becomes a message to the citizen it is about, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.backend_events import BackendEvent, DraftReminder, FilingChanged, Overdue
from bot.channel import Channel, Template
from bot.links import LinkKind, SurveySubject, issue
from bot.news import News
from bot.outbox import Kind, enqueue
from bot.reply import Bubble, Reply
from bot.shaping import shape
from bot.states import FIRST, States
from bot.store import Store
from bot.tables import backend_events, conversations, inbox
from bot.texts import Texts

__all__ = ["Announcer"]

_LONGEST_PARAMETER = 900
"""characters; the body of a template takes 1024 with its own words"""


_ABOUT = timedelta(minutes=2)
"""two machines' clocks may differ by as much"""


@dataclass(frozen=True)
class Announcer:
    """`templates` are name and language of the template of each channel that needs one outside its window."""

    store: Store
    texts: Texts
    news: News
    states: States
    channels: Mapping[str, Channel]
    templates: Mapping[str, tuple[str, str]]
    public_url: str

    async def announce(self, event: BackendEvent) -> bool:
        """Put the notification into the outbox, once per event; false when nobody here is that contact.

        Whether the window is open is decided when the message is sent.
        """
        async with self.store.engine.begin() as connection:
            found = await connection.execute(
                select(
                    *(conversations.c[name] for name in ("id", "channel", "handler")),
                    _is_in_a_turn(_moment(event, self.store.clock())).label("in_a_turn"),
                ).where(conversations.c.id == _conversation(event.contact))
            )
            row = found.first()
            if row is None or row.channel not in self.channels:
                return False
            new = await connection.execute(
                upsert(backend_events)
                .values(event_id=event.event_id, received_at=self.store.clock())
                .on_conflict_do_nothing()
                .returning(backend_events.c.event_id)
            )
            # What a citizen has just sent or mended in the chat is told by its answer.
            is_told = row.in_a_turn and isinstance(event, FilingChanged) and self.states.ours(event.state) == FIRST
            if new.first() is not None and not is_told:
                reply = await self._reply(connection, event, row.id, row.handler)
                await enqueue(connection, self.store, row.id, Kind.NOTIFICATION, self._bubbles(reply, row.channel))
        return True

    async def _reply(
        self, connection: AsyncConnection, event: BackendEvent, conversation: uuid.UUID, handler: str
    ) -> Reply:
        match event:
            case DraftReminder():
                reply = self.news.of_draft(event)
            case Overdue():
                reply = self.news.of_overdue(event)
            case FilingChanged():
                event = event.model_copy(update={"state": self.states.ours(event.state)})
                survey = None
                if self.news.wants_survey(event):
                    subject = SurveySubject(number=event.number, service=event.service)
                    path = await issue(connection, self.store, LinkKind.SURVEY, conversation, subject)
                    survey = self.public_url.rstrip("/") + path
                reply = self.news.of_change(event, survey)
        # While the desk has the conversation, its buttons would lead to a bot that is silent.
        return reply if handler == "bot" else replace(reply, choices=())

    def _bubbles(self, reply: Reply, channel: str) -> list[Bubble]:
        """The first one stands for all where only a template goes; the rest then waits for the citizen."""
        bubbles = shape([reply], self.channels[channel].capabilities, self.texts("balas_angka"))
        template = self.templates.get(channel)
        if template is not None:
            bubbles[0] = replace(bubbles[0], template=Template(*template, (reply.text[:_LONGEST_PARAMETER],)))
        return bubbles


def _moment(event: BackendEvent, now: datetime) -> datetime:
    """When it happened: it may be told much later."""
    return min(event.at, now) if isinstance(event, FilingChanged) and event.at is not None else now


def _is_in_a_turn(moment: datetime) -> ColumnElement[bool]:
    """Whether something of the conversation was being answered about then."""
    return exists().where(
        inbox.c.conversation == conversations.c.id,
        inbox.c.received_at <= moment + _ABOUT,
        or_(inbox.c.answered_at.is_(None), inbox.c.answered_at > moment - _ABOUT),
    )


def _conversation(contact: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(contact)
    except ValueError:
        return None
