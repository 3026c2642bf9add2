"""A flow struck at every statement that it sends, each time in a market of its own: done once, whole, and told."""

from collections.abc import Callable
from dataclasses import dataclass

from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.proxy import Proxy, Strike, cut_before, swallow_answer
from tests.flows.sales import query
from tests.race.processes import BOUNDS

STRIKES: dict[str, Strike] = {"cut": cut_before, "answer lost": swallow_answer, "commit unanswered": swallow_answer}
EVERYWHERE, AT_COMMITS = ("cut", "answer lost"), ("cut", "commit unanswered")
"""Two ways each. Before COMMIT a lost answer is what a cut before the next statement is: all is undone."""
Row = list[tuple[object, ...]]


@dataclass(frozen=True)
class Flow:
    """`prepare` makes what `act` changes, and names it; `act` gets the database that is struck, and the same one
    for looking up ids; `ending` tells where that left it, without ids and times."""

    prepare: Callable[[Database, str], str]
    act: Callable[[Database, Database, str], object]
    ending: Callable[[Database, str], Row]
    is_audited: bool = True
    alone: str = "COMMIT"
    """The words of the last statement that is struck, where it is a transaction by itself."""
    clock: Callable[[str], SimulatedClock] | None = None
    """That of the database which is struck, where it is not the server's."""


def in_the_next_run(
    run: Callable[[Database], object], ending: Callable[[Database, str], Row]
) -> Callable[[Database, Database, str], None]:
    """What acts by `run`, and by another one where that did nothing.

    For tasks that step over rows which others hold: so does a session that was cut, until its server process notices.
    """

    def act(database: Database, direct: Database, target: str) -> None:
        before = ending(direct, target)
        run(database)
        while ending(direct, target) == before:
            run(database)

    return act


def strike_at_every_statement(flow: Flow, how: str, database: Database, database_url: str, proxy: Proxy) -> None:
    """Whichever statement it is, and whether it did not arrive or its answer did not, the end is that of a calm run.

    What is struck is a list of points counted on the wire in the calm run, up to the last COMMIT, or what is one.
    """
    url = proxy.url(database_url)
    calm = flow.prepare(database, "calm")
    before = flow.ending(database, calm)
    points = _struck(proxy, url, flow, database, calm)
    expected = flow.ending(database, calm)
    assert expected != before
    commits = [number for number, point in enumerate(points) if _commits(point, flow.alone)]
    points = points[: commits[-1] + 1]
    assert any("insert into committed_calls" in point for point in points), points
    assert any("insert into audit_log" in point for point in points) == flow.is_audited, points
    # Only a Query and a Sync are answered at once; within a pipeline an Execute is not.
    is_struck: dict[str, Callable[[str], bool]] = {
        "cut": lambda point: True,
        "answer lost": lambda point: not point.startswith("execute"),
        "commit unanswered": lambda point: point == "query: COMMIT" or _commits(point, flow.alone),
    }
    numbers = [number for number, point in enumerate(points) if is_struck[how](point)]
    for number in numbers:
        target = flow.prepare(database, f"struck-{number}")
        met = _struck(proxy, url, flow, database, target, number, STRIKES[how])
        assert met[number:] == [points[number]], f"it went another way than the calm one: {points}"
        assert flow.ending(database, target) == expected, f"{how} at {points[number]}"


def _commits(point: str, alone: str) -> bool:
    """Whether the message is the last of a transaction: COMMIT, or the Sync of a statement without one around it."""
    return point == "query: COMMIT" if alone == "COMMIT" else point.startswith("sync") and alone in point


def _struck(
    proxy: Proxy,
    url: str,
    flow: Flow,
    direct: Database,
    target: str,
    number: int | None = None,
    strike: Strike | None = None,
) -> list[str]:
    """The points that the flow met."""
    clock = None if flow.clock is None else flow.clock(target)
    with Database(url, "fairlead", BOUNDS, simulated_clock=clock) as relayed:
        query(relayed, "select 1")  # connected before anything is counted
        points = proxy.watch(number, strike)
        flow.act(relayed, direct, target)
        proxy.ignore()
    return points
