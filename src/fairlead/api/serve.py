"""An HTTP server in a thread, beside whatever else the process does."""

import asyncio
import errno
import os
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from fairlead.api.live.sockets import SETTINGS as WEBSOCKET_SETTINGS
from fairlead.api.live.sockets import WebSocketProtocol
from fairlead.api.request_timeout import HttpProtocol
from fairlead.core.errors import Refused
from fairlead.telemetry.logs import get_logger

_log = get_logger(__name__)

START_TIMEOUT_SECONDS = 10.0
STOP_TIMEOUT_SECONDS = 0.9


class ServingThread:
    """A server that answers on `port` until it is stopped. Use it as a context manager, or call `stop`."""

    def __init__(self, server: uvicorn.Server, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self._server = server
        self._thread = threading.Thread(target=self._run, args=(listener,), name=f"http-{self.port}", daemon=True)

    def __enter__(self) -> "ServingThread":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        with listener:
            asyncio.run(self._server.serve(sockets=[listener]))

    def start(self) -> None:
        """The server answers. Raises RuntimeError when it ended instead, or does not within 10 s."""
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the HTTP server on port {self.port} did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """The port is closed, within a second; a request that is still unanswered then is dropped. Idempotent."""
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_SECONDS / 2)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(STOP_TIMEOUT_SECONDS / 2)
        if self._thread.is_alive():
            _log.warning("the HTTP server did not stop in time", port=self.port)


def serve_in_thread(application: ASGIApp, host: str, port: int, port_setting: str | None = None) -> ServingThread:
    """The application is served at `host` (name, IPv4 or IPv6 address) and `port`, 0 standing for any free one.

    Signals stay with the main thread: this server has no handlers for them. Raises `Refused`
    (`address_unavailable`) when the address cannot be had, in one line, which names the setting to change where
    `port_setting` names the one that the port is of.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
        # Inherited by every connection. An answer's head and body are two packets, and without this the second waits
        # until the client, which has nothing to say, acknowledges the first: 40 ms later. asyncio sees to it only for
        # listeners that it made itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        # Of an address that was found the system's own words: Python's repeat the address.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        advice = "" if port_setting is None else _advice(error, port_setting)
        raise Refused("address_unavailable", f"cannot listen on {host}, port {port}: {reason}{advice}") from error
    configuration = uvicorn.Config(
        application,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whose word is taken for where a request comes from is the application's to say, and by default no proxy's.
        proxy_headers=False,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        **WEBSOCKET_SETTINGS,
    )
    serving = ServingThread(uvicorn.Server(configuration), listener)
    serving.start()
    return serving


def _advice(error: OSError, port_setting: str) -> str:
    """Which setting is to be changed: that of the port where another program has it, or where it needs more rights."""
    if error.errno in (errno.EADDRINUSE, errno.EACCES):
        return f": set {port_setting} to another port, or to 0 for any that is free"
    return ": set FAIRLEAD_HTTP_HOST to a name or an address of this machine"
