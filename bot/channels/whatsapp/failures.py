"""What a refusal of Meta's means for the message (support/error-codes as of 2026-09).

Meta: build on `code` and `error_data.details`; titles and subcodes go away.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.channel import SendFailed, SendFailure
from identity import redact

__all__ = ["CODES", "PAIR_RATE", "WINDOW", "refusal"]

WINDOW = 131047
PAIR_RATE = 131056

CODES: Mapping[int, SendFailure] = {
    # 1, 2, 131000, 131016: Meta's own trouble
    **dict.fromkeys((1, 2, 131000, 131016, PAIR_RATE), SendFailure.RETRY),
    # call limits of app, account and number; the number is being upgraded or moved
    **dict.fromkeys((4, 80007, 130429, 131057, 133016, 2494100), SendFailure.CHANNEL_BUSY),
    WINDOW: SendFailure.WINDOW_CLOSED,
    # undeliverable, blocked by us, ourselves, Meta's limit on marketing, opted out, in an experiment, not on the test
    # list, needs a phone number
    **dict.fromkeys((131026, 130403, 131021, 131049, 131050, 130472, 131030, 131062), SendFailure.RECIPIENT),
    **dict.fromkeys((100, 131008, 131009, 131051, 131053), SendFailure.PAYLOAD),
    **dict.fromkeys((132000, 132001, 132005, 132007, 132012, 132068, 132069), SendFailure.PAYLOAD),
    # token, permission, policy, display name, registration, payment, certificate, spam
    **dict.fromkeys((0, 3, 10, 33, 190, *range(200, 300), 368, 130497), SendFailure.OPERATOR),
    **dict.fromkeys((131005, 131031, 131037, 131042, 131044, 131045, 131048, 131064), SendFailure.OPERATOR),
}


def refusal(status: int, body: object, *, retry_after: timedelta | None = None) -> SendFailed:
    """From an answer that isn't 2xx. Without an error of Meta's in it, a gateway answered, and what became of the message
    is known only for 503 and for 4xx.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return SendFailed(_by_status(status, answered=False), None, f"HTTP {status}", retry_after)
    code = error.get("code")
    code = code if isinstance(code, int) else None
    failure = CODES.get(code) if code is not None else None
    return SendFailed(failure or _by_status(status, answered=True), code, _detail(error), retry_after)


def _by_status(status: int, *, answered: bool) -> SendFailure:
    if status == 429:
        return SendFailure.CHANNEL_BUSY
    if status in (401, 403):
        return SendFailure.OPERATOR
    if status >= 500:
        return SendFailure.RETRY if answered or status == 503 else SendFailure.UNKNOWN
    return SendFailure.PAYLOAD


def _detail(error: Mapping[str, Any]) -> str:
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, Mapping) else None
    return redact(str(details or error.get("message") or "no details"))
