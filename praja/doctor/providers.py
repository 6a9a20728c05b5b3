"""What the providers and other servers say when they are asked with our tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from praja.doctor.problem import Patient, Problem

__all__ = ["look_at_providers"]

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MOST_SKEW = timedelta(seconds=30)
"""one step of an officer's one-time code"""
_TOKEN_EXPIRES = timedelta(days=14)
_MOST_PENDING = 1000


@dataclass(frozen=True)
class _Answer:
    status: int
    """0: nobody answered"""
    body: Mapping[str, Any]
    date: datetime | None
    """by the clock of who answered"""


async def look_at_providers(patient: Patient) -> list[Problem]:
    # Both providers tell the time, and several servers of Rasa may have the same trouble; one sentence is enough.
    found: dict[str, Problem] = {}
    for look in (_whatsapp, _telegram, _backend, _rasa, _public_address):
        async for problem in look(patient):
            found.setdefault(problem.id, problem)
    return list(found.values())


async def _whatsapp(patient: Patient) -> AsyncIterator[Problem]:
    settings = patient.settings
    if not settings.whatsapp_token:
        return
    root = f"{settings.whatsapp_api_url.rstrip('/')}/{settings.whatsapp_api_version}"
    number = await _ask(patient, f"{root}/{settings.whatsapp_phone_number_id}", token=settings.whatsapp_token)
    code = (number.body.get("error") or {}).get("code")
    if number.status == 0:
        yield Problem("whatsapp-unreachable", f"WhatsApp ({root}) tidak bisa dihubungi; periksa jaringan keluar.")
    elif code == 190 or number.status == 401:
        yield Problem(
            "whatsapp-token",
            "PRAJA_WHATSAPP_TOKEN ditolak atau kedaluwarsa; buat token tetap untuk pengguna sistem di Meta Business Suite.",
        )
    elif number.status != 200:
        yield Problem(
            "whatsapp-number",
            f"PRAJA_WHATSAPP_PHONE_NUMBER_ID {settings.whatsapp_phone_number_id} tidak dikenal token ini; salin ID nomornya "
            "(bukan nomor teleponnya) dari halaman API WhatsApp.",
        )
    else:
        async for problem in _token_life(patient, root, settings.whatsapp_token):
            yield problem
    for problem in _clock(patient, number):
        yield problem


async def _token_life(patient: Patient, root: str, token: str) -> AsyncIterator[Problem]:
    told = (await _ask(patient, f"{root}/debug_token", token=token, input_token=token)).body.get("data") or {}
    expires = told.get("expires_at") or 0
    if expires and datetime.fromtimestamp(expires, UTC) - patient.now < _TOKEN_EXPIRES:
        on = datetime.fromtimestamp(expires, UTC).date().isoformat()
        yield Problem(
            "whatsapp-token-expires",
            f"PRAJA_WHATSAPP_TOKEN berakhir {on}; ganti dengan token tetap untuk pengguna sistem sebelum itu.",
        )


async def _telegram(patient: Patient) -> AsyncIterator[Problem]:
    settings = patient.settings
    if not settings.telegram_token:
        return
    root = f"{settings.telegram_api_url.rstrip('/')}/bot{settings.telegram_token}"
    answer = await _ask(patient, f"{root}/getWebhookInfo")
    if answer.status == 0:
        yield Problem("telegram-unreachable", "Telegram tidak bisa dihubungi; periksa jaringan keluar.")
        return
    if answer.status != 200:
        yield Problem("telegram-token", "PRAJA_TELEGRAM_TOKEN ditolak Telegram; salin lagi dari @BotFather.")
        return
    for problem in _clock(patient, answer):
        yield problem
    info = answer.body.get("result") or {}
    ours = f"{settings.public_url}/webhooks/telegram"
    is_webhook = settings.telegram_mode == "webhook"
    if info.get("url", "") not in (("", ours) if is_webhook else ("",)):
        yield Problem(
            "telegram-webhook-elsewhere",
            "Webhook bot Telegram ini terpasang untuk pemasangan lain, jadi pesan warga pergi ke sana. Matikan pemasangan itu, "
            "atau pakai token dari bot lain.",
        )
    elif is_webhook and info.get("last_error_message"):
        yield Problem(
            "telegram-webhook-fails",
            f"Telegram gagal mengirim ke {ours}: {info['last_error_message']}. Periksa proksi, TLS dan PRAJA_PUBLIC_URL.",
        )
    if info.get("pending_update_count", 0) > _MOST_PENDING:
        yield Problem(
            "telegram-pending",
            f"Ada {info['pending_update_count']} pesan menunggu di Telegram; nyalakan Praja, atau tambah `praja run worker`.",
        )


