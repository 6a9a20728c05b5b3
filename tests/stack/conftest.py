from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.catalogue import Catalogue, load_catalogue
from tests.stack.citizen import SimulatorPhone
from tests.stack.privacy import found_in_clear
from tests.stack.running import ROOT, Running, running_with_channels
from tests.stack.told import TOLD


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_of_the_stack(item):
            item.add_marker(pytest.mark.stack)
    # They take longest, so they begin first, and the other worker does all the rest meanwhile.
    items.sort(key=lambda item: not _is_of_the_stack(item))


def _is_of_the_stack(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


@pytest.fixture(scope="session")
def stack() -> Iterator[Running]:
    """At the end of the session it is searched for whatever any test has told it."""
    with running_with_channels() as one:
        yield one
        found = found_in_clear(one, TOLD)
        assert not found, "\n".join(found[:40])


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "data")


@pytest.fixture
def phone(stack: Running) -> SimulatorPhone:
    """A phone nobody used before."""
    return SimulatorPhone(stack.url, f"uji-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def new_phone(stack: Running) -> Callable[[], SimulatorPhone]:
    return lambda: SimulatorPhone(stack.url, f"uji-{uuid.uuid4().hex[:12]}")
