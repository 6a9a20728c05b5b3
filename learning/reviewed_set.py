"""The reviewed set: a district's own labelled messages beside those that come with the code."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
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
        return _version(self._files())

    def version_with(self, name: str, content: str | None) -> str:
        """What it will be once the file `name`.yml holds this; None: once it is gone."""
        files = self._files()
        files.pop(f"{name}.yml", None)
        return _version(files if content is None else {**files, f"{name}.yml": content.encode()})

    def _files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self._folder.glob("*.yml")}


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:12] if files else ""
