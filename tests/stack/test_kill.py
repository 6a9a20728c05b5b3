"""`kill -9` at any moment of a filing: the conversation goes on, no message is lost, no second filing is made."""

from __future__ import annotations

import random
import threading
import time
import uuid

import httpx
import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import Heard, SimulatorPhone, file_service
from tests.stack.running import Running

_KILLS = 12


class PatientPhone(SimulatorPhone):
    """A citizen whose phone has bad luck: a request that breaks is not sent again, the answer is waited for instead.

    What was accepted must be answered; what never reached the bot is written again, as a person would.
    """

    def _send(self, body: dict[str, object]) -> list[Heard]:
        body = {"sender": self.sender, **body}
        for _ in range(120):
            try:
                answer = httpx.post(f"{self.url}/simulator/messages", json=body, timeout=40)
            except httpx.ConnectError:
                time.sleep(0.3)
                continue
            except httpx.HTTPError:
                # Accepted or not, who knows: wait for an answer, and write again only if none comes.
                if heard := self._wait(12):
                    return heard
                continue
            if answer.status_code == 200 and answer.json()["replies"]:
                heard = self._take(answer.json()["replies"])
                if not _sorry(heard):
                    return heard
            if heard := self._wait(40):
                return heard
        raise AssertionError("never answered")

    def _wait(self, seconds: float) -> list[Heard]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                heard = self.later()
            except httpx.HTTPError:
                heard = []
            if heard and not _sorry(heard):
                return heard
            time.sleep(0.3)
        return []


def _sorry(heard: list[Heard]) -> bool:
    """The sentence that says the message is kept and will be answered."""
    return all("tersimpan" in bubble.text and "terganggu" in bubble.text for bubble in heard)


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param("bot", id="bot"),
        pytest.param("rasa", id="rasa", marks=pytest.mark.verify),
        pytest.param("actions", id="actions", marks=pytest.mark.verify),
        pytest.param("backend", id="backend", marks=pytest.mark.verify),
    ],
)
def test_filing_survives_kills(stack: Running, catalogue: Catalogue, victim: str) -> None:
    nik = f"3515081708{random.randrange(60, 99)}{random.randrange(1000, 9999)}"
    phone = PatientPhone(stack.url, f"korban-{uuid.uuid4().hex[:8]}")
    over = threading.Event()

    def kill() -> None:
        """At any moment of a turn, but only what has come up again: else nothing is tried but starting."""
        for _ in range(_KILLS):
            if over.wait(random.uniform(0.0, 4.0)):
                return
            stack.kill(victim)
            stack.wait_until_ready(180)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        number, _ = file_service(phone, catalogue.services["sk_umum"], nik=nik)
    finally:
        over.set()
        killer.join()
        stack.wait_until_ready(180)
    suffix = nik[-4:]
    mine = [f for f in stack.filings() if str(f["applicant"]["nik"]).endswith(suffix) and f["service"] == "sk_umum"]
    assert [f["number"] for f in mine] == [number]
