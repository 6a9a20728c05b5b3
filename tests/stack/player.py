"""Plays a conversation on a channel of a running stack and checks what each answer, and the end of it, must be like."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from backend.catalogue import Catalogue
from identity import mask_numbers
from praja.rehearsal import NUMBER, Lost, Move, Person, Rehearsal
from tests.stack.citizen import Heard, is_title, make_move, new_nik, new_phone, said, titles_of
from tests.stack.conversation import (
    After,
    Conversation,
    Expectation,
    ExpectedFiling,
    Fill,
    Officer,
    SentPicture,
    Step,
    Wanted,
)
from tests.stack.papers import paper
from tests.stack.running import Running

__all__ = ["Differs", "Player"]

_PUSH = 60.0
"""seconds within which a citizen is told of an officer's act"""
_ATTEMPTS = 60
_PATIENCE = 3
"""times that `fill` gives the same answer to the same question"""
_CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b")
_IDENTITY = re.compile(r"(?<!\d)35\d{14}(?!\d)")
_FOREIGN = ("Traceback", "Exception", "Internal Server Error", "null", "undefined")
T = TypeVar("T", bound=BaseModel)


class Differs(AssertionError):
    """The conversation went another way than the file says; the message is the transcript."""


class Player:
    def __init__(self, stack: Running, catalogue: Catalogue, channel: str, conversation: Conversation) -> None:
        self._stack = stack
        self._channel = channel
        self._conversation = conversation
        self._phone = new_phone(stack, channel)
        self._names = {
            "nik": new_nik(),
            "nik_pria": new_nik(woman=False, born="120585"),
            "nik_anak": new_nik(born="030920"),
            "kk": "3515080101150007",
            "hp": self._phone.own_number,
        }
        self._catalogue = catalogue
        entries = {**catalogue.services, **catalogue.forms}
        self._form = [entries[conversation.service]] if conversation.service else list(entries.values())
        self._heard: list[Heard] = []
        """the last answer"""
        self._all: list[Heard] = []
        self._numbers: list[str] = []
        self._transcript: list[str] = []

    def play(self) -> None:
        """Raises Differs."""
        for position, step in enumerate(self._conversation.steps, 1):
            if step.only and self._channel not in step.only:
                continue
            try:
                self._do(step)
            except AssertionError as error:
                raise Differs(self._told(f"step {position} ({step.act}): {error}")) from None
            except Lost:
                raise Differs(self._told(f"step {position}: nobody could answer that")) from None
        try:
            self._check(self._conversation.after)
        except AssertionError as error:
            raise Differs(self._told(f"after: {error}")) from None

    def _do(self, step: Step) -> None:
        expected = self._filled(step.expect) if step.expect is not None else None
        match step.act:
            case "wait":
                assert step.wait is not None
                time.sleep(step.wait)
                self._hear(self._phone.later(0.1), expected, may_be_silent=True)
            case "restart":
                assert step.restart is not None
                self._note(f"-- {step.restart} is killed and comes up again")
                self._stack.kill(step.restart)
                self._stack.wait_until_ready(180)
            case "down":
                assert step.down is not None
                self._note(f"-- {step.down} is down")
                self._stack.take_down(step.down)
            case "up":
                self._note("-- everything is up again")
                self._stack.bring_up()
                if expected is not None:
                    self._hear_later(expected)
            case "officer":
                assert step.officer is not None
                self._officer(step.officer)
                self._hear_later(expected or Expectation())
            case "holds":
                assert step.holds is not None
                self._check(step.holds)
            case "again":
                self._again(expected)
            case "fill":
                assert step.fill is not None
                self._fill(self._filled(step.fill))
                if expected is not None:
                    meets(expected, self._heard)
            case _:
                heard, messages = self._speak(self._filled(step))
                self._hear(heard, expected, messages=messages)

    def _speak(self, step: Step) -> tuple[list[Heard], int]:
        """What came back, and to how many messages."""
        phone = self._phone
        match step.act:
            case "say":
                assert step.say is not None
                self._note(f"> {step.say}")
                return phone.say(step.say), 1
            case "tap":
                assert step.tap is not None
                for title in step.tap:
                    if any(is_title(shown, title) for shown in titles_of(self._heard)):
                        self._note(f"> [{title}]")
                        return phone.tap(title), 1
                    if self._is_numbered(title):
                        self._note(f"> {title}")
                        return phone.say(title), 1
                raise AssertionError(f"none of {list(step.tap)} is offered, only {titles_of(self._heard)}")
            case "number":
                self._note(f"> {step.number}")
                return phone.say(str(step.number)), 1
            case "photo" | "file":
                picture = step.photo or step.file
                assert picture is not None
                self._note(f"> <{picture.kind} {picture.label}> {picture.caption or ''}")
                return phone.send_file(paper(picture, as_document=step.file is not None), picture.caption), 1
            case "album":
                assert step.album is not None
                self._note("> " + " ".join(f"<{picture.kind} {picture.label}>" for picture in step.album))
                return phone.send_at_once([paper(picture) for picture in step.album]), len(step.album)
            case "burst":
                assert step.burst is not None
                self._note("> " + " | ".join(step.burst))
                return phone.send_at_once(step.burst), len(step.burst)
            case "location":
                assert step.location is not None
                self._note(f"> <location {step.location.latitude}, {step.location.longitude}>")
                return phone.send_location(step.location.latitude, step.location.longitude), 1
            case "contact":
                assert step.contact is not None
                self._note("> <contact>")
                return phone.send_contact(phone.own_number if step.contact == "own" else step.contact), 1
        raise ValueError(step.act)

    def _is_numbered(self, title: str) -> bool:
        """Where too many choices for buttons stand as numbered lines."""
        return bool(re.search(rf"^\d+\. {re.escape(title)}$", said(self._heard), re.MULTILINE | re.IGNORECASE))

    def _fill(self, fill: Fill) -> None:
        person = Person(nik=self._names["nik"], phone=self._names["hp"])
        rehearsal = Rehearsal.of(self._catalogue, self._form, person, fill.answers)
        tried: list[tuple[str, Move]] = []
        earlier = set(self._numbers)
        for _ in range(_ATTEMPTS):
            asked = rehearsal.asked(said(self._heard))
            is_review = "Kirim" in titles_of(self._heard)
            if fill.until == ("review" if is_review else asked and asked.id):
                return
            if fill.until == "number" and set(NUMBER.findall(said(self._heard))) - earlier:
                return
            assert not is_review or fill.until == "number", f"the review came before {fill.until} was asked for"
            move = rehearsal.next(said(self._heard), titles_of(self._heard))
            tried.append((asked.id if asked else "", move))
            assert tried.count(tried[-1]) <= _PATIENCE, f"{tried[-1][0]} is asked again and again after {move}"
            self._note(f"> {move}")
            self._hear(make_move(self._phone, rehearsal, self._heard), None)
        raise AssertionError(f"{fill.until} was never asked for")

    def _again(self, expected: Expectation | None) -> None:
        heard = self._phone.repeat()
        if heard is None:
            return
        self._note("-- the last message is delivered once more")
        assert not heard or expected is not None, f"answered twice: {said(heard)}"
        self._hear(heard, expected, may_be_silent=True)

    def _officer(self, act: Officer) -> None:
        assert self._numbers, "no filing has been named yet"
        number = self._numbers[-1]
        self._note(f"-- officer: {act.to or ''} {act.note} {act.result or ''}")
        if act.result is not None:
            sent = paper(SentPicture.model_validate({"kind": "pdf" if act.result == "pdf" else "good"}))
            self._stack.upload_result(number, sent.content, sent.content_type)
        if act.to is not None:
            fix = [flaw.model_dump(exclude_none=True) for flaw in act.fix]
            self._stack.transition(number, act.to, act.note, **({"fix": fix} if fix else {}))

    def _hear_later(self, expected: Expectation) -> None:
        """Bubbles that come by themselves, until they are what is expected."""
        if expected.bubbles == 0:
            return
        deadline, heard = time.monotonic() + _PUSH, []
        while time.monotonic() < deadline:
            heard += self._phone.later(2)
            if heard and _is_met(expected, heard):
                break
        self._hear(heard, expected, messages=2)

    def _hear(
        self,
        heard: Sequence[Heard],
        expected: Expectation | None,
        *,
        messages: int = 1,
        may_be_silent: bool = False,
    ) -> None:
        for bubble in heard:
            self._note(f"< {bubble.text}" + (f"\n  {list(bubble.choices)}" if bubble.choices else ""))
        self._all += heard
        if heard:
            self._heard = list(heard)
        self._numbers += [n for n in NUMBER.findall(said(heard)) if n not in self._numbers]
        if found := _CODE.findall(said(heard)):
            self._names["code"] = found[-1]
        if expected is not None and expected.bubbles == 0:
            assert not heard, "something was said"
            return
        if not may_be_silent:
            assert heard, "silence"
        most = max(expected.bubbles if expected is not None else 2, 2 * (messages > 1) * messages)
        assert len(heard) <= most, f"{len(heard)} bubbles, at most {most}"
        _is_decent(heard)
        if expected is not None:
            meets(expected, heard)

    def _check(self, after: After) -> None:
        if after.filings is not None:
            mine = self._filings()
            assert [f["service"] for f in mine] == [f.service for f in after.filings], (
                f"filings are {[(f['number'], f['service'], f['state']) for f in mine]}"
            )
            for filing, expected in zip(mine, after.filings, strict=True):
                self._check_filing(filing, expected)
        _text_meets(self._filled(after.messages), said(self._all))
        if after.messages.at_most is not None:
            assert len(self._all) <= after.messages.at_most, f"{len(self._all)} bubbles of the bot"

    def _filings(self) -> list[dict[str, Any]]:
        """Of this citizen, oldest first: named in the conversation, or with a NIK that nobody else has."""
        suffixes = {self._names[name][-4:] for name in ("nik", "nik_pria", "nik_anak")}
        mine = [
            filing
            for filing in self._stack.filings()
            if filing["number"] in self._numbers or str(filing["applicant"]["nik"] or "")[-4:] in suffixes
        ]
        return sorted(mine, key=lambda filing: str(filing["submitted_at"]))

    def _check_filing(self, filing: Mapping[str, Any], expected: ExpectedFiling) -> None:
        number = filing["number"]
        assert filing["state"] == expected.state, f"{number} is {filing['state']}, not {expected.state}"
        for name, wanted in expected.fields.items():
            answers = {one["field"]: one["value"] for one in self._stack.dossier(number, reveal=name)["answers"]}
            assert name in answers, f"{number} has no {name}, only {', '.join(answers)}"
            try:
                _text_meets(self._filled(wanted), answers[name])
            except AssertionError as error:
                raise AssertionError(f"{number}'s {name}: {error}") from None
        pages = {one["document"]: len(one["pages"]) for one in self._stack.dossier(number)["documents"]}
        counted = {key: pages.get(key, 0) for key in expected.documents} if not expected.exactly else pages
        assert counted == expected.documents, f"{number} has the documents {pages}"
        for key, value in expected.holds.items():
            assert filing.get(key) == value, f"{number}'s {key} is {filing.get(key)!r}, not {value!r}"

    def _filled(self, entry: T) -> T:
        """With the names in braces replaced: {nik}, {number} …"""
        names = {**self._names, **({"number": self._numbers[-1]} if self._numbers else {})}
        content = _replaced(entry.model_dump(by_alias=True), names)
        unknown = [name for name in ("number", "code") if f"{{{name}}}" in str(content)]
        assert not unknown, f"{{{unknown[0]}}} stands for nothing yet: the bot hasn't named one"
        return type(entry).model_validate({key: value for key, value in content.items() if value is not None})

    def _note(self, line: str) -> None:
        self._transcript.append(line)

    def _told(self, what: str) -> str:
        head = f"{self._conversation.title} on {self._channel}: {what}"
        return head + "\n\n" + "\n".join(mask_numbers(line) for line in self._transcript[-40:])


