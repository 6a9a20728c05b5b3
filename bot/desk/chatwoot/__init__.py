"""Chatwoot as the desk, through an inbox of its API channel; what of it is documented is in `docs/desk.md`."""

from bot.desk.chatwoot.client import ChatwootSettings
from bot.desk.chatwoot.desk import ChatwootDesk
from bot.desk.chatwoot.webhook import ChatwootDoor

__all__ = ["ChatwootDesk", "ChatwootDoor", "ChatwootSettings"]
