"""`python -m bench.mail_sink`: a mail server that takes everything and keeps nothing; prints its port."""

import asyncio
import sys


class Sink(asyncio.Protocol):
    """One connection to it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._is_in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is greeted."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Every whole line is answered, and every whole message taken."""
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\r\n.\r\n" if self._is_in_data else b"\r\n")
            if not end:
                return
            self._buffer = rest
            self._answer(head)

    def _answer(self, line: bytes) -> None:
        assert self._transport is not None
        word = b"" if self._is_in_data else line[:4].upper()
        self._is_in_data = word == b"DATA"
        answers = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n", b"EHLO": b"250-sink\r\n250 SMTPUTF8\r\n"}
        self._transport.write(answers.get(word, b"250 taken\r\n"))
        if word == b"QUIT":
            self._transport.close()


async def main() -> None:
    """Serves until standard input ends, as it does when the process that began this one has ended."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
