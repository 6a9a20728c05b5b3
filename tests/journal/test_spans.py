from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from journal import of_turn, send_spans, span, spans


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    send_spans("bot", exporter)
    yield exporter
    spans._tracers.clear()


def _sent(exporter: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    tracer = spans._tracers[0]
    tracer.span_processor.force_flush()  # type: ignore[attr-defined]
    return exporter.get_finished_spans()


def test_what_is_done_for_one_turn_is_one_trace(exporter: InMemorySpanExporter) -> None:
    for turn, name in (("7", "turn"), ("8", "turn"), ("7", "PUT /drafts/{id}")):
        with of_turn(turn), span(name), span("inner"):
            pass
    traces: dict[int, list[str]] = {}
    for each in _sent(exporter):
        assert each.context is not None
        traces.setdefault(each.context.trace_id, []).append(each.name)
    assert sorted(map(sorted, traces.values())) == [
        ["PUT /drafts/{id}", "inner", "inner", "turn"],
        ["inner", "turn"],
    ]


def test_of_an_error_nothing_is_told_but_that_there_was_one(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="NIK"), of_turn("7"), span("turn"):
        raise ValueError("NIK 3515082301790042")
    (sent,) = _sent(exporter)
    assert sent.status.status_code is StatusCode.ERROR
    assert "3515082301790042" not in sent.to_json()


def test_outside_a_turn_there_is_none(exporter: InMemorySpanExporter) -> None:
    with span("turn"):
        pass
    assert _sent(exporter) == ()


def test_where_nobody_wants_them_there_are_none() -> None:
    with of_turn("7"), span("turn"):
        assert spans._tracers == []
