"""Another model in the place of the one that answers: loaded beside it, tried before any citizen meets it, put in at once."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from rasa.core.agent import Agent
from rasa.core.tracker_store import FailSafeTrackerStore

__all__ = ["ModelRefused", "Probe", "Swap", "SwapUnfit", "load_beside", "parse_swap"]

_LONGEST = 1_000
_MOST_PROBES = 100


class SwapUnfit(ValueError):
    """The body isn't as `docs/rooms.md` has it."""


class ModelRefused(Exception):
    """It can't be loaded, or reads a probe wrongly: `failed` holds text, expected and found of each."""

    def __init__(self, reason: str, failed: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(reason)
        self.failed = failed


@dataclass(frozen=True)
class Probe:
    text: str
    intent: str
    service: Optional[str]


@dataclass(frozen=True)
class Swap:
    model_file: Path
    probes: Sequence[Probe]


def parse_swap(body: Any) -> Swap:
    """Raises SwapUnfit."""
    if not isinstance(body, dict) or set(body) != {"model_file", "probes"} or not isinstance(body["probes"], list):
        raise SwapUnfit("body needs model_file and probes")
    if not _is_text(body["model_file"]) or len(body["probes"]) > _MOST_PROBES:
        raise SwapUnfit("model_file must be a path, probes no more than a hundred")
    return Swap(Path(body["model_file"]), [_probe(each) for each in body["probes"]])


async def load_beside(agent: Agent, swap: Swap) -> Agent:
    """An agent with that model and the conversations of `agent`, which goes on answering meanwhile; itself, if it has it.

    Raises ModelRefused.
    """
    if agent.processor is not None and Path(agent.processor.model_path) == swap.model_file:
        await _try_all(agent, swap.probes)
        return agent
    if not swap.model_file.is_file():
        raise ModelRefused("there is no such model")
    try:
        other = await asyncio.to_thread(_load, swap.model_file, agent)
    except Exception as error:
        raise ModelRefused(f"it can't be loaded ({type(error).__name__})") from None
    await _try_all(other, swap.probes)
    return other


def _load(model_file: Path, agent: Agent) -> Agent:
    store = agent.tracker_store
    if isinstance(store, FailSafeTrackerStore):
        store = store._tracker_store
    # Loading sets the store's domain. A copy has its own, and shares connections and threads.
    return Agent.load(
        str(model_file),
        tracker_store=copy.copy(store),
        lock_store=agent.lock_store,
        action_endpoint=agent.action_endpoint,
    )


async def _try_all(agent: Agent, probes: Sequence[Probe]) -> None:
    failed = [found for probe in probes if (found := await _try(agent, probe)) is not None]
    if failed:
        raise ModelRefused("it reads probes wrongly", failed)


async def _try(agent: Agent, probe: Probe) -> Optional[dict[str, str]]:
    """What went wrong, None if nothing."""
    parsed = await agent.parse_message(probe.text)
    intent = parsed["intent"]["name"]
    service = next((each["value"] for each in parsed["entities"] if each["entity"] == "layanan"), None)
    if intent == probe.intent and probe.service in (None, service):
        return None
    return {
        "text": probe.text,
        "expected": f"{probe.intent} {probe.service or ''}".strip(),
        "found": f"{intent} {service or ''}".strip(),
    }


def _probe(body: Any) -> Probe:
    if not isinstance(body, dict) or not _is_text(body.get("text")) or not _is_text(body.get("intent")):
        raise SwapUnfit("a probe needs text and intent")
    service = body.get("service")
    if service is not None and not _is_text(service):
        raise SwapUnfit("a probe's service must be a name")
    return Probe(body["text"], body["intent"], service)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST
