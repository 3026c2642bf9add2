"""The address that a provider registers for its webhooks: what it may look like, and its parts."""

import re
from dataclasses import dataclass

import httpx2

from fairlead.delivery.addresses import address_in, is_public

MAX_URL_CHARACTERS = 2000

_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_MAX_NAME_CHARACTERS = 253
_PORT_OF_SCHEME = {"https": 443, "http": 80}
_FIRST_FREE_PORT = 1024


@dataclass(frozen=True, slots=True, repr=False)
class WebhookUrl:
    """A URL taken apart once, so that what was checked and what is called cannot differ.

    `authority` is the Host header: the name, and the port where it is not the scheme's own. It has no repr, because
    receivers keep tokens in paths and queries.
    """

    scheme: str
    host: str
    port: int
    authority: bytes
    path_and_query: bytes


def check_webhook_url(url: str, *, allow_private: bool) -> list[str]:
    """What keeps this text from being a webhook's URL, one line each; [] if nothing. Nothing is resolved or called.

    It must be https, to a domain name or a public address in its usual notation, at port 443 or from 1024 upwards,
    without user, password or fragment, in at most 2000 characters. `allow_private`, for a developer's machine,
    permits plain http, every port, private addresses and names without a dot.
    """
    parsed = _parsed(url)
    if isinstance(parsed, str):
        return [f"url: {parsed}"]
    problems = [_scheme_problem(parsed, allow_private), _host_problem(_wire_host(parsed), allow_private)]
    problems.append(_port_problem(parsed, allow_private))
    return [f"url: {problem}" for problem in problems if problem is not None]


def webhook_url(url: str, *, allow_private: bool) -> WebhookUrl | None:
    """The parts of a URL in which `check_webhook_url` finds no problem, else None."""
    parsed = _parsed(url)
    if isinstance(parsed, str) or check_webhook_url(url, allow_private=allow_private):
        return None
    host, port = _wire_host(parsed), _port(parsed)
    authority = f"[{host}]" if ":" in host else host
    if port != _PORT_OF_SCHEME[parsed.scheme]:
        authority += f":{port}"
    return WebhookUrl(parsed.scheme, host, port, authority.encode(), parsed.raw_path)


def _parsed(url: str) -> httpx2.URL | str:
    """The URL, or the first reason why it is none."""
    if len(url) > MAX_URL_CHARACTERS:
        return f"must have at most {MAX_URL_CHARACTERS} characters"
    if not url.isprintable() or " " in url or "\\" in url:
        return "must not contain spaces, backslashes or invisible characters"
    # Empty ones too, which a parser does not report: they are there to confuse another parser.
    if "#" in url:
        return "must not have a fragment (#...)"
    if "@" in re.split(r"[/?]", url.partition("://")[2], maxsplit=1)[0]:
        return "must not contain a user name or password"
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        return "is not a URL"
    if not parsed.scheme or not parsed.host:
        return "must be a whole URL such as https://crm.example.com/leads"
    return parsed


def _wire_host(parsed: httpx2.URL) -> str:
    return parsed.raw_host.decode("ascii")


def _port(parsed: httpx2.URL) -> int:
    return _PORT_OF_SCHEME[parsed.scheme] if parsed.port is None else parsed.port


def _scheme_problem(parsed: httpx2.URL, allow_private: bool) -> str | None:
    if parsed.scheme == "https" or (parsed.scheme == "http" and allow_private):
        return None
    return "must start with https://"


def _host_problem(host: str, allow_private: bool) -> str | None:
    address = address_in(host)
    if address is not None:
        return None if allow_private or is_public(address) else "must not name a private or reserved address"
    # The last label of a name starts with a letter. All else is a number in some notation to one resolver or another.
    if len(host) > _MAX_NAME_CHARACTERS or not _NAME.fullmatch(host):
        return "must name its host by a domain name, or by an address in its usual notation"
    if not allow_private and ("." not in host or host.endswith(".localhost")):
        return "must name its host by a full domain name such as crm.example.com"
    return None


def _port_problem(parsed: httpx2.URL, allow_private: bool) -> str | None:
    if parsed.scheme not in _PORT_OF_SCHEME:
        return None
    port = _port(parsed)
    if not 1 <= port <= 65_535:
        return "has a port that does not exist"
    if allow_private or port == _PORT_OF_SCHEME["https"] or port >= _FIRST_FREE_PORT:
        return None
    return f"must have port 443 or one from {_FIRST_FREE_PORT} upwards"
