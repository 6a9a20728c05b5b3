"""Every service that is filed in the chat is filed to a number by a citizen who answers what is asked, on each channel."""

from __future__ import annotations

import pytest

from backend.catalogue import Catalogue, Mode, load_catalogue
from tests.stack.citizen import file_service, new_nik, new_phone
from tests.stack.running import ROOT, Running

_QUICK = (("ktp_hilang", "simulator"), ("akta_kelahiran", "simulator"), ("sk_umum", "whatsapp"))
_MOST_BUBBLES = 60


def _cases() -> list[object]:
    services = load_catalogue(ROOT / "data").services.values()
    filed = [service.id for service in services if service.mode is Mode.FILING]
    long = [(service, channel) for service in filed for channel in ("telegram", "whatsapp")]
    return [
        *(pytest.param(*case) for case in _QUICK),
        *(pytest.param(*case, marks=pytest.mark.verify) for case in long if case not in _QUICK),
    ]


@pytest.mark.parametrize(("service", "channel"), _cases())
def test_service_is_filed(stack: Running, catalogue: Catalogue, service: str, channel: str) -> None:
    phone, nik = new_phone(stack, channel), new_nik()
    number, bubbles = file_service(phone, catalogue.services[service], nik=nik)
    assert [f["number"] for f in stack.filings() if f["service"] == service and _is_of(f, nik)] == [number]
    assert bubbles <= _MOST_BUBBLES


def _is_of(filing: dict[str, object], nik: str) -> bool:
    applicant = filing["applicant"]
    return isinstance(applicant, dict) and str(applicant["nik"] or "").endswith(nik[-4:])
