"""A network connection that goes where it was told, ends when its time is up and reads no more than it was allowed.

It stands below the HTTP client as its network backend. The client's own timeouts hold for one read or write each, and
a receiver that sends a byte now and then never meets them.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address

import httpcore2

from fairlead.delivery.addresses import Address

_MAX_ADDRESSES = 4


class AnswerTooLong(Exception):
    """The receiver sent more than is read of any answer."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant by which everything is over, on the clock that never jumps."""

    ends_at: float

    @classmethod
    def in_seconds(cls, seconds: float) -> "Deadline":
        """The deadline that is so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining_seconds(self) -> float:
        """How long there is still; `TimeoutError` when there is no time left."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class PinnedBackend(httpcore2.NetworkBackend):
    """Connects to the given addresses, in their order, until one answers; the name that the client asks for is unused.

    What goes wrong is raised as the socket raises it: an OSError, of which TimeoutError and ssl.SSLError are two.
    """

    def __init__(self, addresses: Sequence[Address], deadline: Deadline, max_answer_bytes: int) -> None:
        """`addresses`: at least one; the first four are tried, each within its share of the time that is left."""
        self._addresses = addresses[:_MAX_ADDRESSES]
        self._deadline = deadline
        self._max_answer_bytes = max_answer_bytes

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first of the addresses that takes one; the last one's OSError if none does."""
        *others, last = self._addresses
        for number, address in enumerate(others):
            with suppress(OSError):
                return self._connected(address, port, len(self._addresses) - number)
        return self._connected(last, port, 1)

    def _connected(self, address: Address, port: int, shares: int) -> httpcore2.NetworkStream:
        family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._deadline.remaining_seconds() / shares)
            connection.connect((str(address), port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            connection.close()
            raise
        return _BoundedStream(connection, self._deadline, self._max_answer_bytes)


class _BoundedStream(httpcore2.NetworkStream):
    """A connection within its deadline, and the number of bytes that may still be read from it."""

    def __init__(self, connection: socket.socket, deadline: Deadline, bytes_left: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._bytes_left = bytes_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._bytes_left == 0:
            raise AnswerTooLong
        self._connection.settimeout(self._deadline.remaining_seconds())
        data = self._connection.recv(min(max_bytes, self._bytes_left))
        self._bytes_left -= len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        unsent = memoryview(buffer)
        while unsent:
            self._connection.settimeout(self._deadline.remaining_seconds())
            try:
                unsent = unsent[self._connection.send(unsent) :]
            except OSError as error:
                # By this the client knows to look for an answer: a receiver may refuse before it has read all. After
                # the deadline there is nothing to be read.
                raise httpcore2.WriteError from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            self._connection.settimeout(self._deadline.remaining_seconds())
            encrypted = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return _BoundedStream(encrypted, self._deadline, self._bytes_left)

    def close(self) -> None:
        self._connection.close()
