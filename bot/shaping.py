"""Replies become bubbles: as few as read well, each within what the channel can show. Pure functions.

Rasa's channel reads a typed number as the position among *all* choices of its last turn, so numbers run through a turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.channel import Capabilities
from bot.reply import Bubble, Choice, FileLink, Reply

__all__ = ["shape", "split_text"]

_MOST_BUBBLES = 2
_CAPTION = 1024
"""the shortest caption of a file among our channels"""
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s+"), re.compile(r"\s+"))
"""where a text may be cut, best first"""


@dataclass
class _Group:
    """What goes together: texts, and the choices that end them; or a file with its caption."""

    texts: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    first_number: int = 1
    file: FileLink | None = None


def shape(replies: Sequence[Reply], capabilities: Capabilities, prompt: str) -> list[Bubble]:
    """The bubbles of a turn, in order; `prompt` stands above numbered choices ("Balas dengan angka:")."""
    return [
        bubble for group in _few(_groups(replies, capabilities)) for bubble in _bubbles(group, capabilities, prompt)
    ]


def split_text(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut between paragraphs, lines, sentences or words, whichever works first.

    Nothing but white space at the cuts is lost; empty text has no parts.
    """
    parts = []
    rest = text.strip()
    while rest:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return parts


def _split_tail(text: str, limit: int) -> list[str]:
    """Two parts, the last as long as `limit` and a good place to cut allow: the buttons stand under it."""
    for pattern in _BREAKS:
        cuts = [match.end() for match in pattern.finditer(text) if 0 < _length(text[match.end() :]) <= limit]
        if cuts:
            return [text[: cuts[0]].rstrip(), text[cuts[0] :]]
    cut = len(text) - limit
    while _length(text[cut:]) > limit:
        cut += 1
    return [text[:cut], text[cut:]]


def _groups(replies: Sequence[Reply], capabilities: Capabilities) -> Iterator[_Group]:
    group = _Group()
    number = 1
    for reply in replies:
        text = reply.text.strip()
        if reply.file is not None:
            if group.texts or group.choices:
                yield group
            captioned = not reply.choices and _length(text) <= min(_CAPTION, capabilities.text)
            yield _Group(texts=[text] if captioned else [], file=reply.file)
            group = _Group()
            text = "" if captioned else text
        if text:
            group.texts.append(text)
        if reply.choices:
            group.choices.extend(reply.choices)
            group.first_number = number
            number += len(reply.choices)
            yield group
            group = _Group()
    if group.texts:
        yield group


def _few(groups: Iterator[_Group]) -> list[_Group]:
    """Join from the front what lies between two files, until there are no more than two."""
    few: list[_Group] = []
    since_file = 0
    for group in groups:
        if group.file is not None:
            since_file = 0
        elif since_file < _MOST_BUBBLES:
            since_file += 1
        else:
            second, first = few.pop(), few.pop()
            few.append(_joined(first, second))
        few.append(group)
    return few


def _joined(first: _Group, second: _Group) -> _Group:
    return _Group(
        texts=first.texts + second.texts,
        choices=first.choices + second.choices,
        first_number=first.first_number if first.choices else second.first_number,
    )


def _bubbles(group: _Group, capabilities: Capabilities, prompt: str) -> list[Bubble]:
    text = "\n\n".join(group.texts)
    if group.file is not None:
        return [Bubble(text, file=group.file)]
    choices, spelled_out = _fitted(group.choices, capabilities)
    if choices and not text and not spelled_out:
        text = prompt
    if spelled_out:
        lines = [f"{group.first_number + i}. {_title(choice, i)}" for i, choice in enumerate(group.choices)]
        text = "\n\n".join(filter(None, [text, "\n".join([prompt, *lines])]))
    parts = split_text(text, capabilities.text)
    if choices and _length(parts[-1]) > capabilities.text_with_choices:
        parts[-1:] = _split_tail(parts[-1], capabilities.text_with_choices)
    return [*(Bubble(part) for part in parts[:-1]), Bubble(parts[-1], tuple(choices))]


def _fitted(choices: Sequence[Choice], capabilities: Capabilities) -> tuple[list[Choice], bool]:
    """The choices to be tapped, and whether they must also be spelled out: a list, cut titles, or none to tap at all."""
    if len(choices) <= capabilities.buttons:
        limit = capabilities.button_title
    elif len(choices) <= capabilities.rows:
        limit = capabilities.row_title
    else:
        return [], True
    fitted: list[Choice] = []
    for i, choice in enumerate(choices):
        title = _unique(_title(choice, i), limit, {earlier.title.casefold() for earlier in fitted})
        fitted.append(replace(choice, title=title))
    cut = any(short.title != whole.title for short, whole in zip(fitted, choices, strict=True))
    return fitted, cut or len(choices) > capabilities.buttons


def _title(choice: Choice, position: int) -> str:
    return " ".join(choice.title.split()) or f"Pilihan {position + 1}"


def _unique(title: str, limit: int, taken: set[str]) -> str:
    short = title if _length(title) <= limit else _shorten(title, limit, "…")
    copy = 2
    while short.casefold() in taken:
        short = _shorten(title, limit, f" ({copy})") if _length(title) + 4 > limit else f"{title} ({copy})"
        copy += 1
    return short


def _shorten(title: str, limit: int, ending: str) -> str:
    kept = title
    while _length(kept) + _length(ending) > limit:
        kept = kept[:-1]
    return kept.rstrip() + ending


def _cut(text: str, limit: int) -> int:
    """Where to end the first part, in characters; at least one."""
    if _length(text) <= limit:
        return len(text)
    longest = limit
    while _length(text[:longest]) > limit:
        longest -= 1
    for pattern in _BREAKS:
        cuts = [match.end() for match in pattern.finditer(text, 0, longest)]
        # A part of a few words reads worse than a cut at the next weaker place.
        if cuts and cuts[-1] > longest // 3:
            return cuts[-1]
    return max(longest, 1)


def _length(text: str) -> int:
    """In UTF-16 units, as Telegram counts; never less than the characters WhatsApp counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
