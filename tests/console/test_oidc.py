"""Signing in with the district's own identity provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

from console.accounts import Account
from console.app import PREFIX, create_console
from console.settings import OidcSettings
from console.tables import accounts
from console.workspace import Workspace
from tests.bot.fakes import Clock
from tests.console.conftest import Visitor
from tests.fakes.identity_provider import CLIENT_ID, CLIENT_SECRET, FakeIdentityProvider


@pytest.fixture
async def provider(clock: Clock) -> AsyncIterator[FakeIdentityProvider]:
    async with FakeIdentityProvider(clock) as provider:
        yield provider


@pytest.fixture
async def visitor(workspace: Workspace, provider: FakeIdentityProvider) -> AsyncIterator[Visitor]:
    oidc = OidcSettings(provider.issuer, CLIENT_ID, CLIENT_SECRET)
    settings = replace(workspace.settings, oidc=oidc)
    app = web.Application()
    app.add_subapp(PREFIX, create_console(replace(workspace, settings=settings)))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def linked(workspace: Workspace, officer: Account, provider: FakeIdentityProvider) -> Account:
    async with workspace.engine.begin() as connection:
        await connection.execute(
            update(accounts).where(accounts.c.id == officer.id).values(oidc_subject=provider.subject)
        )
    return officer


async def come_back(visitor: Visitor, **changes: str) -> Any:
    """Go to the provider and return from it, as a browser does; our own public address is the test server."""
    start = await visitor.get("/console/masuk/oidc", allow_redirects=False)
    over_there = await visitor.session.get(start.headers["Location"], allow_redirects=False)
    back = urlsplit(over_there.headers["Location"])
    assert back.netloc == "127.0.0.1:8080"
    query = {**dict(pair.split("=", 1) for pair in back.query.split("&")), **changes}
    return await visitor.get(back.path, params=query, allow_redirects=False)


async def test_a_linked_account_comes_in(visitor: Visitor, linked: Account) -> None:
    assert "Masuk dengan akun dinas" in await (await visitor.get("/console/masuk")).text()
    answer = await come_back(visitor)
    assert (answer.status, answer.headers["Location"]) == (303, "/console/")
    assert "Rina W." in await (await visitor.get("/console/")).text()


async def test_an_account_that_is_not_linked_stays_outside(visitor: Visitor, officer: Account) -> None:
    answer = await come_back(visitor)
    assert answer.status == 403
    assert "belum dihubungkan" in await answer.text()


@pytest.mark.parametrize(
    "lie",
    [{"nonce": "lain"}, {"aud": "aplikasi-lain"}, {"iss": "https://jahat.example"}, {"exp": 1}],
)
async def test_a_token_that_is_not_for_us_now_is_refused(
    visitor: Visitor, linked: Account, provider: FakeIdentityProvider, lie: dict[str, Any]
) -> None:
    provider.lies = lie
    assert (await come_back(visitor)).status == 401
    assert (await visitor.get("/console/akun", allow_redirects=False)).status == 303


async def test_a_token_by_another_key_is_refused(
    visitor: Visitor, linked: Account, provider: FakeIdentityProvider
) -> None:
    provider.sign_with_another_key()
    assert (await come_back(visitor)).status == 401


@pytest.mark.parametrize("change", [{"state": "lain"}, {"code": "kode-curian"}])
async def test_a_forged_return_is_refused(visitor: Visitor, linked: Account, change: dict[str, str]) -> None:
    assert (await come_back(visitor, **change)).status == 401


async def test_a_provider_that_is_down_is_a_sentence(
    visitor: Visitor, linked: Account, provider: FakeIdentityProvider
) -> None:
    await provider.stop()
    answer = await visitor.get("/console/masuk/oidc", allow_redirects=False)
    assert answer.status == 503
    assert "sedang tidak menjawab" in await answer.text()
