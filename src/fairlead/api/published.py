"""What is the same for all clients until the next release: sent compressed, kept by browsers, not sent again unchanged.

Nothing else is compressed. The size of a compressed answer tells how much of it repeats what the request held, so that
a page of another site could guess a secret in it byte by byte (BREACH); what is published here holds none.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response

CACHE_CONTROL = "public, max-age=300"
"""For so many seconds it is not asked for; afterwards the version is asked about, and the answer is mostly 304."""

_ACCEPTED_GZIP = re.compile(
    r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+)?\s*(?=,|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Published:
    """A document as JSON, plain and compressed, and the version that its bytes make."""

    plain: bytes
    compressed: bytes
    version: str


def published(document: Mapping[str, object]) -> Published:
    """The document, ready to be sent; the same document has the same version in every process."""
    plain = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Published(plain, gzip.compress(plain, mtime=0), hashlib.sha256(plain).hexdigest()[:32])


def answer_published(request: Request, document: Published) -> Response:
    """The document, or 304 for who has it already; compressed for who can take it so.

    The version is weak, since the plain and the compressed bytes differ and mean the same.
    """
    headers = {"ETag": f'W/"{document.version}"', "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if known & {f'"{document.version}"', "*"}:
        return Response(status_code=304, headers=headers)
    if _ACCEPTED_GZIP.search(",".join(request.headers.getlist("accept-encoding"))):
        return Response(
            document.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type="application/json"
        )
    return Response(document.plain, headers=headers, media_type="application/json")
