"""The page on the live feed lists every message and member that is sent, and the limits that it states hold."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from fairlead.api.live import connection, hub, sockets, watching
from fairlead.flows.live import feed
from fairlead.flows.live.event_types import AUDIT_ACTIONS, FOR_OPERATORS, FOR_PROVIDERS, OF_THE_FEED, TYPE_OF_KIND
from fairlead.store.live import sequencing
from fairlead.store.live.entries import OWN_ACTIONS

PAGE = (Path(__file__).parents[2] / "docs/reference/live.md").read_text(encoding="utf-8")


def members_by_type(after: str, before: str) -> dict[str, tuple[str, ...]]:
    """What the table between these words says."""
    text = PAGE[PAGE.index(after) : PAGE.index(before)]
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]*)\|", text, re.MULTILINE)
    return {name: tuple(re.findall(r"`(\w+)`", members)) for name, members in rows}


@pytest.mark.parametrize(
    ("event_types", "after", "before"),
    [
        (OF_THE_FEED, "To every client,", "To operators:"),
        (FOR_OPERATORS, "To operators:", "To a provider,"),
        (FOR_PROVIDERS, "To a provider,", "## How a connection ends"),
    ],
)
def test_the_page_lists_what_is_sent(event_types: Mapping[str, tuple[str, ...]], after: str, before: str) -> None:
    assert members_by_type(after, before) == event_types


def test_every_kind_that_is_sequenced_has_a_message() -> None:
    journal_kinds = {"niche", "level", "provider", "subscription", "decision", "return"}
    assert {TYPE_OF_KIND.get(kind, kind) for kind in journal_kinds | AUDIT_ACTIONS} <= FOR_OPERATORS.keys()
    assert {*OWN_ACTIONS} <= FOR_PROVIDERS.keys() & AUDIT_ACTIONS
    others = set(FOR_OPERATORS) - {"assignment.created"} - {TYPE_OF_KIND.get(kind, kind) for kind in journal_kinds}
    assert others == {TYPE_OF_KIND.get(kind, kind) for kind in AUDIT_ACTIONS}


@pytest.mark.parametrize(
    "words",
    [
        f"at most {hub.MOST_OF_OWNER} connections per user or\nprovider and {hub.MOST_CONNECTIONS} in all",
        f"pings every {sockets.PING_SECONDS:.0f} seconds",
        f"goes back {feed.KEPT.days} days, and at most {sequencing.MOST_BEHIND_ENTRIES:,} entries",
        f"after {watching.HEARTBEAT_SECONDS:.0f} seconds without anything",
        f"{connection.MOST_QUEUED_MESSAGES:,} messages wait",
        f"could not be sent for {watching.SEND_SECONDS:.0f} seconds",
        f"\n| {sockets.GOING_AWAY} | ",
        f"\n| {connection.UNASKED.code}, 1009 | ",
        f"\n| {connection.TOO_SLOW.code} | ",
        *(f"\n| {each.code} | " for each in connection.CLOSING_OF_LOSS.values()),
    ],
)
def test_what_the_page_says_holds(words: str) -> None:
    assert words in PAGE
