"""Settings that each are right and together aren't."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from praja.doctor.problem import Patient, Problem
from praja.settings import Settings

__all__ = ["look_at_configuration"]

_SHORTEST_SECRET = 24
_SECRETS = (
    *("secret_key", "backend_token", "backend_officer_token", "backend_webhook_secret", "rasa_token"),
    *("telegram_webhook_secret", "whatsapp_app_secret", "whatsapp_verify_token", "chatwoot_webhook_secret"),
)
_GIVEN_BY_OTHERS = ("whatsapp_app_secret", "chatwoot_webhook_secret")
"""no length of ours"""
_WORDS_OF_EXAMPLES = ("uji", "rahasia", "contoh", "test", "secret", "ganti", "changeme", "password", "bench")


async def look_at_configuration(patient: Patient) -> list[Problem]:
    return [*_secrets(patient.settings), *_channels(patient.settings), *_public_address(patient.settings)]


def _secrets(settings: Settings) -> Iterator[Problem]:
    given = {name: value for name in _SECRETS if (value := getattr(settings, name))}
    if settings.production:
        for name, value in given.items():
            if name not in _GIVEN_BY_OTHERS and len(value) < _SHORTEST_SECRET:
                yield Problem(
                    "secret-short",
                    f"PRAJA_{name.upper()} terlalu pendek untuk produksi; isi dengan paling sedikit {_SHORTEST_SECRET} "
                    'huruf acak, misalnya dari: python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
                )
            elif any(word in value.lower() for word in _WORDS_OF_EXAMPLES):
                yield Problem(
                    "secret-of-example",
                    f"PRAJA_{name.upper()} tampak seperti contoh atau nilai uji; ganti dengan yang acak.",
                )
    same = [name for name in given if list(given.values()).count(given[name]) > 1]
    if same:
        names = ", ".join(f"PRAJA_{name.upper()}" for name in same)
        yield Problem("secret-shared", f"{names} bernilai sama; beri masing-masing rahasia sendiri.")
    if settings.secret_keys_old:
        yield Problem(
            "rotation-unfinished",
            "PRAJA_SECRET_KEYS_OLD masih berisi; jalankan `praja rotate`, lalu kosongkan dan nyalakan ulang.",
        )


def _channels(settings: Settings) -> Iterator[Problem]:
    if settings.production and not settings.telegram_token and not settings.whatsapp_token:
        yield Problem(
            "no-channel",
            "PRAJA_ENV=production tanpa kanal: warga tidak bisa menghubungi. Isi PRAJA_WHATSAPP_TOKEN atau PRAJA_TELEGRAM_TOKEN.",
        )
    for name in ("whatsapp_api_url", "telegram_api_url"):
        if settings.production and _is_loopback(getattr(settings, name)):
            yield Problem(
                "provider-simulated",
                f"PRAJA_{name.upper()} menunjuk ke mesin ini sendiri; itu untuk uji. Hapus dari setelan produksi.",
            )


def _public_address(settings: Settings) -> Iterator[Problem]:
    address = urlsplit(settings.public_url)
    needs_https = settings.production or settings.whatsapp_token or _registers_webhook(settings)
    if needs_https and address.scheme != "https" and not _is_loopback(settings.public_url):
        yield Problem(
            "public-url-plain",
            f"PRAJA_PUBLIC_URL {settings.public_url} bukan https; pasang TLS di proksi dan tulis alamat https-nya.",
        )
    if settings.production and _is_loopback(settings.public_url):
        yield Problem(
            "public-url-local",
            "PRAJA_PUBLIC_URL menunjuk ke mesin ini sendiri; tautan untuk warga dan webhook tidak akan terbuka dari luar. "
            "Isi dengan alamat https publiknya.",
        )


def _registers_webhook(settings: Settings) -> bool:
    return settings.telegram_token is not None and settings.telegram_mode == "webhook"


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
