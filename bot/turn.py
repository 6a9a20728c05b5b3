"""A turn: one stored update, and what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import hashlib
import logging
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.channel import (
    AddressChange,
    Channel,
    ChosenReply,
    Delivery,
    FileReference,
    Ignored,
    Message,
    SendFailed,
)
from bot.fault import fault
from bot.files import LARGEST_FILE, FileGone, FileTooLarge, store_file
from bot.outbox import choice_sent
from bot.phones import linked_conversations, prove, proved_phone
from bot.rasa import Frame, Handoff, Rasa, TurnRefused, TurnTrouble
from bot.reading import link_subject, read
from bot.reply import BACK, Reply, is_own_number
from bot.store import Store, clean
from bot.texts import Texts
from bot.updates import note
from journal import of_turn, span

__all__ = ["Answer", "Outcome", "Stored", "Turns"]

LONGEST_TEXT = 4096
"""characters; what WhatsApp and Telegram let a person write"""
_LONGEST_MESSAGE_ID = 200
_logger = logging.getLogger(__name__)


class Outcome(enum.StrEnum):
    ANSWERED = "answered"
    """by Rasa"""
    TOLD = "told"
    """answered by the channel itself, from `saluran.yml`"""
    OFFICER = "officer"
    """left to the desk, which has the conversation"""
    RETURNED = "returned"
    """the citizen would rather have the bot than wait for an officer"""
    STALE = "stale"
    """came too late to be answered; agents see it"""
    FLOODED = "flooded"
    """one of very many at once, of which only the last was read (bot/flood.py)"""
    IGNORED = "ignored"
    NOTED = "noted"
    """a status or an address, recorded"""
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    """Rasa can't take it"""
    GIVEN_UP = "given_up"
    """tried for long, then given to the desk"""


@dataclass(frozen=True)
class Stored:
    """A row of the inbox."""

    id: int
    channel: str
    external_id: str
    conversation: uuid.UUID
    raw: bytes
    sent_at: datetime | None
    received_at: datetime
    early: bool = False
    """written before the answer to the message before it was there"""


@dataclass(frozen=True)
class Answer:
    outcome: Outcome
    replies: tuple[Reply, ...] = ()
    text: str = ""
    """what the citizen wrote, on a photo too, where Rasa read it"""
    frame: Frame | None = None
    model: str | None = None
    handoff: Handoff | None = None
    understood: bool = True
    displeased: bool = False
    error: str | None = None


