"""Runs the graph of a loaded model node by node, in an order found once.

Rasa's own runner has Dask plan the same few nodes at every message and at every decision: a twelfth of a turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Optional

from rasa.engine.graph import GraphNode, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner

__all__ = ["StraightGraph"]


class StraightGraph:
    """Shares the nodes of the runner that loaded them; gives what its `run` gives, and raises what nodes raise."""

    def __init__(self, loaded: DaskGraphRunner) -> None:
        self._nodes: Mapping[str, GraphNode] = loaded._instantiated_nodes
        self._schema: GraphSchema = loaded._graph_schema
        self._order = lru_cache(maxsize=8)(self._order_for)

    def run(
        self, inputs: Optional[Mapping[str, Any]] = None, targets: Optional[Sequence[str]] = None
    ) -> dict[str, Any]:
        outputs = {name: (name, value) for name, value in (inputs or {}).items()}
        wanted = tuple(targets or self._schema.target_names)
        for name in self._order(wanted):
            if name not in outputs:
                needs = self._schema.nodes[name].needs.values()
                outputs[name] = self._nodes[name](*(outputs[need] for need in needs))
        return {name: outputs[name][1] for name in wanted}

    def _order_for(self, wanted: tuple[str, ...]) -> Sequence[str]:
        """Nodes after all that they need; what is given as an input is no node."""
        order: dict[str, None] = {}

        def visit(name: str) -> None:
            if name in order or name not in self._schema.nodes:
                return
            for need in self._schema.nodes[name].needs.values():
                visit(need)
            order[name] = None

        for name in wanted:
            visit(name)
        return tuple(order)
