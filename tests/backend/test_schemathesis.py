"""The backend, served, is asked all that its description allows and much that it doesn't: never an error of ours."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.backend.conftest import CONTACT, Client
from tests.backend.contract import CONTRACT

EXAMPLES = int(os.environ.get("PRAJA_SCHEMATHESIS_EXAMPLES", "60"))
"""of each operation, each role, and each of right and wrong"""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.verify
@pytest.mark.parametrize("role", ["channel", "officer"])
async def test_no_request_is_an_error_of_ours(
    http: TestClient[Any, Any], channel: Client, officer: Client, role: str
) -> None:
    filed, draft = await channel.file(), await channel.open()
    known = {
        "number": str(filed["number"]),
        "id": draft,
        "contact": CONTACT,
        "key": "kk",
        "page": "1",
        "service": "surat_uji",
    }
    statuses = await asyncio.to_thread(_ask_everything, str(http.make_url("")).rstrip("/"), f"{role}-token", known)
    # It got through to the doors, and behind them.
    assert min(statuses[200], statuses[404], statuses[422]) > 20, statuses


def _ask_everything(url: str, token: str, known: dict[str, str]) -> Counter[int]:
    contract = schemathesis.openapi.from_dict(CONTRACT)
    contract.config.update(base_url=f"{url}/api/v1")
    statuses: Counter[int] = Counter()
    # What is deleted leads nowhere any more.
    operations = sorted((found.ok() for found in contract.get_all_operations()), key=lambda one: one.method == "delete")
    for operation, mode in itertools.product(operations, GenerationMode):
        _ask(operation, mode, token, known, statuses)
    return statuses


def _ask(
    operation: APIOperation, mode: GenerationMode, token: str, known: dict[str, str], statuses: Counter[int]
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    def ask(case: Case, real: bool) -> None:
        if real:
            # Names that exist lead further in than any that is made up.
            for name in known.keys() & (case.path_parameters or {}).keys():
                case.path_parameters[name] = known[name]
        answer = case.call(headers={"Authorization": f"Bearer {token}"}, timeout=20)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS if mode is GenerationMode.POSITIVE else CHECKS[:1])

    ask()
