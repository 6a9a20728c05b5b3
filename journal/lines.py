"""A log line: one JSON object with `at`, `level`, `part`, `logger`, `turn` and `message`; or the same to be read by people.

Long numbers are taken out of whatever is written, tracebacks too: no log of ours needs one, and a NIK or a phone is one.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from identity import redact
from journal.turn import present_turn

__all__ = ["JsonLines", "PlainLines", "write_lines"]


class JsonLines(logging.Formatter):
    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "part": self._part,
            "logger": record.name,
        }
        if turn := present_turn():
            line["turn"] = turn
        line["message"] = redact(record.getMessage())
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class PlainLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        turn = present_turn()
        return redact(super().format(record)) + (f" [turn {turn}]" if turn else "")


def write_lines(part: str, *, as_json: bool) -> None:
    """What is logged goes to standard error from now on, whatever was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(part) if as_json else PlainLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
