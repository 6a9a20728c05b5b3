"""What an error of the Bot API means for the message."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.channel import SendFailed, SendFailure
from bot.channels.telegram.request import NOT_SENT
from identity import redact

__all__ = ["refusal"]

_WHOLE_BOT = timedelta(minutes=1)
_UNREACHABLE = ("chat not found", "user is deactivated", "user not found", "peer_id_invalid")


def refusal(error: TelegramError) -> SendFailed:
    failure, code = _classify(error)
    return SendFailed(failure, code, redact(str(error)), _retry_after(error))


def _classify(error: TelegramError) -> tuple[SendFailure, int | None]:
    match error:
        case Forbidden():
            return SendFailure.RECIPIENT, 403
        case ChatMigrated():
            return SendFailure.RECIPIENT, 400
        case RetryAfter():
            return _flood(error), 429
        case InvalidToken() | EndPointNotFound():
            return SendFailure.OPERATOR, 401
        case Conflict():
            return SendFailure.OPERATOR, 409
        case BadRequest():
            unreachable = any(reason in str(error).lower() for reason in _UNREACHABLE)
            return SendFailure.RECIPIENT if unreachable else SendFailure.PAYLOAD, 400
        case NetworkError():
            return _broken(error), None
        case _:
            return SendFailure.UNKNOWN, None


def _flood(error: RetryAfter) -> SendFailure:
    """Telegram doesn't say whether the chat or the bot was too fast; a chat's pause is seconds, the bot's is long."""
    return SendFailure.CHANNEL_BUSY if (_retry_after(error) or timedelta()) > _WHOLE_BOT else SendFailure.RETRY


def _broken(error: NetworkError) -> SendFailure:
    """An answer of 5xx carried nothing out; a connection that broke or timed out after the request may have."""
    cause = error.__cause__
    return (
        SendFailure.UNKNOWN
        if isinstance(cause, aiohttp.ClientError | TimeoutError) and not isinstance(cause, NOT_SENT)
        else SendFailure.RETRY
    )


def _retry_after(error: TelegramError) -> timedelta | None:
    if not isinstance(error, RetryAfter):
        return None
    return error.retry_after if isinstance(error.retry_after, timedelta) else timedelta(seconds=error.retry_after)
