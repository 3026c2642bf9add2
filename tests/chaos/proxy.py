"""A relay in front of PostgreSQL that reads the protocol, counts statements, and strikes at one of them.

Statements that leave together in a pipeline are told apart too: the relay stands between the messages, not between
the calls. A *point* is the moment before one of a session's messages Execute, Query or Sync reaches the server; so
"before the sync" is "after the statement, before the client was told".
"""

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.waiting import PATIENCE_SECONDS

POINTS = {b"E": "execute", b"Q": "query", b"S": "sync"}
READY_FOR_QUERY = b"Z"


@dataclass
class Session:
    """One client's connection and the server's side of it."""

    client: socket.socket
    server: socket.socket
    statements: dict[bytes, str] = field(default_factory=dict[bytes, str])
    portals: dict[bytes, str] = field(default_factory=dict[bytes, str])
    statement: str = ""
    keeps_answers: bool = False
    answered: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        """What pg_stat_activity calls this session's `client_port`."""
        return int(self.server.getsockname()[1])

    def remember(self, kind: bytes, body: bytes) -> None:
        """`statement` is the text that an Execute, a Query or a Sync of this moment is about."""
        if kind == b"P":
            name, text = body.split(b"\0", 2)[:2]
            self.statements[name] = " ".join(text.decode().split())
        elif kind == b"B":
            portal, name = body.split(b"\0", 2)[:2]
            self.portals[portal] = self.statements[name]
        elif kind == b"E":
            self.statement = self.portals[body.split(b"\0", 1)[0]]
        elif kind == b"Q":
            self.statement = " ".join(body.rstrip(b"\0").decode().split())

    def cut(self) -> None:
        """Both sides are gone; what was under way is not delivered."""
        for side in (self.client, self.server):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


Strike = Callable[[Session, Callable[[], None]], None]
"""What happens to a session at a point. The second argument delivers the message after all."""


def cut_before(session: Session, deliver: Callable[[], None]) -> None:
    """The connection breaks before the message reaches the server."""
    session.cut()


def swallow_answer(session: Session, deliver: Callable[[], None]) -> None:
    """The server does what it is told, and its answer never arrives."""
    session.keeps_answers = True
    deliver()
    was_answered = session.answered.wait(PATIENCE_SECONDS)
    session.cut()  # in any case, or the client would wait for ever
    assert was_answered, "the server never answered"


class Proxy:
    """The relay. From `watch` on points are counted, until the one where it strikes; `strike_where` chooses them."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._account = f"{parts.username}:{parts.password}" if parts.password else f"{parts.username}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._points: list[str] | None = None
        self._strike: tuple[int, Strike] | None = None
        self._choose: Callable[[str], Strike | None] | None = None
        self.sessions: list[Session] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, database_url: str) -> str:
        """The same database, by way of this relay."""
        host, port = self._listener.getsockname()
        name = urlsplit(database_url).path
        return f"postgresql://{self._account}@{host}:{port}{name}?sslmode=disable&gssencmode=disable"

    def watch(self, strike_at: int | None = None, strike: Strike | None = None) -> list[str]:
        """The list that fills with the points from now on; at number `strike_at` it strikes and counts no further."""
        points: list[str] = []
        self._strike = None if strike_at is None or strike is None else (strike_at, strike)
        self._points = points
        return points

    def strike_where(self, choose: Callable[[str], Strike | None] | None) -> None:
        """From now on every session is struck at each point for which `choose` says how; None ends it."""
        self._choose = choose

    def ignore(self) -> None:
        """Points are not counted from now on."""
        self._points = None

    def close(self) -> None:
        """No client is connected any more, and nothing of the relay is left."""
        self.ignore()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # from here on no session is added
        for session in self.sessions:
            session.cut()
        for thread in self._threads:
            thread.join()
        for side in (self._listener, *(s for session in self.sessions for s in (session.client, session.server))):
            side.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(client, server)
            self.sessions.append(session)
            for pump in (self._to_server, self._to_client):
                thread = threading.Thread(target=_until_it_breaks, args=(pump, session))
                self._threads.append(thread)
                thread.start()

    def _to_server(self, session: Session) -> None:
        session.server.sendall(_startup_packet(session.client))
        while True:
            kind, body = _message(session.client)
            session.remember(kind, body)
            if self._strikes(session, kind, body):
                return
            session.server.sendall(_framed(kind, body))

    def _strikes(self, session: Session, kind: bytes, body: bytes) -> bool:
        if kind not in POINTS:
            return False
        strike = self._strike_at(f"{POINTS[kind]}: {session.statement}")
        if strike is not None:
            strike(session, lambda: session.server.sendall(_framed(kind, body)))
        return strike is not None

    def _strike_at(self, point: str) -> Strike | None:
        if self._choose is not None:
            return self._choose(point)
        points, strike = self._points, self._strike
        if points is None:
            return None
        points.append(point)
        if strike is None or strike[0] != len(points) - 1:
            return None
        self._points = None
        return strike[1]

    def _to_client(self, session: Session) -> None:
        while True:
            kind, body = _message(session.server)
            if not session.keeps_answers:
                session.client.sendall(_framed(kind, body))
            elif kind == READY_FOR_QUERY:
                session.answered.set()


def _until_it_breaks(pump: Callable[[Session], None], session: Session) -> None:
    try:
        pump(session)
    except (OSError, EOFError):
        session.cut()


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    return head[:1], _exactly(source, struct.unpack("!i", head[1:])[0] - 4)


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _startup_packet(source: socket.socket) -> bytes:
    head = _exactly(source, 4)
    return head + _exactly(source, struct.unpack("!i", head)[0] - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        piece = source.recv(count - len(received))
        if not piece:
            raise EOFError
        received += piece
    return bytes(received)
