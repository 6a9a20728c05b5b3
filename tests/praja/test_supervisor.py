"""The supervisor with small real processes in place of the parts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from praja.parts import Part
from praja.ports import free_ports
from praja.supervisor import PartFailed, PortTaken, Supervisor, check_ports

_Found = TypeVar("_Found")

SERVE = """
import http.server, os, subprocess, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
    def log_message(self, *_): pass
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def part(name: str, code: str, port: int) -> Part:
    return Part(name, (sys.executable, "-c", code, str(port)), f"http://127.0.0.1:{port}/", port, "PRAJA_X_PORT")


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def _make(*parts: Part, **more: float) -> Supervisor:
        made.append(Supervisor(parts, dict(os.environ), tmp_path / "logs", lambda text: None, **more))
        return made[-1]

    yield _make
    for supervisor in made:
        await supervisor.stop()


async def test_restarts_what_dies_and_leaves_nothing_behind(make: Callable[..., Supervisor]) -> None:
    (port,) = free_ports(1)
    supervisor = make(part("a", SERVE, port))
    await supervisor.start()
    first = psutil.Process(await _until(lambda: _pid(port)))
    (grandchild,) = first.children()
    first.send_signal(signal.SIGKILL)
    await _until(lambda: _pid(port) not in (None, first.pid))
    await _until(lambda: not _alive(grandchild))
    second = psutil.Process(await _until(lambda: _pid(port)))
    orphans = second.children()
    await supervisor.stop()
    await _until(lambda: not any(map(_alive, [second, *orphans])))


async def test_gives_up_on_what_keeps_dying_and_shows_its_last_words(make: Callable[..., Supervisor]) -> None:
    (port,) = free_ports(1)
    supervisor = make(part("b", "print('tidak bisa membaca model'); raise SystemExit(3)", port))
    with pytest.raises(PartFailed, match=r"(?s)berhenti berulang kali \(kode 3\).*tidak bisa membaca model"):
        await supervisor.start()


async def test_never_gives_up_on_what_has_worked(make: Callable[..., Supervisor]) -> None:
    (port,) = free_ports(1)
    supervisor = make(part("d", SERVE, port))
    await supervisor.start()
    for _ in range(6):
        dying = await _until(lambda: _pid(port))
        psutil.Process(dying).kill()
        await _until(lambda dead=dying: _pid(port) not in (None, dead))  # type: ignore[misc]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(supervisor.failed(), 0.1)


async def test_what_takes_connections_and_answers_none_is_started_anew(make: Callable[..., Supervisor]) -> None:
    (port,) = free_ports(1)
    supervisor = make(part("e", SERVE, port), patience=5)
    await supervisor.start()
    first = await _until(lambda: _pid(port))
    hung = psutil.Process(first)
    hung.send_signal(signal.SIGSTOP)
    # Asking it meanwhile would hold up the supervisor, which shares our loop.
    await _until(lambda: not _alive(hung))
    await _until(lambda: _pid(port) not in (None, first))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_a_taken_port_is_a_sentence(host: str) -> None:
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()
        with pytest.raises(PortTaken, match="PRAJA_X_PORT"):
            check_ports([replace(part("c", "", taken.getsockname()[1]), host=host)])


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _pid(port: int) -> int | None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return int(connection.makefile("rb").read().rsplit(b"\r\n", 1)[-1])
    except (OSError, ValueError):
        return None


async def _until(true: Callable[[], _Found], seconds: float = 60) -> _Found:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return found
