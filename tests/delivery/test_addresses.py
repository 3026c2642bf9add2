"""Where a webhook may go: every address against a second reading of the rules, every URL that tries to hide one."""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead.delivery.addresses import (
    AddressRefused,
    address_in,
    checked_addresses,
    is_public,
    resolve_by_system,
)
from tests.waiting import PATIENCE_SECONDS

# The oracle: first and last address of each range, as numbers, and what wraps an IPv4 address in an IPv6 one.
_RANGES = """
    0.0.0.0-0.255.255.255 10.0.0.0-10.255.255.255 100.64.0.0-100.127.255.255 127.0.0.0-127.255.255.255
    168.63.129.16-168.63.129.16 169.254.0.0-169.254.255.255 172.16.0.0-172.31.255.255 192.0.0.0-192.0.0.255
    192.0.2.0-192.0.2.255 192.88.99.0-192.88.99.255 192.168.0.0-192.168.255.255 198.18.0.0-198.19.255.255
    198.51.100.0-198.51.100.255 203.0.113.0-203.0.113.255 224.0.0.0-255.255.255.255
""".split()


def _number(text: str) -> int:
    first, second, third, fourth = (int(part) for part in text.split("."))
    return ((first * 256 + second) * 256 + third) * 256 + fourth


FORBIDDEN = [(_number(first), _number(last)) for first, _, last in (text.partition("-") for text in _RANGES)]


def may_be_called_by_ipv4(number: int) -> bool:
    return not any(first <= number <= last for first, last in FORBIDDEN)


def may_be_called_by_ipv6(number: int) -> bool:
    hextets = [number >> shift & 0xFFFF for shift in range(112, -16, -16)]
    if hextets[:6] in ([0, 0, 0, 0, 0, 0xFFFF], [0x64, 0xFF9B, 0, 0, 0, 0]):
        return may_be_called_by_ipv4(number & 0xFFFFFFFF)
    if hextets[0] >> 13 != 1:
        return False
    if hextets[0] == 0x2001:
        return hextets[1] >= 0x200 and hextets[1] != 0xDB8
    return hextets[0] != 0x2002 and not (hextets[0] == 0x3FFF and hextets[1] < 0x1000)


WRAPPINGS: dict[str, Callable[[int, int], int]] = {
    "mapped": lambda inner, _: 0xFFFF << 32 | inner,
    "translated": lambda inner, _: 0xFFFF << 48 | inner,
    "compatible": lambda inner, _: inner,
    "6to4": lambda inner, rest: 0x2002 << 112 | inner << 80 | rest,
    "NAT64": lambda inner, _: 0x64FF9B << 96 | inner,
    "NAT64, local": lambda inner, rest: 0x64FF9B0001 << 80 | rest & 0xFFFF_FFFF_FFFF << 32 | inner,
    "Teredo, client": lambda inner, rest: 0x20010000 << 96 | rest << 32 & 0xFFFF_FFFF_FFFF << 32 | inner ^ 0xFFFFFFFF,
    "Teredo, server": lambda inner, rest: 0x20010000 << 96 | inner << 64 | rest & 0xFFFF_FFFF_FFFF_FFFF,
}

ipv4 = st.integers(0, 2**32 - 1)
# Near the ends of the ranges too, where a prefix that is one bit off would show.
forbidden_ipv4 = st.sampled_from(FORBIDDEN).flatmap(lambda ends: st.integers(*ends))
near_an_end = st.sampled_from([end + by for ends in FORBIDDEN for end in ends for by in (-1, 0, 1)]).filter(
    lambda number: 0 <= number < 2**32
)
EDGES_OF_IPV6 = [IPv6Address(text) for text in """
    :: 1fff:ffff:: 2000:: 2001:: 2001:1ff:: 2001:200:: 2001:db7:: 2001:db8:: 2001:db9:: 2001:ffff:: 2002:: 2002:ffff::
    2003:: 3ffe:ffff:: 3fff:: 3fff:fff:: 3fff:1000:: 4000:: fc00:: fd00:: fe80:: ff02::
""".split()]  # fmt: skip
some_ipv6 = st.one_of(
    st.integers(0, 2**128 - 1),
    st.builds(lambda edge, rest: int(edge) | rest, st.sampled_from(EDGES_OF_IPV6), st.integers(0, 2**96 - 1)),
    st.builds(lambda wrap, inner, rest: wrap(inner, rest), st.sampled_from([*WRAPPINGS.values()]), ipv4, ipv4),
)


