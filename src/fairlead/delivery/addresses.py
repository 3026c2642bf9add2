"""Which addresses a webhook may reach, so that no provider can make this server call what stands behind its walls."""

import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Iterable[str]]
"""From a host name and a port to the texts of its addresses; raises OSError where there are none."""

# The registries of special-purpose addresses that IANA keeps, without the few of them that are reachable by all.
_FORBIDDEN_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host and network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; one cloud's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's metadata service at a public address
        "169.254.0.0/16",  # link-local; most clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; one cloud's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays from 6to4, given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Of IPv6 only this part was ever given to hosts. Outside are loopback, link-local, unique local (with one cloud's
# metadata service), multicast and the local form of NAT64.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_FORBIDDEN_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo, which wraps an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, given up; wraps an IPv4 address
        "3fff::/20",  # documentation
    )
)
# What these wrap in their last 32 bits is the address that is reached: IPv4-mapped, and NAT64, by which a host
# without IPv4 reaches those who have nothing else.
_IPV4_INSIDE = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))


class AddressRefused(Exception):
    """A name leads, or also leads, to an address that no webhook may reach."""


def is_public(address: Address) -> bool:
    """Whether any machine on the internet may be there: not this machine, its networks or a cloud's metadata service.

    A network's own NAT64 prefix, where it has one, cannot be told from other addresses and counts as public.

    >>> [is_public(ip_address(text)) for text in ("9.9.9.9", "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::9.9.9.9")]
    [True, False, False, True]
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _FORBIDDEN_IPV4)
    if any(address in network for network in _IPV4_INSIDE):
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _GLOBAL_IPV6 and not any(address in network for network in _FORBIDDEN_IPV6)


def address_in(host: str) -> Address | None:
    """The address that a URL's host is, if it is one; None for a name, an odd notation, an address with an interface.

    >>> address_in("127.0.0.1"), address_in("127.1"), address_in("0x7f.1"), address_in("2130706433")
    (IPv4Address('127.0.0.1'), None, None, None)
    """
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def resolve_by_system(host: str, port: int) -> Iterable[str]:
    """The addresses that this machine finds for a name, the preferred first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return dict.fromkeys(str(entry[4][0]) for entry in found)


def checked_addresses(
    host: str, port: int, *, allow_private: bool, resolve: Resolve, timeout_seconds: float
) -> tuple[Address, ...]:
    """The addresses of `host`, asked for once, the preferred first. Connect to these, and never ask for the name again:
    the next answer may be another.

    Raises `AddressRefused` if any one of them is not public, unless `allow_private`; OSError where there is none, and
    TimeoutError when that takes longer than `timeout_seconds`.
    """
    texts = _within(timeout_seconds, lambda: tuple(resolve(host, port)))
    addresses = tuple(ip_address(text) for text in texts)
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    if not allow_private and not all(is_public(address) for address in addresses):
        raise AddressRefused
    return addresses


def _within(timeout_seconds: float, work: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """What `work` returns. The system's resolver takes no deadline; one that is late is left behind in its thread."""
    future: Future[tuple[str, ...]] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    return future.result(timeout_seconds)
