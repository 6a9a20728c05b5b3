"""`praja bench restart`: from the start until every part answers, beside what Rasa alone takes to load the same model."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from praja.benchmarks.processes import part
from praja.benchmarks.stack import stack
from praja.database import migrate
from praja.ports import free_ports
from praja.postgres import create_database, embedded_postgres

__all__ = ["restart"]

_MOST = 5.0
"""seconds more than Rasa alone"""


async def restart(seconds: int) -> int:
    """Not 0 when all parts together take more than five seconds longer than Rasa. The seconds given aren't used."""
    with tempfile.TemporaryDirectory(prefix="praja-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(os.chmod, folder, 0o755)
        async with stack({}, folder / "home") as first:
            print(f"{'pertama kali, dengan basis data baru':<42} {first.seconds:5.1f} s", flush=True)
        async with stack({}, folder / "home") as second:
            print(f"{'dinyalakan lagi':<42} {second.seconds:5.1f} s", flush=True)
        with embedded_postgres(folder / "db") as server:
            url = create_database(server, "rasa")
            await asyncio.to_thread(migrate, url)
            (port,) = free_ports(1)
            settings = {
                "PRAJA_HOME": str(folder / "home"),
                "PRAJA_DATABASE_URL": url,
                "PRAJA_RASA_PORT": str(port),
                "PRAJA_RASA_TOKEN": "bench",
            }
            async with part("rasa", settings, f"http://127.0.0.1:{port}/status?token=bench") as alone:
                print(f"{'Rasa sendiri':<42} {alone.seconds:5.1f} s", flush=True)
    more = second.seconds - alone.seconds
    print(f"{'selisih':<42} {more:5.1f} s (paling banyak {_MOST:.0f})")
    return 0 if more <= _MOST else 1
