"""OpenTelemetry, where somebody wants it: a trace for each turn, and in it a span for what each part did.

All parts know the turn's number, so its trace is derived from that, and Rasa, which has no OpenTelemetry, hands on nothing
more. The library comes with rasa-sdk.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from journal.turn import present_turn

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

__all__ = ["send_spans", "span"]

_tracers: list[Tracer] = []
"""none, or the one of this process"""


def send_spans(part: str, exporter: SpanExporter) -> None:
    """From now on. They are sent beside the work, and dropped where nobody takes them."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"praja-{part}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracers[:] = [provider.get_tracer("praja")]


@contextlib.contextmanager
def span(name: str) -> Iterator[None]:
    """Of the present turn; nothing outside one, or where nobody wants spans. Of an error it tells that there was one."""
    turn = present_turn()
    if not turn or not _tracers:
        yield
        return
    from opentelemetry.trace import Status, StatusCode

    with _tracers[0].start_as_current_span(
        name, _trace_of(turn), attributes={"praja.turn": turn}, record_exception=False, set_status_on_exception=False
    ) as present:
        try:
            yield
        except BaseException:
            # Its words may be a citizen's.
            present.set_status(Status(StatusCode.ERROR))
            raise


def _trace_of(turn: str) -> Context | None:
    """None within another span of this part."""
    from opentelemetry import trace

    if trace.get_current_span().get_span_context().is_valid:
        return None
    digest = hashlib.sha256(f"praja turn {turn}".encode()).digest()
    parent = trace.SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))
