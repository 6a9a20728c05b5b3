from __future__ import annotations

import stat
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from praja.settings import SettingsUnfit, load_settings

SECRETS = ("SECRET_KEY", "BACKEND_TOKEN", "BACKEND_OFFICER_TOKEN", "BACKEND_WEBHOOK_SECRET", "RASA_TOKEN")


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A home of its own and nothing else set."""
    for name in [*SECRETS, "ENV", "WHATSAPP_TOKEN", "TELEGRAM_TOKEN", "HTTP_PORT"]:
        monkeypatch.delenv(f"PRAJA_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRAJA_HOME", str(tmp_path / "home"))
    return monkeypatch


def test_generates_secrets_once_and_keeps_them_private(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = load_settings(), load_settings()
    assert first.secret_key == second.secret_key
    assert len({getattr(first, name.lower()) for name in SECRETS}) == len(SECRETS)
    for path in (tmp_path / "home" / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_reads_dotenv(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRAJA_HTTP_PORT=9000\nPRAJA_SECRET_KEY=dari-berkas\n")
    settings = load_settings()
    assert (settings.http_port, settings.secret_key) == (9000, "dari-berkas")


def test_an_empty_one_is_not_set(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRAJA_RASA_URLS=\nPRAJA_HTTP_PORT=9000\n")
    for name in ("BACKEND_URL", "DATABASE_URL", "HTTP_PORT", "HTTP_HOST"):
        variables.setenv(f"PRAJA_{name}", "")
    settings = load_settings()
    assert (settings.backend_url, settings.rasa_urls, settings.database_url) == (None, None, None)
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 9000)


def test_production_refuses_generated_secrets(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("PRAJA_ENV", "production")
    with pytest.raises(SettingsUnfit, match="PRAJA_SECRET_KEY"):
        load_settings()
    for name in SECRETS:
        variables.setenv(f"PRAJA_{name}", "rahasia-panjang-sekali")
    assert load_settings().production


def test_a_channel_needs_all_its_secrets(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("PRAJA_WHATSAPP_TOKEN", "t")
    with pytest.raises(SettingsUnfit, match="PRAJA_WHATSAPP_APP_SECRET"):
        load_settings()
    variables.delenv("PRAJA_WHATSAPP_TOKEN")
    variables.setenv("PRAJA_TELEGRAM_TOKEN", "t")
    variables.setenv("PRAJA_TELEGRAM_MODE", "webhook")
    with pytest.raises(SettingsUnfit, match="PRAJA_TELEGRAM_WEBHOOK_SECRET"):
        load_settings()


def test_a_wrong_value_is_named(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("PRAJA_HTTP_PORT", "delapan")
    with pytest.raises(SettingsUnfit, match="PRAJA_HTTP_PORT"):
        load_settings()


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("10.0.0.5", "10.0.0.5"),
        ("praja.local", "praja.local"),
    ],
)
def test_where_the_bot_is_reached(variables: pytest.MonkeyPatch, host: str, reached: str) -> None:
    variables.setenv("PRAJA_HTTP_HOST", host)
    assert load_settings().bot_address == f"http://{reached}:8080"


@pytest.mark.parametrize("url", ["mysql://praja:rahasia@db/praja", "db", "postgresql://[praja:rahasia@db/praja"])
def test_another_address_than_of_postgresql_is_refused(variables: pytest.MonkeyPatch, url: str) -> None:
    variables.setenv("PRAJA_DATABASE_URL", url)
    with pytest.raises(SettingsUnfit, match="PRAJA_DATABASE_URL") as refusal:
        load_settings()
    assert "rahasia" not in str(refusal.value)


def test_a_database_that_is_gone_is_noticed(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("PRAJA_DATABASE_URL", "postgresql://praja@db/praja?keepalives_idle=5")
    url = load_settings().database_url
    assert url is not None
    options = conninfo_to_dict(url)
    assert (options["keepalives_idle"], options["keepalives_count"], options["tcp_user_timeout"]) == ("5", "3", "30000")
    variables.setenv("PRAJA_DATABASE_URL", url)
    assert load_settings().database_url == url
