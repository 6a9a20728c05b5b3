"""A citizen with a phone: writes, taps, sends photos, and can file any service of the catalogue by answering what is asked."""

from __future__ import annotations

import base64
import functools
import itertools
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from backend.catalogue import Service, load_catalogue
from praja.rehearsal import NUMBER, Person, Photograph, Rehearsal, Say, Tap, sheet
from tests.fakes.whatsapp import FakeWhatsApp
from tests.stack.told import TOLD

if TYPE_CHECKING:
    from tests.stack.running import Running

CHANNELS = ("simulator", "whatsapp", "telegram")
MAXIMUM_MESSAGES = 60
WAITING = ("praja_inbox_backlog ", 'praja_outbox{state="queued"}')
"""what the bot's metrics count while it has something left to do"""
_LULL = 20.0
"""seconds after which nothing more is said, though there may be something left to do"""
_catalogue = functools.cache(lambda: load_catalogue(Path(__file__).resolve().parents[2] / "data"))
_serials = itertools.count(int(time.time()) % 4000 + 1000)
_senders = itertools.count(10_000 + uuid.uuid4().int % 80_000)


@dataclass(frozen=True)
class Heard:
    """One bubble: its text, and the titles of its choices."""

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class SentFile:
    name: str
    content_type: str
    content: bytes


class Phone(Protocol):
    """What a citizen can do on any channel; each gives what came back."""

    def say(self, text: str) -> list[Heard]: ...

    def tap(self, title: str) -> list[Heard]: ...

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]: ...


def said(heard: Sequence[Heard]) -> str:
    return "\n".join(bubble.text for bubble in heard)


def titles_of(heard: Sequence[Heard]) -> list[str]:
    return [title for bubble in heard for title in bubble.choices]


def new_nik(*, woman: bool = True, born: str = "170890") -> str:
    """Of nobody else in this session; `born` as ddmmyy."""
    day = int(born[:2]) + 40 * woman
    return f"351508{day:02d}{born[2:]}{next(_serials):04d}"


def new_phone(stack: Running, channel: str) -> AnyPhone:
    """A phone nobody used before."""
    sender = next(_senders)
    if channel == "simulator":
        return SimulatorPhone(stack.url, f"uji-{uuid.uuid4().hex[:12]}")
    assert stack.providers is not None, f"this stack has no {channel}"
    if channel == "whatsapp":
        number = f"+62812345{sender:05d}"
        TOLD.number(number)
        return FakePhone(stack.providers.whatsapp, stack.url, number, alias=FakeWhatsApp.bsuid(number))
    return FakePhone(stack.providers.telegram, stack.url, sender, is_fetched=True)


@dataclass
class SimulatorPhone:
    url: str
    sender: str
    choices: list[dict[str, str]] = field(default_factory=list)
    last: int = 0
    timeout: float = 60

    @property
    def own_number(self) -> str:
        return "+6281234599999"

    def say(self, text: str) -> list[Heard]:
        return self._send({"text": text})

    def tap(self, title: str) -> list[Heard]:
        chosen = next((c for c in self.choices if is_title(c["title"], title)), None)
        assert chosen is not None, f"no choice {title!r} in {[c['title'] for c in self.choices]}"
        return self._send({"choice": chosen["id"]})

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]:
        kind = "application/pdf" if name.endswith(".pdf") else "image/jpeg"
        return self.send_file(SentFile(name, kind, content))

    def send_file(self, file: SentFile, caption: str | None = None) -> list[Heard]:
        return self._send(_file(file, caption))

    def send_location(self, latitude: float, longitude: float) -> list[Heard]:
        return self._send({"location": {"lat": latitude, "lon": longitude}})

    def send_contact(self, number: str) -> list[Heard]:
        return self._send({"contact": {"phone": number}})

    def send_at_once(self, parcels: Sequence[str | SentFile]) -> list[Heard]:
        """Without waiting for an answer in between."""
        bodies = [{"text": one} if isinstance(one, str) else _file(one, None) for one in parcels]
        threads = [threading.Thread(target=self._post, args=(body,)) for body in bodies]
        for thread, parcel in zip(threads, parcels, strict=True):
            thread.start()
            # Texts keep their order. An album is there at once, and this channel answers within such a moment.
            time.sleep(0.1 if isinstance(parcel, str) else 0)
        for thread in threads:
            thread.join()
        return self.later()

    def repeat(self) -> list[Heard] | None:
        """Nobody delivers to the simulator twice."""
        return None

    def later(self, seconds: float = 0) -> list[Heard]:
        """What came without having been asked for: a status, an officer."""
        deadline = time.monotonic() + seconds
        while True:
            query = {"sender": self.sender, "after": str(self.last)}
            answer = httpx.get(f"{self.url}/simulator/messages", params=query, timeout=20)
            assert answer.status_code == 200, answer.text
            if (heard := self._take(answer.json()["replies"])) or time.monotonic() > deadline:
                return heard
            time.sleep(0.2)

    def _send(self, body: dict[str, Any]) -> list[Heard]:
        answer = self._post(body)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return self._take(answer.json()["replies"])

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        TOLD.order(body)
        return httpx.post(f"{self.url}/simulator/messages", json={"sender": self.sender, **body}, timeout=self.timeout)

    def _take(self, replies: list[dict[str, Any]]) -> list[Heard]:
        for reply in replies:
            self.last = max(self.last, int(reply["id"]))
            if reply["choices"]:
                self.choices = reply["choices"]
        return [Heard(r["text"], tuple(c["title"] for c in r["choices"])) for r in replies]


