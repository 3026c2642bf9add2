"""A webhook goes to the address that was checked, to the name that was asked for, and to no other."""

import socket
import ssl
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fairlead.delivery import webhook
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.delivery.webhook import WebhookRequest, new_webhook_secret, send_webhook
from tests.delivery.certificates import Authority
from tests.delivery.receiver import canary, drips, receiver, says, says_nothing

NAME = "crm.example.com"
REFUSED = NotSent("address refused", is_permanent=False)
MANY_ADDRESSES = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.1 is alone")
# Public by its number, and given back to the registry long ago, so that no machine is there.
UNUSED = "3ffe::1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("certificates"))


class Resolver:
    """Gives one answer after another, the last for ever, and counts."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self.answers = [list(answer) for answer in answers]
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def send(
    url: str,
    *,
    allow_private: bool = True,
    resolve: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
    timeout_seconds: float = 5,
) -> Delivery:
    request = WebhookRequest(url, "message", b"{}", (new_webhook_secret(),))
    chosen = {} if resolve is None else {"resolve": resolve}
    return send_webhook(
        request, datetime.now(UTC), allow_private=allow_private, timeout_seconds=timeout_seconds, tls=tls, **chosen
    )


def not_sent(answer: str) -> NotSent:
    return NotSent(answer, is_permanent=False)


def test_the_checked_address_is_called_by_its_name(authority: Authority) -> None:
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    with receiver(says(200), authority.server(NAME)) as crm:
        url = crm.url(host=NAME, scheme="https")
        assert send(url, resolve=resolver, tls=authority.trusted()) == Sent("HTTP 200")
    assert crm.server_names == [NAME]
    assert [received.headers["host"] for received in crm.requests] == [f"{NAME}:{crm.port}"]
    assert resolver.asked == [(NAME, crm.port)]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_called_by_its_notation_in_urls(authority: Authority) -> None:
    with receiver(says(200), authority.server("::1"), address="::1") as crm:
        assert send(crm.url(host="[::1]", scheme="https"), tls=authority.trusted()) == Sent("HTTP 200")
    assert [received.headers["host"] for received in crm.requests] == [f"[::1]:{crm.port}"]


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    with receiver(says(200), authority.server("other.example.com")) as crm:
        url = crm.url(host=NAME, scheme="https")
        outcome = send(url, resolve=Resolver(["127.0.0.1"]), tls=authority.trusted())
    assert outcome == not_sent("TLS certificate refused")
    assert crm.requests == []


def test_a_certificate_for_the_address_does_not_do_for_the_name(authority: Authority) -> None:
    with receiver(says(200), authority.server("127.0.0.1")) as crm:
        by_name = send(crm.url(host=NAME, scheme="https"), resolve=Resolver(["127.0.0.1"]), tls=authority.trusted())
        assert by_name == not_sent("TLS certificate refused")
        assert send(crm.url(scheme="https"), tls=authority.trusted()) == Sent("HTTP 200")
    assert len(crm.requests) == 1


def test_an_authority_that_the_system_does_not_trust_is_refused(authority: Authority) -> None:
    with receiver(says(200), authority.server("127.0.0.1")) as crm:
        assert send(crm.url(scheme="https")) == not_sent("TLS certificate refused")
    assert crm.requests == []


def test_a_server_without_tls_is_told_nothing(authority: Authority) -> None:
    with receiver(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), reads=False) as crm:
        assert send(crm.url(scheme="https"), tls=authority.trusted()) == not_sent("TLS failed")


def test_a_handshake_that_never_ends_does_not_outlast_the_deadline(authority: Authority) -> None:
    with receiver(says_nothing, reads=False) as crm:
        outcome = send(crm.url(scheme="https"), tls=authority.trusted(), timeout_seconds=0.3)
    assert outcome == not_sent("timeout")


def test_the_deadline_holds_through_tls(authority: Authority) -> None:
    with receiver(drips(b"", b"H"), authority.server("127.0.0.1")) as crm:
        outcome = send(crm.url(scheme="https"), tls=authority.trusted(), timeout_seconds=0.4)
    assert outcome == not_sent("timeout")


def test_a_name_that_does_not_exist() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    request = WebhookRequest("https://crm.example.com/", "message", b"{}", (new_webhook_secret(),))
    outcome = send_webhook(request, datetime.now(UTC), allow_private=False, timeout_seconds=5, resolve=nowhere)
    assert outcome == not_sent("name not resolved")


@MANY_ADDRESSES
def test_an_address_that_does_not_answer_leaves_time_for_the_next() -> None:
    """127.0.0.2 has a full queue: a client that connects waits, as for a machine that is switched off."""
    with receiver(says(200)) as crm, socket.socket() as full:
        full.bind(("127.0.0.2", crm.port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.2", crm.port))
        try:
            outcome = send(crm.url(host="crm"), resolve=Resolver(["127.0.0.2", "127.0.0.1"]), timeout_seconds=1.5)
        finally:
            for each in waiting:
                each.close()
    assert outcome == Sent("HTTP 200")


@MANY_ADDRESSES
def test_an_address_that_refuses_leaves_it_to_the_next() -> None:
    with receiver(says(200)) as crm:
        url = crm.url(host="crm")
        assert send(url, resolve=Resolver(["127.0.0.2", "127.0.0.3", "127.0.0.1"])) == Sent("HTTP 200")
        assert send(url, resolve=Resolver(["127.0.0.2", "127.0.0.3"])) == not_sent("connection refused")
        closed = [f"127.0.0.{number}" for number in range(2, 6)]
        assert send(url, resolve=Resolver([*closed, "127.0.0.1"])) == not_sent("connection refused")
    assert crm.connection_count == 1


# The guard --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "0",
        "0.0.0.0",  # noqa: S104
        "localhost",
        "crm.localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "crm.example.com@127.0.0.1",
        "crm.example.com:443@127.0.0.1",
        "127\u30020\u30020\u30021",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_this_machine_is_never_called(host: str, scheme: str) -> None:
    with canary() as forbidden:
        assert send(f"{scheme}://{host}:{forbidden.port}/", allow_private=False) == REFUSED
        assert not forbidden.was_called()


def test_the_canary_would_notice() -> None:
    for host in ("127.0.0.1", "localhost", *(["[::1]"] if socket.has_dualstack_ipv6() else [])):
        with canary() as called:
            send(f"http://{host}:{called.port}/", timeout_seconds=0.5)
            assert called.was_called()
            assert not called.was_called()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], [UNUSED, "127.0.0.1"], ["127.0.0.1", UNUSED], ["169.254.169.254"]],
)
def test_a_name_that_leads_to_a_private_address_is_not_called(addresses: list[str]) -> None:
    with canary() as forbidden:
        url = f"https://{NAME}:{forbidden.port}/"
        assert send(url, allow_private=False, resolve=Resolver(addresses)) == REFUSED
        assert not forbidden.was_called()


def test_a_name_that_turns_private_once_it_was_checked_leads_nowhere() -> None:
    resolver = Resolver([UNUSED], ["127.0.0.1"])
    with canary() as forbidden:
        url = f"https://{NAME}:{forbidden.port}/"
        outcome = send(url, allow_private=False, resolve=resolver, timeout_seconds=0.3)
        assert outcome in (not_sent("connection failed"), not_sent("timeout"), not_sent("connection refused"))
        assert not forbidden.was_called()
        assert len(resolver.asked) == 1
        assert send(url, allow_private=False, resolve=resolver) == REFUSED
        assert not forbidden.was_called()


def test_the_system_is_not_asked_behind_the_guards_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the client does with the name, the system's resolver never hears of it."""

    def rebinds(*arguments: object, **_: object) -> list[object]:
        raise AssertionError(f"resolved again: {arguments}")

    with receiver(says(200)) as crm:
        monkeypatch.setattr(socket, "getaddrinfo", rebinds)
        assert send(crm.url(host=NAME), resolve=Resolver(["127.0.0.1"])) == Sent("HTTP 200")


def test_plain_http_needs_leave() -> None:
    with canary() as forbidden:
        url = f"http://{NAME}:{forbidden.port}/"
        assert send(url, allow_private=False, resolve=Resolver(["127.0.0.1"])) == REFUSED
        assert not forbidden.was_called()


def test_an_ordinary_send_trusts_what_the_system_trusts(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same authority, once the system trusts it. The context is made anew, for it is kept between sends."""
    anchors = tmp_path / "anchors.pem"
    anchors.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(anchors))
    webhook._tls_of_system.cache_clear()
    try:
        with receiver(says(200), authority.server("127.0.0.1")) as crm:
            assert send(crm.url(scheme="https")) == Sent("HTTP 200")
    finally:
        webhook._tls_of_system.cache_clear()
