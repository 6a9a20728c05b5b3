"""A whole Praja running for tests: `praja up` with a home and ports of its own, its channels pointed at the fakes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from praja.bench import free_ports

ROOT = Path(__file__).resolve().parents[2]
OFFICER_TOKEN = "token-petugas-uji"
BACKEND_TOKEN = "token-kanal-uji"
RASA_TOKEN = "token-rasa-uji"
APP_SECRET = "rahasia-aplikasi-uji"
PHONE_NUMBER_ID = "1090000000001"
TELEGRAM_TOKEN = "123456:uji"
WEBHOOK_SECRET = "rahasia_webhook_uji"


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
        answer = httpx.post(
            f"{self.backend}/api/v1/filings/{number}/transitions",
            headers={"Authorization": f"Bearer {OFFICER_TOKEN}"},
            json={"to": to, "note": note, "officer": "petugas-uji", **more},
        )
        assert answer.status_code == 200, answer.text

    def filings(self) -> list[dict[str, Any]]:
        """Every filing there is, as an officer sees them."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            answer = httpx.get(
                f"{self.backend}/api/v1/filings",
                headers={"Authorization": f"Bearer {OFFICER_TOKEN}"},
                params={"after": after} if after else {},
            )
            assert answer.status_code == 200, answer.text
            body = answer.json()
            found += body["filings"]
            after = body["next"]
            if not after:
                return found


@contextlib.contextmanager
def running(**extra: str) -> Iterator[Running]:
    """Start a stack and stop it; what it printed is kept in `log`."""
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
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "praja.command", "up"],
                cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=output, text=True,
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
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
