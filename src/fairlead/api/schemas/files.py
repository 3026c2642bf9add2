"""Answers that are files, however long: sent as they are read, in flat memory."""

import time
from collections.abc import Generator, Mapping
from typing import Annotated, Any, Literal

from anyio import CancelScope, fail_after
from anyio.to_thread import run_sync
from fastapi import Query
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from fairlead.core.errors import Unavailable
from fairlead.flows.exporting.file_formats import MEDIA_TYPES
from fairlead.flows.exporting.open_export import OpenExport

LONGEST_SECONDS = 1_800.0
"""After this a file that a client reads too slowly is broken off: it keeps a connection and a snapshot."""

STALLED_SECONDS = 60.0
"""After this a file of which nothing at all is taken is broken off:

a client that stops reading would keep both for good.
"""

FileFormat = Annotated[
    Literal["csv", "jsonl", "parquet"],
    Query(
        alias="format",
        description="Lines of JSON say all of it; CSV opens in spreadsheets; Parquet needs the extra `parquet`.",
    ),
]
Exact = Annotated[
    bool,
    Query(description="For programs: CSV without a byte order mark, and without `'` before what would be a formula."),
]


class StreamedFile(StreamingResponse):
    """The export as a file to be saved. However the answer ends, the export is closed."""

    media_type = None

    def __init__(
        self,
        opened: OpenExport,
        name: str,
        file_format: str,
        headers: Mapping[str, str] | None = None,
        status_code: int = 200,
    ) -> None:
        named = {"Content-Disposition": f'attachment; filename="{name}.{file_format}"'} | dict(headers or {})
        super().__init__(_bounded(opened), status_code, media_type=MEDIA_TYPES[file_format], headers=named)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it. Raises `Unavailable` when the client has stopped reading."""

        async def send_in_time(message: Message) -> None:
            try:
                with fail_after(STALLED_SECONDS):
                    await send(message)
            except TimeoutError:
                raise Unavailable("an export is not read any more and is broken off") from None

        try:
            await super().__call__(scope, receive, send_in_time)
        finally:
            # Also when the client has gone: no thread reads any more once we are here.
            with CancelScope(shield=True):
                await run_sync(self._opened.close)


def file_of(what: str, jsonl_example: str) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: what the file is."""
    text = {"type": "string"}
    return {
        200: {
            "description": f"The {what}, as a file. It is whole if the answer ends as HTTP says that answers end.",
            "content": {
                "text/csv": {"schema": text},
                "application/x-ndjson": {"schema": text, "example": jsonl_example},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    }


def _bounded(opened: OpenExport) -> Generator[bytes]:
    deadline = time.monotonic() + LONGEST_SECONDS
    for piece in opened.pieces:
        yield piece
        if time.monotonic() > deadline:
            raise Unavailable("an export was read too slowly and is broken off")
    # Before the answer's end: its reader may ask for the next file as soon as it has seen that.
    opened.close()
