"""Traces: spans of requests, decisions and deliveries, sent over OTLP/HTTP where an endpoint is configured.

Without the `otel` extra, or without OTEL_EXPORTER_OTLP_ENDPOINT, a span costs nothing. A span holds ids and kinds of
errors: the same fields that a log line may hold, no statement and no exception's text.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fairlead.telemetry.deadline import Bounded
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.log_fields import only_known_fields

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


def set_up_traces(service_name: str) -> bool:
    """Whether spans of this process are sent from now on; they are not when no endpoint or no library is there.

    Other OTEL_ variables (headers, sampling, ...) mean what OpenTelemetry says. Call it once, before the process
    serves, and `shut_down_traces` at its end. An endpoint that does not answer costs spans, never a request.
    """
    if not any(os.environ.get(name) for name in _ENDPOINT_VARIABLES):
        return False
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return False
    provider = TracerProvider(resource=Resource.create({"service.name": service_name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    # The web framework's own spans of requests go to the global provider.
    trace.set_tracer_provider(provider)
    use_provider(provider)
    return True


def use_provider(provider: "TracerProvider | None") -> None:
    """Spans go to this provider from now on; None: nowhere."""
    global _provider, _tracer
    _provider = provider
    _tracer = None if provider is None else provider.get_tracer("fairlead")


def shut_down_traces(timeout_seconds: float = 2) -> None:
    """What was waiting was sent, or `timeout_seconds` have passed; no span is made any more."""
    provider = _provider
    use_provider(None)
    if provider is None:
        return
    with suppress(TimeoutError):  # the library's own bound does not bind while an endpoint keeps silent
        Bounded(provider.shutdown, timeout_seconds)()


@contextmanager
def span(name: str, *, parent: str | None = None, **ids: str | int | float | None) -> Generator[None]:
    """The block is one span, below the running one or below `parent` (a `traceparent` that came with a job).

    `ids` are fields of `LOG_FIELDS`; others are dropped. An exception marks the span with its kind and goes on.
    """
    if _tracer is None:
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # A parent that cannot be read is no parent: the span then begins a trace.
    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    attributes = {key: value for key, value in only_known_fields(None, "", dict(ids)).items() if value is not None}
    with _tracer.start_as_current_span(
        name, context=context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as running:
        try:
            yield
        except BaseException as error:
            _mark_failed(running, error)
            raise


def _mark_failed(running: "Span", error: BaseException) -> None:
    from opentelemetry.trace import Status, StatusCode

    kind = error_kind(error)
    running.set_attribute("error.type", kind)
    running.set_status(Status(StatusCode.ERROR, kind))


def current_traceparent() -> str | None:
    """The running span as W3C `traceparent` text, to travel in a job; None outside of any."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def current_trace_id() -> str | None:
    """The running span's trace as 32 hexadecimal digits; None outside of any."""
    traceparent = current_traceparent()
    return None if traceparent is None else traceparent.split("-")[1]
