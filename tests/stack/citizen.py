"""A citizen with a phone: writes, taps, sends photos, and can file any service of the catalogue by answering what is asked."""

from __future__ import annotations

import base64
import io
import re
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from PIL import Image, ImageDraw

from backend.catalogue import FieldDefinition, FieldType, Service

NUMBER = re.compile(r"SDA-\d{4}-[0-9A-HJKMNP-TV-Z]{6}")
MAXIMUM_MESSAGES = 45
WAITING = ("praja_inbox_backlog ", 'praja_outbox{state="queued"}')
"""what the bot's metrics count while it has something left to do"""


@dataclass(frozen=True)
class Heard:
    """One bubble: its text, and the titles of its choices."""

    text: str
    choices: tuple[str, ...] = ()


class Phone(Protocol):
    """What a citizen can do on any channel; each gives what came back."""

    def say(self, text: str) -> list[Heard]: ...

    def tap(self, title: str) -> list[Heard]: ...

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]: ...


@dataclass
class SimulatorPhone:
    url: str
    sender: str
    choices: list[dict[str, str]] = field(default_factory=list)
    last: int = 0
    timeout: float = 40

    def say(self, text: str) -> list[Heard]:
        return self._send({"text": text})

    def tap(self, title: str) -> list[Heard]:
        chosen = next((c for c in self.choices if c["title"] == title), None)
        assert chosen is not None, f"no choice {title!r} in {[c['title'] for c in self.choices]}"
        return self._send({"choice": chosen["id"]})

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]:
        kind = "application/pdf" if name.endswith(".pdf") else "image/jpeg"
        return self._send({"file": {"name": name, "content_type": kind, "data": base64.b64encode(content).decode()}})

    def later(self) -> list[Heard]:
        """What came without having been asked for: a status, an officer."""
        answer = httpx.get(f"{self.url}/simulator/messages", params={"sender": self.sender, "after": self.last})
        assert answer.status_code == 200, answer.text
        return self._take(answer.json()["replies"])

    def _send(self, body: dict[str, Any]) -> list[Heard]:
        answer = httpx.post(
            f"{self.url}/simulator/messages", json={"sender": self.sender, **body}, timeout=self.timeout
        )
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return self._take(answer.json()["replies"])

    def _take(self, replies: list[dict[str, Any]]) -> list[Heard]:
        for reply in replies:
            self.last = max(self.last, int(reply["id"]))
            if reply["choices"]:
                self.choices = reply["choices"]
        return [Heard(r["text"], tuple(c["title"] for c in r["choices"])) for r in replies]


def photo(label: str = "KK") -> bytes:
    """A sheet of paper as a phone would photograph it: big enough, sharp, not uniform."""
    image = Image.new("RGB", (1000, 700), "white")
    draw = ImageDraw.Draw(image)
    for row in range(12):
        draw.text((40, 30 + row * 52), f"{label} CONTOH {row} " * 6, fill="black")
        draw.line((30, 60 + row * 52, 970, 60 + row * 52), fill="grey")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def answer_to(field: FieldDefinition, nik: str = "3515085708909999") -> str:
    """Something a citizen could write to that question."""
    match field.type:
        case FieldType.NIK:
            return nik
        case FieldType.KK_NUMBER:
            return "3515080101150007"
        case FieldType.NAME:
            return "Siti Aminah"
        case FieldType.PHONE:
            return "0812-3456-7890"
        case FieldType.DATE:
            return "12 mei 2020" if field.past is not False else "12 januari 2027"
        case FieldType.KECAMATAN:
            return "candi"
        case FieldType.DESA:
            return "sumokali"
        case FieldType.ADDRESS:
            return "Jl. Mawar 3 RT 02 RW 05"
        case FieldType.CHOICE:
            return field.choices[0].title
        case FieldType.NUMBER:
            return str(field.minimum or 1)
        case FieldType.TEXT:
            return "Contoh jawaban untuk uji coba"


