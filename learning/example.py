"""One labelled message."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Example", "key"]


@dataclass(frozen=True)
class Example:
    """`service`: a service or a family of the catalogue, None where the message names none.

    Raises ValueError for a text that is blank or has more than one line.
    """

    text: str
    intent: str
    service: str | None = None
    variety: str = ""
    """`ragam` of `docs/rooms.md`, "" unknown"""
    author: str = ""
    """`penulis`"""

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text.splitlines()) != 1:
            raise ValueError("an example is one line of text")


def key(text: str) -> str:
    """The same for texts that differ in capitals, blanks or punctuation only; a text of nothing else is its own."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text.strip()
