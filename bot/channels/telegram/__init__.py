"""Telegram, by its Bot API (10.0) and python-telegram-bot's client."""

import os

from bot.channels.telegram.channel import Telegram, TelegramSettings, verify_secret

__all__ = ["Telegram", "TelegramSettings", "verify_secret"]

# Durations as timedelta; without it the library warns each time Telegram asks us to wait.
os.environ.setdefault("PTB_TIMEDELTA", "true")