@settings(max_examples=5 * settings().max_examples)
@given(number=ipv4 | forbidden_ipv4 | near_an_end)
def test_ipv4_as_the_oracle_has_it(number: int) -> None:
    assert is_public(IPv4Address(number)) == may_be_called_by_ipv4(number)


@settings(max_examples=5 * settings().max_examples)
@given(number=some_ipv6)
@example(number=1)
@example(number=0)
@example(number=int(IPv6Address("fd00:ec2::254")))
@example(number=int(IPv6Address("2606:4700::1111")))
def test_ipv6_as_the_oracle_has_it(number: int) -> None:
    assert is_public(IPv6Address(number)) == may_be_called_by_ipv6(number)


@settings(max_examples=5 * settings().max_examples)
@given(inner=forbidden_ipv4, rest=st.integers(0, 2**80 - 1))
def test_a_forbidden_address_is_refused_in_every_wrapping(inner: int, rest: int) -> None:
    assert not is_public(IPv4Address(inner))
    wrapped = {name: IPv6Address(wrap(inner, rest)) for name, wrap in WRAPPINGS.items()}
    assert {name for name, address in wrapped.items() if is_public(address)} == set()


@settings(max_examples=5 * settings().max_examples)
@given(address=st.ip_addresses() | st.builds(IPv4Address, forbidden_ipv4))
def test_nothing_is_public_that_the_standard_library_calls_special(address: IPv4Address | IPv6Address) -> None:
    if is_public(address):
        inner = IPv4Address(int(address) & 0xFFFFFFFF) if int(address) >> 32 in (0xFFFF, 0x64FF9B << 64) else address
        assert inner.is_global
        assert not inner.is_multicast


def test_public_addresses_stay_reachable_from_networks_without_ipv4() -> None:
    for text in ("9.9.9.9", "::ffff:9.9.9.9", "64:ff9b::9.9.9.9", "2606:4700::1111", "2a00:1450::1", "2620:fe::fe"):
        assert is_public(ip_address(text)), text


@pytest.mark.parametrize("text", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "fe80::1%eth0", "a.b"])
def test_only_the_usual_notation_is_an_address(text: str) -> None:
    assert address_in(text) is None


@pytest.mark.parametrize("odd", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_systems_resolver_cannot_be_talked_into_this_machine(odd: str) -> None:
    with pytest.raises(AddressRefused):
        checked_addresses(odd, 443, allow_private=False, resolve=resolve_by_system, timeout_seconds=5)
    allowed = checked_addresses(odd, 443, allow_private=True, resolve=resolve_by_system, timeout_seconds=5)
    assert [is_public(address) for address in allowed] == [False]


@pytest.mark.parametrize(
    "addresses",
    [["9.9.9.9", "10.0.0.1"], ["10.0.0.1", "9.9.9.9"], ["2606:4700::1111", "::ffff:169.254.169.254"], ["::"]],
)
def test_one_private_address_among_public_ones_is_enough(addresses: list[str]) -> None:
    with pytest.raises(AddressRefused):
        checked_addresses("x", 443, allow_private=False, resolve=lambda *_: addresses, timeout_seconds=5)


def test_a_name_is_asked_for_once_and_its_order_kept() -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["9.9.9.9", "2606:4700::1111"] if len(asked) == 1 else ["127.0.0.1"]

    found = checked_addresses("crm.example.com", 8443, allow_private=False, resolve=resolve, timeout_seconds=5)
    assert [str(address) for address in found] == ["9.9.9.9", "2606:4700::1111"]
    assert asked == [("crm.example.com", 8443)]


def test_a_name_without_addresses() -> None:
    with pytest.raises(socket.gaierror):
        checked_addresses("x", 443, allow_private=True, resolve=lambda *_: [], timeout_seconds=5)

    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    with pytest.raises(socket.gaierror, match="later"):
        checked_addresses("x", 443, allow_private=True, resolve=nowhere, timeout_seconds=5)


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    released = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        released.wait(PATIENCE_SECONDS)  # and then it answers, which is no TimeoutError
        return ["9.9.9.9"]

    with pytest.raises(TimeoutError):
        checked_addresses("x", 443, allow_private=False, resolve=hangs, timeout_seconds=0.1)
    released.set()
