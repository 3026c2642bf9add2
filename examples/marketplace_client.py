"""A small client for a running Fairlead: ask and expect an answer, codes, mail that arrives, a webhook receiver, the feed.

It is what a developer would write who has read docs/ and nothing else. It needs httpx2 and websockets.
"""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_SECONDS = 30
Json = dict[str, Any]


def told(what: str) -> None:
    """One line of the story is on the screen, at once also through a pipe."""
    print(what, flush=True)


def same(what: str, seen: object, wanted: object) -> None:
    """What was seen is what was wanted; anything else ends the story with both."""
    if seen != wanted:
        raise SystemExit(f"{what}: saw {seen!r}, wanted {wanted!r}")


class Caller:
    """A caller of the API: with a session's cookie, with a key, or with neither."""

    def __init__(self, site: str, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=f"{site}/api/v1", headers=headers, timeout=PATIENCE_SECONDS)

    def ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        status: int = 200,
        code: str | None = None,
        seen: str | None = None,
        once: str | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Json:
        """The answer, which had this status and, for a refusal, this code.

        `seen` is the version that a change is about, `once` makes a repetition harmless.
        """
        headers = {"If-Match": seen} if seen else {}
        if once:
            headers["Idempotency-Key"] = once
        answer = self._http.request(method, path, json=body, headers=headers, params=query)
        said: Json = json.loads(answer.text) if "json" in answer.headers.get("Content-Type", "") else {}
        asked = f"{method} {path} {body or ''}"
        if (answer.status_code, said.get("code") if code else None) != (status, code):
            raise SystemExit(f"{asked}: wanted {status} {code or ''}, got {answer.status_code} {answer.text}")
        return said

    def version(self, path: str) -> str:
        """The ETag of what is at this address, to be handed back in If-Match."""
        answer = self._http.get(path)
        same(f"GET {path}", answer.status_code, 200)
        return answer.headers["ETag"]

    def every(self, path: str, **query: str | int) -> Iterator[Json]:
        """Every item of a long list, page by page."""
        while True:
            page = self.ask("GET", path, query=query)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def lines(self, path: str) -> list[Json]:
        """An export as JSON, a row each."""
        answer = self._http.get(path, params={"format": "jsonl"})
        same(f"GET {path}", answer.status_code, 200)
        return [json.loads(line) for line in answer.text.splitlines()]


def code_of(secret: str, at_seconds: float) -> str:
    """The code that an authenticator app shows at a time (RFC 6238: SHA-1, six digits, 30 seconds)."""
    step = struct.pack(">Q", int(at_seconds) // 30)
    digest = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), step, hashlib.sha1)
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def waited_for(what: str, look: Callable[[], Any]) -> Any:
    """What `look` found, which was asked again and again until it was not None."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > until:
            raise SystemExit(f"waited {PATIENCE_SECONDS} s for {what}")
        time.sleep(0.1)
    return found


class Mail:
    """The directory that FAIRLEAD_MAIL_DIRECTORY names: one file for each message."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def token(self, recipient: str) -> str:
        """What stands behind the # of the link in the newest message to a recipient, which is waited for."""
        return waited_for(f"a link for {recipient}", lambda: self._newest_token(recipient))

    def _newest_token(self, recipient: str) -> str | None:
        for file in sorted(self._directory.glob("*.eml"), reverse=True):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            text = message.get_body(("plain",))
            link = re.search(r"https?://\S+#(\S+)", text.get_content()) if text else None
            if recipient in message["To"] and link:
                return link[1]
        return None


class Receiver:
    """A provider's own system: takes webhooks on a free port, and believes those that are signed with its secret."""

    def __init__(self) -> None:
        self.secret = ""
        self.messages: dict[str, Json] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_signed = receiver.believes(self.headers["webhook-signature"], self.headers, body)
                if is_signed:
                    receiver.messages[self.headers["webhook-id"]] = json.loads(body)
                self.send_response(200 if is_signed else 401)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """A story is no log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/leads"

    def believes(self, signatures: str, headers: Message, body: bytes) -> bool:
        """Whether one of the signatures is that of the secret, over id, time and body."""
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        return any(hmac.compare_digest(right, one) for one in signatures.split())

    def leads(self) -> list[str]:
        """The leads that arrived."""
        return [said["data"]["lead_id"] for said in list(self.messages.values()) if said["type"] == "lead.assigned"]


class Feed:
    """What happens in the marketplace, as it happens, from the moment on at which this exists."""

    def __init__(self, site: str, key: str) -> None:
        address = site.replace("http", "ws", 1) + "/api/v1/admin/live"
        self._socket = connect(address, additional_headers={"Authorization": f"Bearer {key}"})
        same("the feed begins", json.loads(self._socket.recv(PATIENCE_SECONDS))["type"], "ready")
        self._messages: list[Json] = []
        self.ended_with: int | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                self._messages.append(json.loads(self._socket.recv()))
        except ConnectionClosed as closed:
            self.ended_with = closed.rcvd.code if closed.rcvd else 1006

    def of(self, kind: str) -> list[Json]:
        """All messages of a type until now."""
        return [message for message in list(self._messages) if message["type"] == kind]

    def wait_for(self, kind: str, count: int) -> None:
        """There were exactly so many messages of a type, some of which may have to be waited for."""
        waited_for(f"{count} x {kind}", lambda: len(self.of(kind)) >= count or None)
        same(f"messages {kind}", len(self.of(kind)), count)