class Turns:
    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        rasa: Rasa,
        texts: Texts,
        internal_url: str,
        returning: Collection[str],
    ) -> None:
        """`internal_url` is where Rasa and the actions reach us; `returning` are the words by which somebody who waits for an
        officer goes back to the bot.
        """
        self._store = store
        self._channels = channels
        self._rasa = rasa
        self._texts = texts
        self._internal_url = internal_url.rstrip("/")
        self._returning = returning
        self._acknowledging: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait for what was begun beside the turns."""
        await asyncio.gather(*self._acknowledging, return_exceptions=True)

    async def take(self, stored: Stored, *, handler: str, linked: Sequence[uuid.UUID]) -> Answer:
        """`linked` are the person's other conversations. Nothing is written that can't be written twice.

        Raises TurnTrouble when it must be tried again later.
        """
        with of_turn(str(stored.id)), span("turn"):
            started = time.monotonic()
            try:
                answer = await self._take(stored, handler, linked)
            except TurnTrouble as trouble:
                _logger.warning("put off: %s", trouble)
                raise
            _logger.info("%s in %.0f ms", answer.outcome.value, 1000 * (time.monotonic() - started))
            return answer

    async def _take(self, stored: Stored, handler: str, linked: Sequence[uuid.UUID]) -> Answer:
        channel = self._channels[stored.channel]
        try:
            update = self._store.open_raw(stored.raw)
            event = read(channel, update)
        except Exception as error:
            # Whatever an adapter stumbles over, the next update must not wait behind it.
            return _unreadable(stored, error)
        match event:
            case Ignored(reason):
                return Answer(Outcome.IGNORED, error=reason)
            case Delivery() | AddressChange():
                async with self._store.engine.begin() as connection:
                    await note(connection, self._store, stored.channel, event)
                return Answer(Outcome.NOTED)
            case Message():
                return await self._message(stored, channel, update, event, handler, linked)

    def is_of_album(self, stored: Stored) -> bool:
        """Whether more files may be about to follow. Of what can't be read its turn will tell."""
        try:
            event = read(self._channels[stored.channel], self._store.open_raw(stored.raw))
        except Exception:
            return False
        return isinstance(event, Message) and event.in_album

    def given_up(self, reason: str) -> Answer:
        """For a message that Rasa couldn't answer for a long time."""
        return replace(
            self._told("diteruskan"),
            outcome=Outcome.GIVEN_UP,
            handoff=Handoff("gangguan", None),
            error=reason,
        )

    async def _message(
        self,
        stored: Stored,
        channel: Channel,
        update: Mapping[str, Any],
        message: Message,
        handler: str,
        linked: Sequence[uuid.UUID],
    ) -> Answer:
        sent_at = stored.sent_at or stored.received_at
        stale = self._store.clock() - sent_at > channel.capabilities.stale
        if message.choice is not None and (handler != "bot" or stale):
            self._stop_spinner(channel, update)
        if handler != "bot":
            return await self._for_officer(stored, channel, message, waiting=handler == "queued")
        if stale:
            return Answer(Outcome.STALE)
        if message.edited:
            return self._told("pesan_diubah")
        if message.unsupported is not None:
            return self._told_of("tidak_didukung", message.unsupported)
        if message.contact is not None and not message.contact.own:
            return self._told("kontak_orang_lain")
        try:
            content = await self._content(stored, channel, message)
        except FileTooLarge:
            return self._told("berkas_terlalu_besar", batas=LARGEST_FILE // 1024**2)
        except FileGone:
            return self._told("berkas_hilang")
        except SendFailed as failed:
            raise TurnTrouble(f"file: {failed.detail}") from None
        if "file" in content:
            content["file"] |= link_subject(update)
        if content.get("choice") == BACK:
            # A button from an earlier wait.
            self._stop_spinner(channel, update)
            return self._told("meja_sudah_bot")
        text = content.get("text")
        if text == "":
            return self._told("pesan_kosong")
        if text is not None and len(text) > LONGEST_TEXT:
            return self._told("terlalu_panjang", huruf=LONGEST_TEXT)
        if message.contact is not None:
            # Proved by this very message.
            linked = await linked_conversations(self._store, stored.conversation)
        with self._acknowledged(channel, update):
            return await self._ask(stored, content, linked)

    def _stop_spinner(self, channel: Channel, update: Mapping[str, Any]) -> None:
        """Of a button after which no turn follows."""
        with self._acknowledged(channel, update):
            pass

    @contextlib.contextmanager
    def _acknowledged(self, channel: Channel, update: Mapping[str, Any]) -> Iterator[None]:
        """Beside the turn, which must not wait for it."""
        answered = asyncio.Event()
        task = asyncio.create_task(channel.acknowledge(update, answered))
        self._acknowledging.add(task)
        task.add_done_callback(self._acknowledging.discard)
        try:
            yield
        finally:
            answered.set()

    async def _ask(self, stored: Stored, content: Mapping[str, Any], linked: Sequence[uuid.UUID]) -> Answer:
        try:
            answer = await self._rasa.turn(
                str(stored.conversation),
                _message_id(stored.external_id),
                stored.channel,
                {**content, **_circumstances(stored, linked)},
            )
        except TurnRefused as error:
            _logger.warning("Rasa refuses inbox %d: %s", stored.id, error)
            return replace(self._told("tidak_terbaca"), outcome=Outcome.REFUSED, error=str(error))
        return Answer(
            Outcome.ANSWERED,
            answer.replies,
            text=content.get("text") or content.get("file", {}).get("caption") or "",
            frame=answer.frame,
            model=answer.model,
            handoff=answer.handoff,
            understood=answer.understood,
        )

    async def _content(self, stored: Stored, channel: Channel, message: Message) -> dict[str, Any]:
        """The part of Rasa's body that holds what was sent."""
        if message.choice is not None:
            return await self._choice(stored.conversation, message.choice)
        if message.file is not None:
            return {"file": await self._file(stored, channel, message.file)}
        if message.location is not None:
            return {"location": {"lat": message.location.latitude, "lon": message.location.longitude}}
        if message.contact is not None:
            phone = clean(message.contact.phone)
            async with self._store.engine.begin() as connection:
                await prove(connection, self._store, stored.conversation, phone, shared=True)
            return {"contact": {"phone": phone}}
        return {"text": clean(message.text or "").strip()}

    async def _choice(self, conversation: uuid.UUID, chosen: ChosenReply) -> dict[str, Any]:
        known = await choice_sent(self._store, conversation, chosen.outbox_id, chosen.index)
        if known is not None and is_own_number(known):
            phone = await proved_phone(self._store, conversation)
            return {"contact": {"phone": phone}} if phone else {"text": clean(chosen.title).strip()}
        return {"choice": known.id} if known else {"text": clean(chosen.title).strip()}

    async def _file(self, stored: Stored, channel: Channel, file: FileReference) -> dict[str, Any]:
        kept = await store_file(self._store, channel, stored.id, file)
        described = {
            "url": f"{self._internal_url}/internal/files/{kept.id}",
            "name": kept.name,
            "content_type": kept.content_type,
            "size": kept.size,
        }
        caption = clean(file.caption or "").strip()[:LONGEST_TEXT]
        return {**described, "caption": caption} if caption else described

    async def _for_officer(self, stored: Stored, channel: Channel, message: Message, *, waiting: bool) -> Answer:
        """The desk reads the message itself; only a file has to be fetched before the provider forgets it."""
        if waiting and await self._wants_back(stored.conversation, message):
            return Answer(Outcome.RETURNED)
        if message.file is not None:
            try:
                await store_file(self._store, channel, stored.id, message.file)
            except (FileTooLarge, FileGone) as error:
                return Answer(Outcome.OFFICER, error=type(error).__name__)
            except SendFailed as failed:
                raise TurnTrouble(f"file: {failed.detail}") from None
        return Answer(Outcome.OFFICER)

    async def _wants_back(self, conversation: uuid.UUID, message: Message) -> bool:
        if message.choice is not None:
            return (await self._choice(conversation, message.choice)).get("choice") == BACK
        said = " ".join((message.text or "").lower().split()).strip(" .!\"'")
        return said in self._returning

    def _told(self, key: str, **values: str | int) -> Answer:
        return Answer(Outcome.TOLD, (Reply(self._texts(key, **values)),))

    def _told_of(self, family: str, kind: str) -> Answer:
        return Answer(Outcome.TOLD, (Reply(self._texts.of(family, kind)),), error=kind)


def _circumstances(stored: Stored, linked: Sequence[uuid.UUID]) -> dict[str, Any]:
    """What the dialogue is to know besides, where there is any of it."""
    return {
        **({"linked": [str(other) for other in linked]} if linked else {}),
        **({"early": True} if stored.early else {}),
    }


def _message_id(external_id: str) -> str:
    """The provider's own id: it stays what it was even when our database is put back from a copy."""
    if len(external_id) <= _LONGEST_MESSAGE_ID:
        return external_id
    return hashlib.sha256(external_id.encode()).hexdigest()


def _unreadable(stored: Stored, error: Exception) -> Answer:
    _logger.warning("inbox %d of %s can't be read: %s", stored.id, stored.channel, fault(error))
    return Answer(Outcome.UNREADABLE, error=fault(error))