async def _backend(patient: Patient) -> AsyncIterator[Problem]:
    settings = patient.settings
    if settings.backend_url is None and not patient.is_running:
        return
    for name, token in (
        ("PRAJA_BACKEND_TOKEN", settings.backend_token),
        ("PRAJA_BACKEND_OFFICER_TOKEN", settings.backend_officer_token),
    ):
        address = f"{settings.backend_address.rstrip('/')}/api/v1/{'services' if name == 'PRAJA_BACKEND_TOKEN' else 'filings'}"
        answer = await _ask(patient, address, token=token)
        if answer.status == 0:
            yield Problem(
                "backend-unreachable",
                f"Layanan permohonan {settings.backend_address} tidak menjawab; periksa PRAJA_BACKEND_URL dan jaringannya.",
            )
            return
        if answer.status in (401, 403):
            yield Problem("backend-token", f"{name} ditolak layanan permohonan; samakan nilainya di kedua sisi.")


async def _rasa(patient: Patient) -> AsyncIterator[Problem]:
    settings = patient.settings
    if settings.rasa_urls is None and not patient.is_running:
        return
    for url in settings.rasa_addresses:
        answer = await _ask(patient, f"{url}/status", parameters={"token": settings.rasa_token})
        if answer.status == 0:
            yield Problem(
                "rasa-unreachable", f"Rasa di {url} tidak menjawab; periksa PRAJA_RASA_URLS atau nyalakan lagi."
            )
        elif answer.status in (401, 403):
            yield Problem("rasa-token", f"PRAJA_RASA_TOKEN ditolak Rasa di {url}; samakan nilainya di semua bagian.")
        elif answer.status == 409:
            yield Problem("rasa-without-model", f"Rasa di {url} belum memuat model; jalankan `praja promote MODEL`.")


async def _public_address(patient: Patient) -> AsyncIterator[Problem]:
    settings = patient.settings
    if not patient.is_running:
        return
    answer = await _ask(patient, f"{settings.public_url.rstrip('/')}/healthz")
    if answer.status != 200:
        yield Problem(
            "public-url-unreachable",
            f"PRAJA_PUBLIC_URL {settings.public_url} tidak sampai ke bot ini; periksa DNS, proksi dan sertifikatnya.",
        )


def _clock(patient: Patient, answer: _Answer) -> list[Problem]:
    if answer.date is None or abs(answer.date - patient.now) <= _MOST_SKEW:
        return []
    seconds = abs(answer.date - patient.now).total_seconds()
    return [
        Problem(
            "clock",
            f"Jam mesin ini berbeda {seconds:.0f} detik dari jam penyedia; nyalakan penyetel waktu: timedatectl set-ntp true",
        )
    ]


async def _ask(
    patient: Patient, url: str, *, token: str = "", parameters: Mapping[str, str] | None = None, **more: str
) -> _Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with patient.session.get(
            url, headers=headers, params={**(parameters or {}), **more}, timeout=_TIMEOUT
        ) as response:
            try:
                body = await response.json(content_type=None)
            except ValueError:
                body = {}
            return _Answer(response.status, body if isinstance(body, dict) else {}, _date(response.headers.get("Date")))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return _Answer(0, {}, None)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
