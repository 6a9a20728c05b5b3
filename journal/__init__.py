"""What the parts write into their logs, and which turn they wrote it for.

A leaf beside `identity`: every room may import it, and it runs on Python 3.10 too.
"""

from journal.lines import JsonLines, PlainLines, write_lines
from journal.spans import send_spans, span
from journal.turn import TURN_HEADER, begin_turn, of_turn, present_turn, turn_header

__all__ = [
    "TURN_HEADER",
    "JsonLines",
    "PlainLines",
    "begin_turn",
    "of_turn",
    "present_turn",
    "send_spans",
    "span",
    "turn_header",
    "write_lines",
]
