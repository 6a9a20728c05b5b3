"""Citizens who write all the while something else happens, and notice what goes wrong."""

from __future__ import annotations

import threading
import time
import uuid

from tests.stack.citizen import SimulatorPhone

__all__ = ["Traffic"]

SAID = ("halo min", "ktp saya hilang, syaratnya apa", "berapa biaya bikin kk baru", "jam buka dispenduk", "suwun yo")


class Traffic:
    """Three who write until the block ends, `pause` seconds after each answer."""

    def __init__(self, url: str, pause: float = 0) -> None:
        self._over = threading.Event()
        self._pause = pause
        self._threads = [threading.Thread(target=self._write, args=(url,)) for _ in range(3)]
        self.answered = 0
        self.slowest = 0.0
        """seconds that somebody waited for an answer"""
        self.wrong: list[str] = []

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, url: str) -> None:
        phone = SimulatorPhone(url, f"lalu-lintas-{uuid.uuid4().hex[:8]}")
        for number in range(10_000):
            if self._over.is_set():
                break
            said, began = SAID[number % len(SAID)], time.monotonic()
            try:
                heard = phone.say(said)
            except Exception as problem:
                self.wrong.append(f"{said}: {problem!r}")
                self._over.wait(0.2)
                continue
            # One answer has two bubbles at the most.
            if not 1 <= len(heard) <= 2 or any("terganggu" in bubble.text for bubble in heard):
                self.wrong.append(f"{said}: {heard}")
            self.answered += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            self._over.wait(self._pause)
        self.wrong += [f"late: {bubble}" for bubble in phone.later(3)]
