"""What may be registered as a webhook's address."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead.delivery.addresses import address_in, is_public
from fairlead.delivery.webhook_url import MAX_URL_CHARACTERS, check_webhook_url, webhook_url

LONGEST = "https://crm.example.com/"

ODD_HOSTS = [
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "127.0.0.1.",
    "1.1.1",
    "crm.example.1",
    "crm.example.0x1",
    "crm.example.com.",
    "crm..example.com",
    "-crm.example.com",
    "crm-.example.com",
    "exa%6dple.com",
    "a" * 64 + ".example.com",
    ".".join(["a" * 60] * 5),
    "crm,example.com",
    "[fe80::1%25eth0]",
    "[2606:4700::1111%25eth0]",
]
PRIVATE_HOSTS = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",  # noqa: S104
    "127\u30020\u30020\u30021",
    "[::1]",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[64:ff9b::10.0.0.1]",
    "[2002:0a00:0001::]",
    "[fd00:ec2::254]",
]


def first_problem(url: str, *, allow_private: bool = False) -> str:
    problems = check_webhook_url(url, allow_private=allow_private)
    assert (webhook_url(url, allow_private=allow_private) is None) == bool(problems)
    return problems[0] if problems else ""


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path_and_query"),
    [
        ("https://crm.example.com", "crm.example.com", 443, b"crm.example.com", b"/"),
        (
            "HTTPS://CRM.Example.com:443/Leads?key=A%20b",
            "crm.example.com",
            443,
            b"crm.example.com",
            b"/Leads?key=A%20b",
        ),
        ("https://crm.example.com:8443/x", "crm.example.com", 8443, b"crm.example.com:8443", b"/x"),
        ("https://crm.example.com:1024/x", "crm.example.com", 1024, b"crm.example.com:1024", b"/x"),
        ("https://b\u00fccher.example/\u00fc", "xn--bcher-kva.example", 443, b"xn--bcher-kva.example", b"/%C3%BC"),
        ("https://9.9.9.9/x", "9.9.9.9", 443, b"9.9.9.9", b"/x"),
        ("https://[2606:4700::1111]/x", "2606:4700::1111", 443, b"[2606:4700::1111]", b"/x"),
        ("https://[2606:4700::1111]:8443/x", "2606:4700::1111", 8443, b"[2606:4700::1111]:8443", b"/x"),
        ("https://crm.example.com/a/../b?@=:", "crm.example.com", 443, b"crm.example.com", b"/b?@=:"),
    ],
)
def test_what_is_taken_and_how_it_is_called(
    url: str, host: str, port: int, authority: bytes, path_and_query: bytes
) -> None:
    assert check_webhook_url(url, allow_private=False) == []
    parts = webhook_url(url, allow_private=False)
    assert parts is not None
    assert (parts.scheme, parts.host, parts.port) == ("https", host, port)
    assert (parts.authority, parts.path_and_query) == (authority, path_and_query)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "whole URL"),
        ("crm.example.com/x", "whole URL"),
        ("//crm.example.com/x", "whole URL"),
        ("https:crm.example.com/x", "whole URL"),
        ("https:///x", "whole URL"),
        ("https://[::1", "is not a URL"),
        ("https://crm.example.com:port/", "is not a URL"),
        ("https://0177.0.0.1/", "is not a URL"),
        ("https://\uff11\uff12\uff17.0.0.1/", "is not a URL"),
        ("http://crm.example.com/x", "must start with https://"),
        ("ftp://crm.example.com/x", "must start with https://"),
        ("file:///etc/passwd", "whole URL"),
        ("https://crm.example.com@10.0.0.1/", "user name"),
        ("https://user:word@crm.example.com/", "user name"),
        ("https://@crm.example.com/", "user name"),
        ("https://crm.example.com\\@10.0.0.1/", "backslashes"),
        ("https://crm.example.com/x#y", "fragment"),
        ("https://crm.example.com/#", "fragment"),
        ("https://crm.example.com#@10.0.0.1/", "fragment"),
        ("https://crm.example.com/\nx", "invisible"),
        ("https://crm.example.com/ x", "spaces"),
        ("https://crm.\u200bexample.com/", "invisible"),
        ("https://crm.example.com/\ud800", "invisible"),
        ("https://crm.example.com:80/x", "port 443"),
        ("https://crm.example.com:1023/x", "port 443"),
        ("https://crm.example.com:0/x", "does not exist"),
        ("https://crm.example.com:65536/x", "does not exist"),
        ("https://localhost:8443/x", "full domain name"),
        ("https://intranet/x", "full domain name"),
        ("https://crm.localhost/x", "full domain name"),
        *[(f"https://{host}/x", "in its usual notation") for host in ODD_HOSTS],
        *[(f"https://{host}/x", "private or reserved") for host in PRIVATE_HOSTS],
    ],
)
def test_what_is_refused(url: str, problem: str) -> None:
    assert problem in first_problem(url)


def test_all_mistakes_are_told_at_once() -> None:
    problems = check_webhook_url("http://10.0.0.1:25/x", allow_private=False)
    assert len(problems) == 3
    assert all(problem.startswith("url: must ") and "\n" not in problem for problem in problems)


def test_the_length_is_bounded() -> None:
    longest = LONGEST + "x" * (MAX_URL_CHARACTERS - len(LONGEST))
    assert first_problem(longest) == ""
    assert "at most 2000" in first_problem(longest + "x")


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000/x", "http://127.0.0.1/x", "https://crm:81/x", "http://[::1]:9/x", "https://crm.localhost/"],
)
def test_a_developers_machine_may_call_itself(url: str) -> None:
    assert first_problem(url, allow_private=True) == ""
    assert first_problem(url) != ""


@pytest.mark.parametrize(
    "url", ["ftp://localhost/x", "http://127.1/x", "http://a@localhost/", "http://localhost:0/", "http://localhost/#"]
)
def test_even_there_a_url_is_a_url(url: str) -> None:
    assert first_problem(url, allow_private=True) != ""


@settings(deadline=None)
@given(url=st.text() | st.builds("https://{}{}".format, st.text(), st.sampled_from(["", "/", "/x", ":8443/"])))
@example(url="https://\u2460\u2461\u2466.0.0.1/")
@example(url="https://crm.example.com:\u0664\u0664\u0663/")
def test_no_text_is_too_strange(url: str) -> None:
    problems = check_webhook_url(url, allow_private=False)
    parts = webhook_url(url, allow_private=False)
    assert (parts is None) == bool(problems)
    if parts is not None:
        assert parts.host.isascii()
        address = address_in(parts.host)
        assert address is None or is_public(address)
        assert not any(byte <= 0x20 or byte >= 0x7F for byte in parts.path_and_query + parts.authority)
        assert parts.host not in repr(parts)
