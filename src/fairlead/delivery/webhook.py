"""Webhooks: one signed POST to a provider's CRM, in the format of Standard Webhooks."""

import re
import secrets
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpcore2
import standardwebhooks

from fairlead import __version__
from fairlead.delivery.addresses import AddressRefused, Resolve, checked_addresses, resolve_by_system
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.delivery.pinned_connection import AnswerTooLong, Deadline, PinnedBackend
from fairlead.delivery.webhook_url import WebhookUrl, webhook_url

MAX_ANSWER_BYTES = 65_536
MAX_RETRY_AFTER_SECONDS = 86_400

_SECRET_BYTES = 32
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_WHOLE_SECONDS = re.compile(r"[0-9]{1,100}")
_GONE = 410
_ASKS_FOR_TIME = frozenset({429, 503})
# The first that fits says what happened; each is a kind of the last.
_WORDS: tuple[tuple[type[OSError], str], ...] = (
    (TimeoutError, "timeout"),
    (socket.gaierror, "name not resolved"),
    (ssl.SSLCertVerificationError, "TLS certificate refused"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection reset"),
    (OSError, "connection failed"),
)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What is sent where: the same for every attempt at one notification, but for secrets exchanged in between.

    `message_id` names the notification and is how the receiver knows a repetition. `secrets` are those in use, the
    newest first. Only the id shows in the repr: the body is personal, and receivers keep tokens in their URLs.
    Raises `ValueError` for an id that is not 1 to 100 letters, digits, `-` or `_`, and without a secret.
    """

    url: str = field(repr=False)
    message_id: str
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.fullmatch(self.message_id) or not self.secrets:
            raise ValueError("a webhook needs a message id of letters, digits, - and _, and a secret")


def new_webhook_secret() -> str:
    """A new random secret as Standard Webhooks writes it: `whsec_` and the base64 of 32 bytes.

    >>> new_webhook_secret()[:6], len(new_webhook_secret())
    ('whsec_', 50)
    """
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def send_webhook(
    request: WebhookRequest,
    sent_at: datetime,
    *,
    allow_private: bool,
    timeout_seconds: float,
    resolve: Resolve = resolve_by_system,
    tls: ssl.SSLContext | None = None,
) -> Delivery:
    """The request was offered to its receiver once; the outcome says whether that took it (2xx), and if not, why.

    Nothing is raised for what the receiver, its network or its name does. Only 410 is permanent: a receiver that
    answers 404 today may be mended tomorrow. `retry_after_seconds`, at most a day, is what a 429 or 503 asked for.
    Redirects are not followed. Nothing of the answer but its status is kept, and at most 64 kB of it are read.

    `sent_at`, with a time zone, is what is signed. `timeout_seconds` bounds the whole exchange, from the look-up of the
    name to the end of the answer, however slowly the receiver reads or writes. The name is resolved once; unless
    `allow_private`, all its addresses must be public, and one of these is called (`address refused` otherwise) while
    certificate and Host header go by the name. `tls` replaces the system's trust in certificates.
    """
    url = webhook_url(request.url, allow_private=allow_private)
    if url is None:
        return _not_sent("address refused")
    headers = _headers(request, url, sent_at)
    deadline = Deadline.in_seconds(timeout_seconds)
    try:
        addresses = checked_addresses(
            url.host,
            url.port,
            allow_private=allow_private,
            resolve=resolve,
            timeout_seconds=deadline.remaining_seconds(),
        )
        backend = PinnedBackend(addresses, deadline, MAX_ANSWER_BYTES)
        status, retry_after = _post(url, headers, request.body, backend, tls or _tls_of_system())
    except AddressRefused:
        return _not_sent("address refused")
    except AnswerTooLong:
        return _not_sent("answer too long")
    except httpcore2.RemoteProtocolError:
        return _not_sent("no valid HTTP answer")
    except OSError as error:
        return _not_sent(next(words for kind, words in _WORDS if isinstance(error, kind)))
    return _judged(status, retry_after, sent_at)


def _headers(request: WebhookRequest, url: WebhookUrl, sent_at: datetime) -> list[tuple[bytes, bytes]]:
    # The library reads any time as if it were UTC, whatever its zone.
    timestamp = sent_at.astimezone(UTC)
    text = request.body.decode()
    signatures = [standardwebhooks.Webhook(each).sign(request.message_id, timestamp, text) for each in request.secrets]
    return [
        (b"Host", url.authority),
        (b"Content-Type", b"application/json"),
        (b"User-Agent", f"Fairlead/{__version__}".encode()),
        (b"Connection", b"close"),
        (b"webhook-id", request.message_id.encode()),
        (b"webhook-timestamp", str(int(timestamp.timestamp())).encode()),
        (b"webhook-signature", " ".join(signatures).encode()),
    ]


def _post(
    url: WebhookUrl, headers: list[tuple[bytes, bytes]], body: bytes, backend: PinnedBackend, tls: ssl.SSLContext
) -> tuple[int, str | None]:
    """The status of the answer, and its Retry-After.

    httpcore2 is the part of httpx2 that speaks HTTP. The rest of it (redirects, cookies, proxies and certificates by
    the environment, decompression, a log line with the whole URL) is what must not happen here.
    """
    scheme, host = url.scheme.encode(), url.host.encode()
    target = httpcore2.URL(scheme=scheme, host=host, port=url.port, target=url.path_and_query)
    with (
        httpcore2.HTTPConnection(target.origin, ssl_context=tls, network_backend=backend) as connection,
        connection.stream("POST", target, headers=headers, content=body) as answer,
    ):
        # The receiver may be in the middle of its work until it has written its answer. What becomes of the rest
        # changes nothing: the status is the answer.
        with suppress(OSError, httpcore2.RemoteProtocolError, AnswerTooLong):
            for _ in answer.iter_stream():
                pass
        found = [value for name, value in answer.headers if name.lower() == b"retry-after"]
    return answer.status, found[0].decode("latin-1") if found else None


@cache
def _tls_of_system() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()


def _judged(status: int, retry_after: str | None, sent_at: datetime) -> Delivery:
    answer = f"HTTP {status}"
    if 200 <= status < 300:
        return Sent(answer)
    if status == _GONE:
        return NotSent(answer, is_permanent=True, is_gone=True)
    if status in _ASKS_FOR_TIME and retry_after is not None:
        return NotSent(answer, is_permanent=False, retry_after_seconds=retry_after_seconds(retry_after, sent_at))
    return _not_sent(answer)


def _not_sent(answer: str) -> NotSent:
    return NotSent(answer, is_permanent=False)


def retry_after_seconds(retry_after: str, now: datetime) -> float | None:
    """What a Retry-After header asks for, seconds or an HTTP date, between 0 and a day; None where it is neither.

    >>> [retry_after_seconds(text, datetime(2026, 1, 1, tzinfo=UTC)) for text in ("7", "99999", "soon")]
    [7.0, 86400.0, None]
    >>> retry_after_seconds("Thu, 01 Jan 2026 00:01:30 GMT", datetime(2026, 1, 1, tzinfo=UTC))
    90.0
    """
    asked = retry_after.strip()  # takes off separators that `float` does not
    if _WHOLE_SECONDS.fullmatch(asked):
        seconds = float(asked)
    else:
        try:
            moment = parsedate_to_datetime(asked)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        # A date without a zone is in UTC, as every HTTP date is.
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), float(MAX_RETRY_AFTER_SECONDS))