def file_service(phone: Phone, service: Service, *, nik: str = "3515085708909999") -> tuple[str, int]:
    """From the first wish to the number. Gives the number and how many bubbles the bot needed."""
    heard = phone.say(f"saya mau mengurus {service.name}")
    bubbles = len(heard)
    if "Ya, mulai" not in _titles(heard):
        heard = phone.tap(service.name)
        bubbles += len(heard)
    heard = phone.tap("Ya, mulai")
    for _ in range(MAXIMUM_MESSAGES):
        bubbles += len(heard)
        text = "\n".join(bubble.text for bubble in heard)
        assert heard, "silence"
        if found := NUMBER.search(text):
            return found.group(), bubbles
        heard = answer_question(phone, service, text, _titles(heard), nik)
    raise AssertionError(f"no number after {MAXIMUM_MESSAGES} messages: {text}")


def answer_question(phone: Phone, service: Service, text: str, titles: set[str], nik: str) -> list[Heard]:
    """Answers whatever the bot asks for in `text`; confirms the review."""
    if "Kirim" in titles:
        return phone.tap("Kirim")
    asked = [field for field in service.fields if field.question in text]
    if asked:
        return phone.say(answer_to(max(asked, key=lambda field: text.rfind(field.question)), nik))
    document = next((d for d in service.documents if d.name in text), None)
    assert document is not None, text
    return phone.send_photo(photo(document.id.upper()))


def _titles(heard: list[Heard]) -> set[str]:
    return {title for bubble in heard for title in bubble.choices}


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
    seen: int = 0
    timeout: float = 30

    def say(self, text: str) -> list[Heard]:
        return self._do("say", {"text": text})

    def tap(self, title: str) -> list[Heard]:
        """Where the channel shows a choice as a number in the text, the title is typed."""
        shown = self._shown(title)
        return self._do("tap", {"title": shown}) if shown is not None else self.say(title)

    def send_photo(self, content: bytes, name: str = "foto.jpg") -> list[Heard]:
        return self._do("photo", {"data": base64.b64encode(content).decode()})

    def later(self, seconds: float = 10) -> list[Heard]:
        """What comes without having been asked for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if heard := self._take():
                return heard
            time.sleep(0.1)
        return []

    def control(self, action: str, **order: Any) -> None:
        answer = httpx.post(f"{self.fake}/_control/{action}", json={"from": self.sender, **order}, timeout=20)
        assert answer.status_code == 200, answer.text

    def messages(self) -> list[dict[str, Any]]:
        """Everything sent to this phone, as the provider took it."""
        sent = httpx.get(f"{self.fake}/_control/messages").json()["messages"]
        return [message for message in sent if self._is_mine(message["to"])]

    def _do(self, action: str, order: dict[str, Any]) -> list[Heard]:
        self._take()
        self.control(action, **order)
        deadline, heard = time.monotonic() + self.timeout, []
        while time.monotonic() < deadline:
            heard += self._take()
            if heard and self._is_idle():
                return heard + self._take()
            time.sleep(0.05)
        raise AssertionError(f"no complete answer to {order} within {self.timeout} s; heard {heard}")

    def _take(self) -> list[Heard]:
        mine = self.messages()
        new, self.seen = mine[self.seen :], len(mine)
        return [Heard(m["text"], tuple(c["title"] for c in m["choices"])) for m in new]

    def _shown(self, title: str) -> str | None:
        """The title as this channel's last choices show it: cut where it is too long."""
        shown = next((m["choices"] for m in reversed(self.messages()) if m["choices"]), [])
        titles = [choice["title"] for choice in shown]
        return next((t for t in titles if t == title or (t.endswith("…") and title.startswith(t[:-1].rstrip()))), None)

    def _is_mine(self, to: str | int) -> bool:
        return str(to).lstrip("+") in (str(self.sender).lstrip("+"), self.alias)

    def _is_idle(self) -> bool:
        metrics = httpx.get(f"{self.bot}/metrics").text
        return all(float(line.rsplit(" ", 1)[1]) == 0 for line in metrics.splitlines() if line.startswith(WAITING))
