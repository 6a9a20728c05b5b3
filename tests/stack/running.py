"""A whole Praja running for tests: `praja up` with a home and ports of its own, its channels pointed at the fakes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from praja.ports import free_ports
from tests.stack.providers import Providers, providers

ROOT = Path(__file__).resolve().parents[2]
OFFICER_TOKEN = "token-petugas-uji"
BACKEND_TOKEN = "token-kanal-uji"
RASA_TOKEN = "token-rasa-uji"


@dataclass
class Running:
    """Addresses of a running stack, and the process that supervises it."""

    process: subprocess.Popen[str]
    home: Path
    url: str
    backend: str
    rasa: str
    ports: Mapping[str, int]
    log: Path
    providers: Providers | None = None
    """the fakes its channels are pointed at; without them there is only the simulator"""
    extra: dict[str, str] = field(default_factory=dict)

    def part(self, name: str) -> psutil.Process:
        """The process of a part, as it runs now."""
        marks = {"rasa": "nlu.server", "bot": "run bot", "backend": "run backend", "actions": "run actions"}
        for child in psutil.Process(self.process.pid).children():
            if marks[name] in " ".join(child.cmdline()):
                return child
        raise LookupError(f"{name} isn't running")

    def kill(self, name: str) -> None:
        """`kill -9`, as a crash would."""
        with contextlib.suppress(LookupError, psutil.NoSuchProcess):
            self.part(name).send_signal(signal.SIGKILL)

    def take_down(self, name: str) -> None:
        """Gone until `bring_up`: whoever would start it again is asleep."""
        victim = self.part(name)
        self.process.send_signal(signal.SIGSTOP)
        victim.send_signal(signal.SIGKILL)
        # It stays a zombie of its sleeping parent, but answers no more.
        deadline = time.monotonic() + 20
        while victim.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.05)

    def bring_up(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.wait_until_ready(180)

    def wait_until_ready(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise TimeoutError(f"not ready; see {self.log} and {self.home / 'logs'}")

    def transition(self, number: str, to: str, note: str = "", **more: Any) -> None:
        """An officer's act at the backend."""
        order = {"to": to, "note": note, "officer": "petugas-uji", **more}
        self._officer("POST", f"filings/{number}/transitions", json=order)

    def upload_result(self, number: str, content: bytes, content_type: str) -> None:
        self._officer("PUT", f"filings/{number}/result", content=content, headers={"Content-Type": content_type})

    def dossier(self, number: str, reveal: str | None = None) -> dict[str, Any]:
        """Answers and documents of a filing; the field `reveal` in clear."""
        query = {"reveal": reveal} if reveal else {}
        found: dict[str, Any] = self._officer("GET", f"filings/{number}/dossier", params=query).json()
        return found

    def filing(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self._officer("GET", f"filings/{number}").json()
        return found

    def filings(self) -> list[dict[str, Any]]:
        """Every filing there is, as an officer sees them."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            body = self._officer("GET", "filings", params={"after": after} if after else {}).json()
            found += body["filings"]
            after = body["next"]
            if not after:
                return found

    def _officer(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {OFFICER_TOKEN}", **(headers or {})}
        answer = httpx.request(method, f"{self.backend}/api/v1/{path}", headers=headers, timeout=30, **more)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer


@contextlib.contextmanager
def running(
    prepare: Callable[[Mapping[str, str]], None] | None = None, /, *, checkout: Path = ROOT, **extra: str
) -> Iterator[Running]:
    """Start a stack and stop it; what it printed is kept in `log`. `prepare` does something before, in its environment."""
    names = ("PRAJA_HTTP_PORT", "PRAJA_BACKEND_PORT", "PRAJA_ACTIONS_PORT", "PRAJA_RASA_PORT")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    with tempfile.TemporaryDirectory(prefix="praja-stack-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        home, log = Path(folder) / "home", Path(folder) / "up.log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PRAJA_")},
            **{name: str(port) for name, port in ports.items()},
            "PRAJA_HOME": str(home),
            "PRAJA_BACKEND_TOKEN": BACKEND_TOKEN,
            "PRAJA_BACKEND_OFFICER_TOKEN": OFFICER_TOKEN,
            "PRAJA_RASA_TOKEN": RASA_TOKEN,
            **extra,
        }
        if prepare is not None:
            prepare(environment)
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "praja.command", "up"],
                cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=output, text=True,
            )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line.startswith("siap: "), f"{line}\n{log.read_text()}"
            yield Running(
                process=process,
                home=home,
                url=line.removeprefix("siap: "),
                backend=f"http://127.0.0.1:{ports['PRAJA_BACKEND_PORT']}",
                rasa=f"http://127.0.0.1:{ports['PRAJA_RASA_PORT']}",
                ports=ports,
                log=log,
                extra=dict(extra),
            )
        finally:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextlib.contextmanager
def running_with_channels(telegram_mode: str = "polling", **extra: str) -> Iterator[Running]:
    """A stack with WhatsApp and Telegram beside the simulator, against the fakes."""
    (bot_port,) = free_ports(1)
    bot = f"http://127.0.0.1:{bot_port}"
    with (
        providers(bot) as both,
        running(
            PRAJA_HTTP_PORT=str(bot_port),
            PRAJA_PUBLIC_URL=bot,
            PRAJA_TELEGRAM_MODE=telegram_mode,
            **both.settings,
            **extra,
        ) as stack,
    ):
        stack.providers = both
        yield stack
