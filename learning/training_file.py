"""Rasa's YAML of labelled messages: blocks of one intent, the other labels as their metadata."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from learning.example import Example

__all__ = ["TrainingFileUnfit", "parse", "read_file", "read_folder", "render", "replace_file"]

_ITEM = re.compile(r"^\s*-\s+(.*\S)\s*$", re.MULTILINE)
_ANNOTATION = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TrainingFileUnfit(ValueError):
    """The file isn't one of labelled messages; the message is an Indonesian sentence that says where."""


def read_folder(folder: Path) -> list[Example]:
    """Of all `*.yml` in it, by name; none where there is no folder. Raises TrainingFileUnfit."""
    return [example for path in sorted(folder.glob("*.yml")) for example in read_file(path)]


def read_file(path: Path) -> list[Example]:
    """Raises TrainingFileUnfit."""
    return parse(path.read_bytes(), path.name)


def parse(content: bytes | str, name: str) -> list[Example]:
    """A file's content; `name` is what it is called in the error. Raises TrainingFileUnfit."""
    try:
        written = content if isinstance(content, str) else content.decode("utf-8")
        return [example for block in yaml.load(written, _Loader)["nlu"] for example in _read(block)]  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError):
        raise TrainingFileUnfit(f"{name} bukan berkas contoh Rasa (versi 3.1, kunci nlu, intent, examples).") from None


def render(examples: Iterable[Example]) -> str:
    """The file's text: blocks by intent and labels, messages in the order given. The same for the same examples."""
    blocks: list[str] = []
    for labels, group in itertools.groupby(sorted(examples, key=_labels), key=_labels):
        intent, service, variety, author = labels
        metadata = {"layanan": service, "ragam": variety, "penulis": author}
        given = ", ".join(f"{name}: {_scalar(value)}" for name, value in metadata.items() if value)
        blocks.append(f"- intent: {_scalar(intent)}\n")
        if given:
            blocks.append(f"  metadata: {{{given}}}\n")
        blocks.append("  examples: |\n")
        blocks.extend(f"    - {_unannotated(example.text)}\n" for example in group)
    return f'version: "3.1"\nnlu:\n{"".join(blocks)}' if blocks else 'version: "3.1"\nnlu: []\n'


def replace_file(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never a part; of two who write at once one is last, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _read(block: dict[str, Any]) -> Sequence[Example]:
    labels = block.get("metadata") or {}
    return [
        Example(
            _ANNOTATION.sub(r"\1", text),
            str(block["intent"]),
            labels.get("layanan") or None,
            str(labels.get("ragam") or ""),
            str(labels.get("penulis") or ""),
        )
        for text in _ITEM.findall(block["examples"])
    ]


def _labels(example: Example) -> tuple[str, str, str, str]:
    return example.intent, example.service or "", example.variety, example.author


def _scalar(value: str) -> str:
    if _PLAIN.fullmatch(value) and value not in ("yes", "no", "on", "off", "true", "false", "null", "y", "n"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unannotated(text: str) -> str:
    """Rasa reads `[word](entity)` as an entity; a citizen who writes so means nothing by it."""
    return " ".join(text.replace("](", "] (").replace("]{", "] {").split())
