"""What holds for every call: who may, what a malformed request is told, what the contract says of itself."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
import pytest
from aiohttp.test_utils import TestClient, TestServer, unused_port

from backend.api import Api
from backend.asker import Role
from backend.server import BackendSettings, create_app, serve
from tests.backend.conftest import CONTACT, NIK, Client
from tests.backend.contract import CONTRACT, resolve


async def test_the_contract_describes_every_route_and_nothing_else(settings: BackendSettings) -> None:
    described = {
        (method.upper(), path)
        for path, methods in CONTRACT["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (route.method, route.resource.canonical.removeprefix(Api.PREFIX))
        for route in create_app(settings).router.routes()
        if route.resource and route.resource.canonical.startswith(Api.PREFIX)
    }
    assert described == served


def test_the_contract_is_whole() -> None:
    names: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            resolve(node)
            names.append(node.get("operationId", str(uuid4())))
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(CONTRACT)
    assert len(names) == len(set(names)), "every operationId is used once"


async def test_openapi_and_health_need_no_token(http: TestClient[Any, Any]) -> None:
    async with http.get("/openapi.json") as response:
        assert await response.json() == CONTRACT
    async with http.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "Basic channel-token", "Bearer channel-token2", "Bearer é"]
)
async def test_without_the_right_token_nothing_is_told(http: TestClient[Any, Any], authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with http.get("/api/v1/services", headers=headers) as response:
        assert response.status == 401
        assert response.content_type == "application/problem+json"


async def test_each_token_opens_its_own_role_only(http: TestClient[Any, Any]) -> None:
    roles = {Role.CHANNEL: Client(http, "channel-token"), Role.OFFICER: Client(http, "officer-token")}
    for method, path, allowed in (
        ("POST", f"/drafts/{uuid4()}/submit", {Role.CHANNEL}),
        ("PUT", "/filings/SDA-2611-000000/result", {Role.OFFICER}),
        ("POST", "/filings/SDA-2611-000000/transitions", {Role.OFFICER}),
        ("GET", "/services", {Role.CHANNEL, Role.OFFICER}),
    ):
        for role, client in roles.items():
            status, body = await client(method, path)
            refused = status == 403 and body["type"] == "wrong-role"
            assert refused is (role not in allowed)


def test_empty_or_equal_tokens_are_refused(settings: BackendSettings) -> None:
    with pytest.raises(ValueError, match="PRAJA_BACKEND_TOKEN"):
        replace(settings, token="")
    with pytest.raises(ValueError, match="harus berbeda"):
        replace(settings, officer_token=settings.token)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b'{"service": "\\ud800"}', 400),
        (b"[" * 5000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"service": "surat_uji"}', 422),
        (b'{"service": "surat_uji", "contact": 5, "channel": "telegram"}', 422),
        (b'{"service": "surat_uji", "contact": "a\\u0000b", "channel": "telegram"}', 422),
        (b'{"service": "", "contact": "a", "channel": "telegram"}', 422),
        (b'{"service": "tidak_ada", "contact": "a", "channel": "telegram"}', 404),
        (b'{"service": "paspor", "contact": "a", "channel": "telegram"}', 422),
        (b'"' + b"x" * 1024 * 1024 + b'"', 413),
    ],
)
async def test_a_malformed_body_is_told_what_is_wrong(channel: Client, body: bytes, status: int) -> None:
    answer = await channel("POST", "/drafts", data=body)
    assert answer[0] == status
    assert re.fullmatch(r"[^a-z].*[.!?]", answer[1]["detail"]), "an Indonesian sentence"
    assert "pydantic" not in json.dumps(answer[1])


@pytest.mark.parametrize(
    "path", ["/nothing", "/drafts/not-a-uuid", "/drafts/00000000-0000-4000-8000-000000000000", "/services/tidak_ada"]
)
async def test_what_is_unknown_is_404(channel: Client, path: str) -> None:
    status, body = await channel("GET", path)
    assert (status, body["status"]) == (404, 404)


async def test_the_wrong_method_is_405(channel: Client) -> None:
    assert (await channel("PUT", "/drafts"))[0] == 405


@pytest.mark.parametrize("query", ["contact=a%00b", "contact=" + "x" * 201, "contact="])
async def test_odd_queries_are_refused(channel: Client, query: str) -> None:
    assert (await channel("GET", f"/drafts?{query}"))[0] == 422


async def test_services(channel: Client) -> None:
    _, body = await channel("GET", "/services")
    assert [service["id"] for service in body["services"]] == ["konsultasi", "paspor", "sk_lahir", "surat_uji"]
    assert body["families"] == [{"id": "uji", "name": "Surat-surat uji"}]
    _, service = await channel("GET", "/services/surat_uji")
    assert service["office_names"] == ["Kantor Kecamatan", "Dinas Uji"]
    assert [source["id"] for source in service["sources"]] == ["UJI"]
    assert service["fields"][0]["type"] == "nik"


async def test_while_the_database_is_away_it_says_so_and_goes_on(settings: BackendSettings) -> None:
    away = replace(settings, database_url="postgresql://nobody@127.0.0.1:1/nothing")
    async with TestClient(TestServer(create_app(away))) as client:
        status, body = await Client(client, "channel-token")("GET", f"/drafts?contact={CONTACT}")
        assert (status, body["type"]) == (503, "database-down")
        async with client.get("/healthz") as response:
            assert response.status == 503


async def test_serve_runs_until_it_is_cancelled(settings: BackendSettings) -> None:
    address = replace(settings, port=unused_port())
    task = asyncio.create_task(serve(address))
    async with aiohttp.ClientSession() as session, asyncio.timeout(10):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{address.port}/healthz") as response:
                    assert response.status == 200
                    break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_a_failing_database_is_a_sentence_and_leaves_no_number_in_the_log(
    settings: BackendSettings, channel: Client, caplog: pytest.LogCaptureFixture
) -> None:
    draft = await channel.open()
    # What tidies at the start may hold the table for a moment, and would never let go of a loop that stands still.
    async with await psycopg.AsyncConnection.connect(settings.database_url, autocommit=True) as connection:
        await connection.execute("ALTER TABLE backend.changes RENAME TO lost")
        try:
            with caplog.at_level(logging.DEBUG):
                status, body = await channel.answer(draft, "nik", NIK)
            assert (status, body["type"]) == (500, "internal")
            assert "changes" not in body["detail"]
            assert "PATCH /api/v1/drafts/{id} failed" in caplog.text
            assert NIK not in caplog.text
            assert CONTACT not in caplog.text
        finally:
            await connection.execute("ALTER TABLE backend.lost RENAME TO changes")
