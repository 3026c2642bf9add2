"""Spans: whose child they are, what they hold, and that they are nothing where none were asked for."""

import subprocess
import sys
from collections.abc import Generator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from fairlead.store.connection import Database
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.telemetry import traces
from fairlead.telemetry.traces import current_trace_id, current_traceparent, set_up_traces, span, use_provider
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def exporter() -> Generator[InMemorySpanExporter]:
    """Where spans arrive."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    use_provider(provider)
    yield exporter
    use_provider(None)
    provider.shutdown()


def test_a_span_holds_the_ids_that_a_log_line_may_hold(exporter: InMemorySpanExporter) -> None:
    with span("distribute", lead_id="0190-a", attempt=2, niche=None, contact_email="wilhelmina@canary.example"):
        pass
    [seen] = exporter.get_finished_spans()
    assert seen.name == "distribute"
    assert dict(seen.attributes or {}) == {"lead_id": "0190-a", "attempt": 2}


def test_a_span_in_a_span_is_its_child(exporter: InMemorySpanExporter) -> None:
    with span("outer"), span("inner"):
        pass
    inner, outer = exporter.get_finished_spans()
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id


def test_a_trace_goes_on_in_the_job_that_it_caused(exporter: InMemorySpanExporter) -> None:
    with span("request"):
        travelling = current_traceparent()
        trace_id = current_trace_id()
    assert travelling is not None
    with span("job", parent=travelling):
        assert current_trace_id() == trace_id
    request, job = exporter.get_finished_spans()
    assert request.context is not None
    assert job.parent is not None
    assert job.parent.span_id == request.context.span_id
    assert f"{request.context.trace_id:032x}" == trace_id == travelling.split("-")[1]


def test_a_job_carries_the_trace_it_was_enqueued_in(exporter: InMemorySpanExporter, database: Database) -> None:
    with span("approve"):
        trace_id = current_trace_id()
        database.run(lambda conn: enqueue(conn, [Job("distribute_lead", {"lead_id": "a"})]))
    use_provider(None)
    database.run(lambda conn: enqueue(conn, [Job("distribute_lead", {"lead_id": "b"})]))
    with database.snapshot() as conn:
        rows = conn.execute("select payload ->> 'traceparent' from jobs order by id").fetchall()
    assert [row[0] and row[0].split("-")[1] for row in rows] == [trace_id, None]


def test_a_parent_that_cannot_be_read_is_none(exporter: InMemorySpanExporter) -> None:
    with span("job", parent="nonsense"):
        pass
    [job] = exporter.get_finished_spans()
    assert job.parent is None


def test_a_failed_span_tells_the_kind_of_error_and_not_its_words(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="canary"), span("distribute"):
        raise ValueError("wilhelmina@canary.example")
    [seen] = exporter.get_finished_spans()
    assert (seen.status.status_code, seen.status.description) == (StatusCode.ERROR, "ValueError")
    assert seen.events == ()
    assert "canary" not in seen.to_json()


def test_outside_of_any_span_there_is_nothing_to_pass_on(exporter: InMemorySpanExporter) -> None:
    assert current_traceparent() is None
    assert current_trace_id() is None
    assert exporter.get_finished_spans() == ()


def test_without_an_endpoint_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert set_up_traces("fairlead-test") is False
    with span("distribute", lead_id="0190-a"):
        assert current_traceparent() is None
    assert traces._tracer is None  # pyright: ignore[reportPrivateUsage]


def test_without_the_library_nothing_is_made_and_nothing_breaks() -> None:
    """In a process in which no part of OpenTelemetry can be imported, although an endpoint is set."""
    program = """
import os, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "opentelemetry": raise ImportError(name)
sys.meta_path.insert(0, Blocked())
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
from fairlead.telemetry.logs import get_logger
from fairlead.telemetry.traces import current_traceparent, set_up_traces, shut_down_traces, span
assert set_up_traces("fairlead-test") is False
with span("distribute", lead_id="0190-a", parent="nonsense"):
    assert current_traceparent() is None
    get_logger("fairlead.x").warning("bird")
shut_down_traces()
assert not any(name.split(".")[0] == "opentelemetry" for name in sys.modules)
print("done")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr


def test_an_endpoint_that_does_not_answer_holds_up_no_span_and_no_end() -> None:
    program = """
import os, socket
silent = socket.create_server(("127.0.0.1", 0))  # it accepts, and never answers
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "3600000"
from fairlead.telemetry.traces import current_traceparent, set_up_traces, shut_down_traces, span
assert set_up_traces("fairlead-test") is True
with span("distribute"):
    assert current_traceparent() is not None
silent.setblocking(False)
try:
    raise AssertionError(f"it was sent in between: {silent.accept()}")
except BlockingIOError:
    pass
shut_down_traces(timeout_seconds=0.5)
silent.setblocking(True)
silent.accept()
print("done", flush=True)
os._exit(0)  # what is still being sent would be waited for
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    assert done.stdout == "done\n", done.stderr


def test_spans_arrive_at_the_endpoint() -> None:
    program = """
import os, http.server, threading
bodies = []
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
from fairlead.telemetry.traces import set_up_traces, shut_down_traces, span
set_up_traces("fairlead-test")
with span("distribute lead"): pass
shut_down_traces()
[(path, body)] = bodies
assert path == "/v1/traces" and b"distribute lead" in body and b"fairlead-test" in body
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert done.stdout == "done\n", done.stderr
