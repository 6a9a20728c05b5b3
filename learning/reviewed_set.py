"""The reviewed set: a district's own labelled messages beside those that come with the code."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from learning.example import Example
from learning.training_file import read_folder, render, replace_file

__all__ = ["MEASURED_FILE", "ReviewedSet"]

MEASURED_FILE = "acak.jsonl"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")


class ReviewedSet:
    """`folder`: `data/tinjauan`. A file in it belongs to whoever writes it and is only ever replaced whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> list[Example]:
        """Of all files. Raises TrainingFileUnfit."""
        return read_folder(self._folder)

    def write(self, name: str, examples: Iterable[Example]) -> str:
        """Replace the file `name`.yml, remove it where there are no examples; the set's version afterwards.

        Raises ValueError for a name that isn't of small letters, digits, `-` and `_`.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("name must be of small letters, digits, - and _")
        examples = list(examples)
        path = self._folder / f"{name}.yml"
        if examples:
            replace_file(path, render(examples))
        else:
            path.unlink(missing_ok=True)
        return self.version()

    def write_measured(self, examples: Iterable[Example]) -> None:
        """Replace the messages drawn at random from live traffic: asked by the gate, never learned."""
        lines = [
            json.dumps(
                {
                    "text": example.text,
                    "intent": example.intent,
                    "layanan": example.service,
                    "ragam": example.variety,
                    "entities": [],
                    "group": "acak",
                    "penulis": example.author,
                },
                ensure_ascii=False,
            )
            for example in examples
        ]
        path = self._folder / MEASURED_FILE
        if lines:
            replace_file(path, "\n".join(lines) + "\n")
        else:
            path.unlink(missing_ok=True)

    def version(self) -> str:
        """Twelve hexadecimal digits of the content; "" while there is nothing to learn in it."""
        files = sorted(self._folder.glob("*.yml"))
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()[:12] if files else ""
