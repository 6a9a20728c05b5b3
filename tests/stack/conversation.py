"""Long conversations as files: `tests/conversations/*.yml`, explained in `docs/conversations.md`.

A file that doesn't fit is refused with its line and what to do, so that whoever writes one needs no programmer.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from backend.catalogue import Catalogue, load_catalogue
from backend.states import State

__all__ = [
    "NAMES",
    "After",
    "Conversation",
    "ConversationError",
    "Expectation",
    "ExpectedFiling",
    "Fill",
    "Officer",
    "Picture",
    "Step",
    "Wanted",
    "load_conversation",
]

NAMES = ("nik", "nik_pria", "nik_anak", "kk", "hp", "number", "code")
"""what may stand in braces"""
Part = Literal["bot", "rasa", "actions", "backend"]
Text = Annotated[str, StringConstraints(min_length=1)]


class ConversationError(Exception):
    """A file doesn't fit; the message names file, line and what to do, one finding a line."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


T = TypeVar("T")
ListOf = Annotated[tuple[T, ...], BeforeValidator(_listed)]
"""one alone may be written without brackets"""
Texts = ListOf[Text]


def _is_regular(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return pattern


Patterns = ListOf[Annotated[Text, BeforeValidator(_is_regular)]]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(_Entry):
    """What a text must be like, whatever its capitals and spaces."""

    contains: Texts = Field(default=(), description="all of them")
    any_of: Texts = Field(default=(), description="at least one of them")
    lacks: Texts = Field(default=(), description="none of them")
    matches: Patterns = Field(default=(), description="regular expressions that are found, all of them")


def _wanted(value: Any) -> Any:
    if isinstance(value, (int, float)):
        raise ValueError("must be text; put it in quotes")  # noqa: TRY004  (pydantic wants it)
    return {"contains": value} if isinstance(value, (str, list)) else value


class Expectation(Wanted):
    choices: Texts = Field(default=(), description="titles that are offered, all of them")
    no_choices: Texts = Field(default=(), description="titles that aren't")
    bubbles: int = Field(default=2, ge=0, description="at most; 0 = the bot says nothing")


class Picture(enum.StrEnum):
    GOOD = "good"
    BLURRED = "blurred"
    DARK = "dark"
    SMALL = "small"
    PDF = "pdf"
    LOCKED_PDF = "locked_pdf"
    PROGRAM = "program"
    TEXT = "text"
    VOICE = "voice"


class SentPicture(_Entry):
    kind: Picture = Picture.GOOD
    label: Text = "BERKAS"
    caption: Text | None = None


def _picture(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


PictureToSend = Annotated[SentPicture, BeforeValidator(_picture)]


class Location(_Entry):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Fill(_Entry):
    """Answers what the form asks, as any citizen would, until something is asked."""

    until: Text = Field(description="id of a field or document that is asked for, `review`, or `number`")
    answers: Mapping[str, str] = Field(default_factory=dict, alias="with")


class Flaw(_Entry):
    field: Text | None = None
    document: Text | None = None
    reason: Text

    @model_validator(mode="after")
    def _names_one(self) -> Flaw:
        if (self.field is None) == (self.document is None):
            raise ValueError("write either `field:` or `document:`")
        return self


class Officer(_Entry):
    """An officer's act on the last filing that was named in the conversation."""

    to: Literal["MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DITOLAK", "DISETUJUI", "SELESAI"] | None = None
    note: str = ""
    fix: ListOf[Flaw] = ()
    result: Literal["pdf", "photo"] | None = Field(default=None, description="the finished document")

    @model_validator(mode="after")
    def _acts(self) -> Officer:
        if self.to is None and self.result is None:
            raise ValueError("write what the officer does: `to: STATE` or `result: pdf`")
        if self.fix and self.to != "PERLU_PERBAIKAN":
            raise ValueError("`fix` goes with `to: PERLU_PERBAIKAN`")
        return self


class ExpectedFiling(_Entry):
    service: Text
    state: State
    fields: Mapping[str, Annotated[Wanted, BeforeValidator(_wanted)]] = Field(default_factory=dict)
    documents: Mapping[str, int] = Field(default_factory=dict, description="pages of each")
    exactly: bool = Field(default=False, description="`documents` are all there are")
    holds: Mapping[str, Any] = Field(default_factory=dict, description="values of the filing as an officer sees it")


class Messages(Wanted):
    at_most: int | None = Field(default=None, description="bubbles of the bot in the whole conversation")


class After(_Entry):
    filings: ListOf[ExpectedFiling] | None = Field(default=None, description="all of this citizen, in order")
    messages: Messages = Messages()


_ACTS = (
    *("say", "tap", "number", "photo", "file", "album", "burst", "location", "contact", "fill"),
    *("wait", "restart", "down", "up", "again", "officer", "holds"),
)


class Step(_Entry):
    """One act, and what is expected then."""

    say: Text | None = None
    tap: Texts | None = Field(default=None, description="a choice by its title; of several titles the first one shown")
    number: int | None = Field(default=None, ge=1, description="a choice by its number, typed")
    photo: PictureToSend | None = None
    file: PictureToSend | None = Field(default=None, description="like photo, sent as a document")
    album: ListOf[PictureToSend] | None = Field(default=None, description="several without waiting")
    burst: Texts | None = Field(default=None, description="several messages without waiting")
    location: Location | None = None
    contact: Text | None = Field(default=None, description="`own`, or a phone number")
    fill: Fill | None = None
    wait: float | None = Field(default=None, description="seconds")
    restart: Part | None = Field(default=None, description="killed, and waited for until it works again")
    down: Part | None = Field(default=None, description="killed, and gone until `up`")
    up: Literal["all"] | None = None
    again: Literal["delivery"] | None = Field(default=None, description="the last message is delivered twice")
    officer: Officer | None = None
    holds: After | None = Field(default=None, description="what must be true now")

    expect: Annotated[Expectation | None, BeforeValidator(_wanted)] = None
    only: ListOf[Literal["simulator", "whatsapp", "telegram"]] = Field(
        default=(), description="left out on other channels"
    )

    @model_validator(mode="before")
    @classmethod
    def _is_a_mapping(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            raise ValueError("a step is `act: …`, for example `- say: halo`")  # noqa: TRY004  (pydantic wants it)
        named = [act for act in _ACTS if values.get(act) is not None]
        if len(named) != 1:
            found = ", ".join(named) or "none"
            raise ValueError(f"a step has one act of {', '.join(_ACTS)}; this one has {found}")
        return values

    @property
    def act(self) -> str:
        return next(act for act in _ACTS if getattr(self, act) is not None)


class Conversation(_Entry):
    title: Text
    about: Text = Field(description="what it shows, in a few words")
    speech: Literal["baku", "lisan", "gaul", "suroboyoan", "krama", "campur"] = Field(
        description="how the citizen talks, by the names of `ragam` in docs/rooms.md"
    )
    service: Text | None = Field(default=None, description="id of the service that `fill` fills in")
    quick: bool = Field(default=False, description="played by `make test` too")
    steps: tuple[Step, ...] = Field(min_length=1)
    after: After = After()


def load_conversation(path: Path) -> Conversation:
    """Raises ConversationError."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        raise ConversationError(f"{path}:{line}: isn't YAML ({problem}); look at indentation, colons, quotes") from None
    if not isinstance(content, dict):
        raise ConversationError(f"{path}:1: a conversation begins with `title:`; see docs/conversations.md")
    try:
        conversation = Conversation.model_validate(content)
    except ValidationError as error:
        findings = [(tuple(e["loc"]), _reason(e)) for e in error.errors()]
    else:
        findings = [*_unknown_names(content), *_unknown_ids(conversation, _catalogue())]
        if not findings:
            return conversation
    lines = [f"{path}:{_line(node, location)}: {_where(location)}{reason}" for location, reason in findings]
    raise ConversationError("\n".join(lines))


_Finding = tuple[tuple[int | str, ...], str]
_catalogue = functools.cache(lambda: load_catalogue(Path(__file__).resolve().parents[2] / "data"))
_ENDS = ("review", "number")


def _unknown_names(value: Any, location: tuple[int | str, ...] = ()) -> Iterator[_Finding]:
    if isinstance(value, str):
        for name in re.findall(r"\{([a-z_]+)\}", value):
            if name not in NAMES:
                known = " ".join(f"{{{one}}}" for one in NAMES)
                yield location, f"nothing is called {{{name}}}; there are {known}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _unknown_names(inner, (*location, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _unknown_names(inner, (*location, position))


def _unknown_ids(conversation: Conversation, catalogue: Catalogue) -> Iterator[_Finding]:
    """Of services, fields and documents, which the conversation would look for in vain."""
    if conversation.service is not None and conversation.service not in {**catalogue.services, **catalogue.forms}:
        yield ("service",), f"no {conversation.service}.yml in data/layanan or data/formulir"
        return
    asked = _asked_by(catalogue, conversation.service)
    for position, step in enumerate(conversation.steps):
        if step.fill is None:
            continue
        there = ("steps", position, "fill")
        if step.fill.until not in (*asked, *_ENDS):
            yield (*there, "until"), f"{step.fill.until} is never asked for; there are {', '.join((*asked, *_ENDS))}"
        for name in step.fill.answers:
            if name not in asked:
                yield (*there, "with", name), f"{name} is never asked for; there are {', '.join(asked)}"
    for position, filing in enumerate(conversation.after.filings or ()):
        if filing.service not in {**catalogue.services, **catalogue.forms}:
            yield ("after", "filings", position, "service"), f"no {filing.service}.yml in data/layanan or data/formulir"


def _asked_by(catalogue: Catalogue, service: str | None) -> list[str]:
    entries = {**catalogue.services, **catalogue.forms}
    those = [entries[service]] if service is not None else list(entries.values())
    asked = [*catalogue.representative_fields, catalogue.power_of_attorney]
    return list(dict.fromkeys(one.id for one in [*asked, *(o for e in those for o in (*e.fields, *e.documents))]))


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """The line of the deepest node on the way that the file really has."""
    for step in location:
        inner: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step]
        if inner is None:
            break
        node = inner
    return int(node.start_mark.line) + 1 if node is not None else 1


def _where(location: Sequence[int | str]) -> str:
    names = [str(step + 1) if isinstance(step, int) else step for step in location]
    return f"`{'.'.join(names)}`: " if names else ""


_REASONS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "there is no such key; misspelt? docs/conversations.md lists them",
    "string_type": "must be text; put it in quotes",
}


def _reason(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return _REASONS.get(error["type"], error["msg"])