@dataclass
class FakePhone:
    """A phone on a fake provider that runs as a program, driven over its `/_control/`.

    What came back is complete when the bot has nothing left to answer or to send.
    """

    fake: str
    bot: str
    sender: str | int
    alias: str = ""
    """the sender's other address, where the provider has two"""
    is_fetched: bool = False
    """the bot asks for what was said, and has stored it once the provider keeps it no more"""
    seen: int = 0
    timeout: float = 90

    @property
    def own_number(self) -> str:
        return str(self.sender) if str(self.sender).startswith("+") else f"+6285{self.sender:08d}"

    def say(self, text: str) -> list[Heard]:
        return self._do("say", {"text": text})

    def tap(self, title: str) -> list[Heard]:
        """Where the channel shows a choice as a number in the text, the title is typed; a keyboard's button types it itself,
        or shares the own number.
        """
        if (typed := self._typed(title)) is not None:
            return self.send_contact(self.own_number) if typed["shares_contact"] else self.say(typed["title"])
        shown = self._shown(title)
        return self._do("tap", {"title": shown}) if shown is not None else self.say(title)

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]:
        return self.send_file(SentFile(name, "application/pdf" if name.endswith(".pdf") else "image/jpeg", content))

    def send_file(self, file: SentFile, caption: str | None = None) -> list[Heard]:
        return self._do(*_order(file, caption))

    def send_location(self, latitude: float, longitude: float) -> list[Heard]:
        return self._do("location", {"latitude": latitude, "longitude": longitude})

    def send_contact(self, number: str) -> list[Heard]:
        return self._do("contact", {"phone": number})

    def send_at_once(self, parcels: Sequence[str | SentFile]) -> list[Heard]:
        """Without waiting for an answer in between."""
        orders = [("say", {"text": one}) if isinstance(one, str) else _order(one, None) for one in parcels]
        return self._do(*orders[0], more=orders[1:])

    def repeat(self) -> list[Heard] | None:
        """The last message is delivered once more under the same id; what came then. None where it can't be."""
        if self.is_fetched:
            return None
        self._take()
        self.control("again")
        return self._rest()

    def later(self, seconds: float = 30) -> list[Heard]:
        """What comes without having been asked for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if heard := self._take():
                return heard
            time.sleep(0.1)
        return []

    def control(self, action: str, **order: Any) -> None:
        TOLD.order(order)
        answer = httpx.post(f"{self.fake}/_control/{action}", json={"from": self.sender, **order}, timeout=60)
        assert answer.status_code == 200, answer.text

    def messages(self) -> list[dict[str, Any]]:
        """Everything sent to this phone, as the provider took it."""
        sent = httpx.get(f"{self.fake}/_control/messages", timeout=30).json()["messages"]
        return [message for message in sent if self._is_mine(message["to"])]

    def _do(self, action: str, order: dict[str, Any], more: Sequence[tuple[str, dict[str, Any]]] = ()) -> list[Heard]:
        self._take()
        for each, content in ((action, order), *more):
            self.control(each, **content)
        deadline, heard = time.monotonic() + self.timeout, []
        while time.monotonic() < deadline:
            heard += self._take()
            if heard:
                return heard + self._rest()
            time.sleep(0.05)
        raise AssertionError(f"silence: no answer to {action} within {self.timeout} s")

    def _rest(self) -> list[Heard]:
        """What belongs to an answer that has begun. What is kept until a part is up again isn't waited for."""
        rest: list[Heard] = []
        while True:
            self._wait_until_idle()
            if not (more := self._take()):
                return rest
            rest += more

    def _wait_until_idle(self) -> None:
        deadline = time.monotonic() + _LULL
        while time.monotonic() < deadline and not self._is_idle():
            time.sleep(0.05)

    def _take(self) -> list[Heard]:
        mine = self.messages()
        new, self.seen = mine[self.seen :], len(mine)
        return [Heard(m["text"], tuple(c["title"] for c in (*m["choices"], *m.get("typed", ())))) for m in new]

    def _typed(self, title: str) -> Mapping[str, Any] | None:
        """The button of the keyboard that the last message put in the place of the phone's own."""
        latest = next(reversed(self.messages()), {})
        return next((button for button in latest.get("typed", ()) if is_title(button["title"], title)), None)

    def _shown(self, title: str) -> str | None:
        """The title as this channel's last choices show it: cut where it is too long."""
        shown = next((m["choices"] for m in reversed(self.messages()) if m["choices"]), [])
        titles = [choice["title"] for choice in shown]
        return next((t for t in titles if is_title(t, title)), None)

    def _is_mine(self, to: str | int) -> bool:
        return str(to).lstrip("+") in (str(self.sender).lstrip("+"), self.alias)

    def _is_idle(self) -> bool:
        if (
            self.is_fetched
            and httpx.get(f"{self.fake}/_control/messages?after=999999999", timeout=30).json()["pending"]
        ):
            return False
        try:
            metrics = httpx.get(f"{self.bot}/metrics", timeout=20).text
        except httpx.HTTPError:  # it is being restarted
            return False
        return all(float(line.rsplit(" ", 1)[1]) == 0 for line in metrics.splitlines() if line.startswith(WAITING))


