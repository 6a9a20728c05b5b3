"""Going live against servers that do as Rasa's channel does (`nlu/channel.py`), with a gate that says what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from learning.live_model import Kind, LiveModel, LiveModelBusy
from praja.going_live import GateRefused, NotLive, Probe, Servers, promote, read_probes, rollback, settle
from praja.settings import ROOT

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
PROBES = [Probe("halo", "salam", None), Probe("ktpku ilang", "ajukan_layanan", "ktp_hilang")]
TOKEN = "token"


class Server:
    """Serves `model`; refuses the models in `misread` when there are probes, breaks at those in `broken`."""

    def __init__(self, model: Path) -> None:
        self.model = str(model)
        self.misread: set[str] = set()
        self.broken: set[str] = set()
        self.asked: list[dict[str, Any]] = []
        self.while_loading: Callable[[], None] | None = None
        app = web.Application()
        app.router.add_get("/", self._root)
        app.router.add_post("/webhooks/praja/model", self._take)
        self.http = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.http.make_url("")).rstrip("/")

    async def _root(self, request: web.Request) -> web.Response:
        return web.Response(text="Hello from Rasa")

    async def _take(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        body = await request.json()
        self.asked.append(body)
        name = Path(body["model_file"]).name
        if name in self.broken:
            return web.Response(status=500, text="oh")
        if body["probes"] and name in self.misread:
            failed = [{"text": "halo", "expected": "salam", "found": "pamit"}]
            return web.json_response({"error": "it reads probes wrongly", "failed": failed}, status=409)
        if self.while_loading is not None:
            self.while_loading()
        previous, self.model = self.model, body["model_file"]
        return web.json_response({"model": name, "previous": previous})

    def start_anew(self) -> None:
        """By the pointer, as `praja run rasa` does."""
        self.model = str(LiveModel(Path(self.model).parent).current())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("old", "new", "newer"):
        (tmp_path / f"{name}.tar.gz").touch()
    LiveModel(tmp_path).set(tmp_path / "old.tar.gz", NOW, Kind.FIRST)
    return tmp_path


@pytest.fixture
async def servers(models: Path) -> AsyncIterator[list[Server]]:
    both = [Server(models / "old.tar.gz") for _ in range(2)]
    for server in both:
        await server.http.start_server()
    yield both
    for server in both:
        await server.http.close()


Promote = Callable[..., Any]


@pytest.fixture
def go(models: Path, servers: list[Server]) -> Promote:
    def _go(name: str, reasons: Sequence[str] = (), *, urls: Sequence[str] = (), **more: Any) -> Any:
        return promote(
            models / f"{name}.tar.gz",
            models,
            Servers(urls or [server.url for server in servers], TOKEN, restarting=0.2),
            lambda candidate, live: reasons,
            lambda: NOW,
            probes=PROBES,
            serves=lambda model: model.name != "newer.tar.gz",
            **more,
        )

    return _go


def live(models: Path) -> str:
    current = LiveModel(models).current()
    assert current is not None
    return current.name


async def test_every_server_takes_it_after_its_probes(go: Promote, models: Path, servers: list[Server]) -> None:
    assert await go("new") == 2
    assert live(models) == "new.tar.gz"
    assert {server.model for server in servers} == {str(models / "new.tar.gz")}
    assert servers[0].asked[0]["probes"][1] == {
        "text": "ktpku ilang", "intent": "ajukan_layanan", "service": "ktp_hilang",
    }  # fmt: skip
    assert LiveModel(models).history()[-1].kind is Kind.PROMOTED


async def test_the_gate_is_asked_about_both(models: Path, servers: list[Server]) -> None:
    asked: list[tuple[Path, Path | None]] = []

    def gate(candidate: Path, other: Path | None) -> Sequence[str]:
        asked.append((candidate, other))
        return ["maksud cek_status, F1: calon 0.500"]

    new = models / "new.tar.gz"
    with pytest.raises(GateRefused, match="cek_status"):
        await promote(
            new, models, Servers([servers[0].url], TOKEN), gate, lambda: NOW, probes=PROBES, serves=lambda model: True
        )
    assert asked == [(new, models / "old.tar.gz")]
    assert (live(models), servers[0].asked) == ("old.tar.gz", [])


async def test_against_the_gate_only_with_a_reason_that_is_kept(go: Promote, models: Path) -> None:
    with pytest.raises(NotLive, match="alasan"):
        await go("new", ["lebih buruk"], override="  ")
    assert await go("new", ["lebih buruk"], override="layanan baru mendesak") == 2
    change = LiveModel(models).history()[-1]
    assert (change.kind, change.reason) == (Kind.OVERRIDDEN, "layanan baru mendesak")


@pytest.mark.parametrize("trouble", ["misread", "broken"])
async def test_when_one_server_refuses_the_others_go_back(
    go: Promote, models: Path, servers: list[Server], trouble: str
) -> None:
    getattr(servers[1], trouble).add("new.tar.gz")
    with pytest.raises(
        NotLive, match="“halo” seharusnya salam, keluar pamit" if trouble == "misread" else "tidak menjawab"
    ):
        await go("new")
    assert live(models) == "old.tar.gz"
    assert {server.model for server in servers} == {str(models / "old.tar.gz")}
    assert len(LiveModel(models).history()) == 1


async def test_a_server_that_cannot_go_back_is_named(go: Promote, servers: list[Server]) -> None:
    servers[1].misread.add("new.tar.gz")
    servers[0].broken.add("old.tar.gz")
    with pytest.raises(NotLive, match=f"nyalakan ulang: {servers[0].url}"):
        await go("new")


async def test_one_server_that_stays_away_keeps_all_as_they_are(
    go: Promote, models: Path, servers: list[Server]
) -> None:
    away = servers[1].url
    await servers[1].http.close()
    with pytest.raises(NotLive, match="tidak berjalan"):
        await go("new", urls=[servers[0].url, away])
    assert (live(models), servers[0].model) == ("old.tar.gz", str(models / "old.tar.gz"))


async def test_without_any_server_it_is_live_at_the_next_start(
    go: Promote, models: Path, servers: list[Server]
) -> None:
    away = servers[1].url
    await servers[1].http.close()
    assert await go("new", urls=[away]) == 0
    assert live(models) == "new.tar.gz"


@pytest.mark.parametrize(
    ("name", "sentence"), [("gone", "harus ada"), ("newer", "program atau konfigurasi"), ("old", "sudah hidup")]
)
async def test_what_cannot_go_live(go: Promote, models: Path, name: str, sentence: str) -> None:
    with pytest.raises(NotLive, match=sentence):
        await go(name, override="dipaksa")
    assert live(models) == "old.tar.gz"


async def test_it_is_on_probation_where_it_takes_another_s_place(go: Promote, models: Path) -> None:
    await go("new", watched=timedelta(minutes=10))
    on_probation = LiveModel(models).on_probation
    change = on_probation(NOW + timedelta(minutes=9))
    assert change is not None
    assert change.model == "new.tar.gz"
    assert on_probation(NOW + timedelta(minutes=10)) is None


async def test_a_change_that_was_cut_off_is_settled(go: Promote, models: Path, servers: list[Server]) -> None:
    there = Servers([server.url for server in servers], TOKEN, restarting=0.2)
    await go("new")
    await settle(models, there)
    assert not await settle(models, there)
    # Cut off when one server had switched already.
    LiveModel(models).unsettle()
    servers[0].model = str(models / "old.tar.gz")
    with LiveModel(models).changing(wait=False):
        assert not await settle(models, there)
    assert await settle(models, there)
    assert {server.model for server in servers} == {str(models / "new.tar.gz")}
    assert not LiveModel(models).is_unsettled


@pytest.mark.parametrize(("broken", "unsettled"), [((), False), (("old.tar.gz",), True)])
async def test_after_a_refusal_it_is_known_whether_all_have_gone_back(
    go: Promote, models: Path, servers: list[Server], broken: tuple[str, ...], unsettled: bool
) -> None:
    servers[1].misread.add("new.tar.gz")
    servers[0].broken |= set(broken)
    with pytest.raises(NotLive):
        await go("new")
    assert LiveModel(models).is_unsettled is unsettled


async def test_back_and_no_further_than_the_first(go: Promote, models: Path, servers: list[Server]) -> None:
    await go("new")
    there = Servers([server.url for server in servers], TOKEN)
    back = await rollback(models, there, NOW, reason="banyak tidak paham", serves=lambda model: True)
    assert (back.name, live(models)) == ("old.tar.gz", "old.tar.gz")
    assert {server.model for server in servers} == {str(models / "old.tar.gz")}
    assert LiveModel(models).history()[-1].reason == "banyak tidak paham"
    with pytest.raises(NotLive, match="tidak hidup lagi"):
        await rollback(models, there, NOW, only="new.tar.gz", serves=lambda model: True)
    with pytest.raises(NotLive, match="Tidak ada model sebelumnya"):
        await rollback(models, there, NOW, serves=lambda model: True)


@pytest.mark.parametrize("change", ["promotion", "rollback"])
async def test_a_server_that_starts_anew_while_another_is_loading_gets_the_model_too(
    go: Promote, models: Path, servers: list[Server], change: str
) -> None:
    there = Servers([server.url for server in servers], TOKEN)
    if change == "rollback":
        await go("new")
    servers[1].while_loading = servers[0].start_anew
    if change == "rollback":
        await rollback(models, there, NOW, serves=lambda model: True)
    else:
        await go("new")
    assert await settle(models, there)
    assert {server.model for server in servers} == {str(LiveModel(models).current())}
    assert not LiveModel(models).is_unsettled


async def test_where_there_is_one_server_it_is_asked_once(go: Promote, models: Path, servers: list[Server]) -> None:
    await go("new", urls=[servers[0].url])
    assert not LiveModel(models).is_unsettled


@pytest.mark.parametrize("others", [1, 0])
async def test_a_server_that_is_down_does_not_keep_a_bad_model_live(
    go: Promote, models: Path, servers: list[Server], others: int
) -> None:
    await go("new")
    urls = [server.url for server in servers][-1 - others :]
    there, port = Servers(urls, TOKEN, restarting=60), servers[1].http.port
    await servers[1].http.close()
    async with asyncio.timeout(20):
        await rollback(models, there, NOW, serves=lambda model: True)
    assert live(models) == "old.tar.gz"
    assert {server.model for server in servers[:others]} <= {str(models / "old.tar.gz")}
    assert not await settle(models, there)
    # It had been about to start, and comes with what was live then.
    back = Server(models / "new.tar.gz")
    back.http = TestServer(back.http.app, port=port)
    await back.http.start_server()
    assert await settle(models, there)
    assert back.model == str(models / "old.tar.gz")
    await back.http.close()


async def test_of_two_at_once_the_second_is_told_so(go: Promote, models: Path) -> None:
    results = await asyncio.gather(go("new"), go("new"), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], LiveModelBusy)


def test_the_probes_are_messages_of_many_kinds() -> None:
    probes = read_probes(ROOT / "data")
    assert {"darurat", "salam", "di_luar_topik"} <= {probe.intent for probe in probes}
    assert any(probe.service for probe in probes)
