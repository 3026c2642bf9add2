"""A server that answers the calls that are made to Stripe, with a session as Stripe's API shapes it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

EVENTS = Path(__file__).parent / "stripe_events"
SECRET, KEY = "whsec_of_the_tests", "sk_test_of_the_tests"


def recorded(name: str, request_id: str, **changes: object) -> dict[str, Any]:
    """Stripe's event of that name about this payment, with other values in what it is about."""
    event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8").replace("{request_id}", request_id))
    event["data"]["object"] |= changes
    return event


@dataclass
class Stub:
    """What was asked of it, and how it answers: `failures` first, each a status, then with the session.

    With a `refusal` a card is declined: 402, and this error. `{request_id}` in what it answers is of the payment that
    it was last told of.
    """

    url: str
    session: dict[str, Any]
    calls: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list[Any])
    failures: list[int] = field(default_factory=list[int])
    refusal: dict[str, Any] | None = None
    told_of: str = ""


@contextmanager
def stripe_stub(session: dict[str, Any]) -> Iterator[Stub]:
    """The server, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            stub.calls.append((f"{self.command} {self.path}", headers, parse_qs(body)))
            [stub.told_of] = stub.calls[-1][2].get("metadata[fairlead_request_id]", [stub.told_of])
            status = stub.failures.pop(0) if stub.failures else 200
            said = stub.session if status == 200 else {"error": {"type": "api_error", "message": "a secret detail"}}
            if status == 200 and stub.refusal is not None:
                status, said = 402, {"error": stub.refusal}
            content = json.dumps(said).replace("{request_id}", stub.told_of).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(f"http://127.0.0.1:{server.server_port}", session)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