AnyPhone = SimulatorPhone | FakePhone


def is_title(shown: str, title: str) -> bool:
    """Whether a choice shows this title, whole or cut to what the channel takes."""
    short, whole = shown.casefold(), title.casefold()
    return short == whole or (short.endswith("…") and whole.startswith(short[:-1].rstrip()))


def photo(label: str = "KK") -> bytes:
    """A sheet of paper as a good phone would photograph it."""
    return sheet(label)


def file_service(phone: Phone, service: Service, *, nik: str = "3515085708909999") -> tuple[str, int]:
    """From the first wish to the number. Gives the number and how many bubbles the bot needed."""
    heard = phone.say(f"saya mau mengurus {service.name}")
    bubbles = len(heard)
    if not any(title.startswith(("Ya, mulai", "Setuju")) for title in titles_of(heard)):
        heard = phone.tap(service.name)
        bubbles += len(heard)
    rehearsal = Rehearsal.of(_catalogue(), [service], Person(nik=nik))
    for _ in range(MAXIMUM_MESSAGES):
        assert heard, "silence"
        if found := NUMBER.search(said(heard)):
            return found.group(), bubbles
        heard = make_move(phone, rehearsal, heard)
        bubbles += len(heard)
    raise AssertionError(f"no number after {MAXIMUM_MESSAGES} messages: {said(heard)}")


def answer_question(phone: Phone, service: Service, text: str, titles: set[str], nik: str) -> list[Heard]:
    """Answers whatever the bot asks for in `text`; confirms the review."""
    return make_move(phone, Rehearsal.of(_catalogue(), [service], Person(nik=nik)), [Heard(text, tuple(titles))])


def begin(phone: Phone, heard: Sequence[Heard]) -> list[Heard]:
    """Says yes to the offer, and to the privacy notice where that is asked."""
    title = next(title for title in titles_of(heard) if title.startswith(("Ya, mulai", "Setuju")))
    return phone.tap(title)


def make_move(phone: Phone, rehearsal: Rehearsal, heard: Sequence[Heard]) -> list[Heard]:
    """One step towards the number."""
    TOLD.person(rehearsal.person)
    match rehearsal.next(said(heard), titles_of(heard)):
        case Say(text):
            return phone.say(text)
        case Tap(title):
            return phone.tap(title)
        case Photograph(label):
            return phone.send_photo(sheet(label))


def fill_until(phone: Phone, rehearsal: Rehearsal, heard: list[Heard], wanted: str) -> list[Heard]:
    """Answers until the field or document with the id `wanted` is asked for; what then was said."""
    for _ in range(MAXIMUM_MESSAGES):
        if (asked := rehearsal.asked(said(heard))) is not None and asked.id == wanted:
            return heard
        heard = make_move(phone, rehearsal, heard)
    raise AssertionError(f"{wanted} was never asked for: {said(heard)}")


def fill_to_number(phone: Phone, rehearsal: Rehearsal, heard: list[Heard]) -> str:
    for _ in range(MAXIMUM_MESSAGES):
        if found := NUMBER.search(said(heard)):
            return found[0]
        heard = make_move(phone, rehearsal, heard)
    raise AssertionError(f"no number: {said(heard)}")


def hear_later(phone: AnyPhone, words: str, seconds: float = 60) -> list[Heard]:
    """What comes by itself, until `words` are in it."""
    deadline, heard = time.monotonic() + seconds, []
    while time.monotonic() < deadline:
        heard += phone.later(2)
        if words in said(heard):
            return heard
    raise AssertionError(f"{words!r} was never said, only {said(heard)!r}")


def _file(file: SentFile, caption: str | None) -> dict[str, Any]:
    data = base64.b64encode(file.content).decode()
    body: dict[str, Any] = {"file": {"name": file.name, "content_type": file.content_type, "data": data}}
    return body | ({"text": caption} if caption else {})


def _order(file: SentFile, caption: str | None) -> tuple[str, dict[str, Any]]:
    """How a phone sends it: pictures as photos, all else as documents."""
    order: dict[str, Any] = {"data": base64.b64encode(file.content).decode()}
    if caption:
        order["caption"] = caption
    if file.content_type == "image/jpeg":
        return "photo", order
    return "document", {**order, "name": file.name, "content_type": file.content_type}