def meets(expected: Expectation, heard: Sequence[Heard]) -> None:
    _text_meets(expected, said(heard))
    shown = titles_of(heard)
    numbered = re.findall(r"^\d+\. (.+)$", said(heard), re.MULTILINE)
    for title in expected.choices:
        assert any(is_title(one, title) for one in (*shown, *numbered)), f"{title!r} isn't offered, only {shown}"
    for title in expected.no_choices:
        assert not any(is_title(one, title) for one in (*shown, *numbered)), f"{title!r} is offered"


def _is_met(expected: Expectation, heard: Sequence[Heard]) -> bool:
    try:
        meets(expected, heard)
    except AssertionError:
        return False
    return True


def _text_meets(wanted: Wanted, text: str) -> None:
    folded = _fold(text)
    for words in wanted.contains:
        assert _fold(words) in folded, f"{words!r} isn't in it"
    assert not wanted.any_of or any(_fold(words) in folded for words in wanted.any_of), f"none of {wanted.any_of}"
    for words in wanted.lacks:
        assert _fold(words) not in folded, f"{words!r} is in it"
    for pattern in wanted.matches:
        assert re.search(pattern, text, re.IGNORECASE), f"/{pattern}/ isn't found"


def _is_decent(heard: Sequence[Heard]) -> None:
    """What no answer may be, whatever the conversation."""
    text = said(heard)
    for words in _FOREIGN:
        assert words not in text, f"{words} is no word for a citizen"
    written = _IDENTITY.findall(text)
    # The examples of the catalogue's questions are nobody's.
    assert all(number.endswith("9999") for number in written), "a number of a person stands in clear"
    assert all(bubble.text.strip() for bubble in heard if not bubble.choices), "an empty bubble"


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {key: _replaced(inner, names) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(inner, names) for inner in value]
    return value


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
