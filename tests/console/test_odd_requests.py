"""Every address of the console with odd ids, queries and bodies, from an admin's browser: never an error of ours."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import FormData

from console.accounts import Account
from console.app import PREFIX, create_console
from console.workspace import Workspace
from tests.backend.conftest import Client
from tests.bot.fakes import Clock
from tests.console.conftest import Visit, Visitor, sign_in
from tests.console.test_desk import waiting

ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "9" * 30,
        "null",
        "../..",
        "%00",
        "\x00",
        "a\nb",
        "ä€😀",
        "\ud83d",
        "'; --",
        "{{7*7}}",
        "x" * 5000,
    ),
    *("<script>", "DIPROSES", "SELESAI", "ya", "true", "1e309", "2026-02-31", "SDA-2611-7K4QXB", str(uuid.UUID(int=0))),
)
NAMES = (
    *(
        "text",
        "note",
        "agency",
        "colleague",
        "service",
        "template",
        "to",
        "reason",
        "fields",
        "documents",
        "field",
        "file",
    ),
    *(
        "username",
        "name",
        "role",
        "agencies",
        "password",
        "old",
        "new",
        "disabled",
        "oidc_subject",
        "available",
        "code",
    ),
    *("label", "meaning", "border", "target", "example", "accepted", "model", "cari", "intent", "message", "act"),
    *("state", "after", "before", "subject", "days", "view", "current", "conversation", "secret", "csrf"),
)
LEAVE_ALONE = {"stream", "logout", "static", "password_post", "oidc_start", "oidc_back"}
"""never ends; ends the session; needs no session, or a provider"""


@pytest.mark.parametrize("seed", [1, 2, pytest.param(None, marks=pytest.mark.verify)])
async def test_no_request_is_an_error_of_ours(
    visit: Visit, workspace: Workspace, admin: Account, channel: Client, clock: Clock, seed: int | None
) -> None:
    chance, rounds = random.Random(seed or 3), 2 if seed else 40
    number = str((await channel.file())["number"])
    known = (number, await waiting(workspace), str(admin.id), "1", "kk")
    visitor = await visit()
    token = await sign_in(visitor, "kepala", clock)
    for _ in range(rounds):
        for method, path in _addresses(workspace):
            address = re.sub(r"{[^}]+}", lambda _: quote(_some(chance, known), safe=""), path)
            status = await _ask(visitor, chance, method, address, token, known)
            assert status < 500, (method, address)


def _addresses(workspace: Workspace) -> Iterator[tuple[str, str]]:
    for route in create_console(workspace).router.routes():
        resource = route.resource
        if resource is not None and route.method in ("GET", "POST") and route.name not in LEAVE_ALONE:
            yield route.method, PREFIX + resource.canonical


def _some(chance: random.Random, known: tuple[str, ...]) -> str:
    odd = chance.choice(known if chance.random() < 0.6 else ODD)
    return odd.encode(errors="replace").decode() or "%20"


async def _ask(
    visitor: Visitor, chance: random.Random, method: str, address: str, token: str, known: tuple[str, ...]
) -> int:
    given = {name: _some(chance, (*known, *ODD)) for name in chance.sample(NAMES, 6)}
    more: dict[str, Any] = {}
    if method == "GET":
        more["params"] = given
    elif chance.random() < 0.1:
        more |= {"data": chance.randbytes(200), "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    elif chance.random() < 0.5:
        more["data"] = {**given, "csrf": token}
    else:
        form = FormData({"csrf": token})
        for name, value in given.items():
            if name != "csrf":
                form.add_field(name, value)
        form.add_field(
            "file",
            chance.randbytes(50),
            filename=chance.choice(("a.pdf", "ä€😀.pdf", "../x")),
            content_type="application/pdf",
        )
        more["data"] = form
    async with visitor.request(method, address, allow_redirects=False, **more) as answer:
        await answer.read()
        return answer.status
