"""How many rows a view reads: its own statements, run and counted by the server."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from fairlead.store.connection import Connection, Database

Seen = TypeVar("Seen")


@dataclass
class Reading:
    """What the statements of a view came to. `scanned` are the tables that were read from end to end."""

    rows_read: int = 0
    most_sorted: int = 0
    scanned: set[str] = field(default_factory=set)


class _Watched:
    """A connection that has the server explain each statement before it is run."""

    def __init__(self, conn: Connection, reading: Reading) -> None:
        self._conn, self._reading = conn, reading

    def execute(self, query: str, values: Any = None) -> Any:
        explained = self._conn.execute(f"explain (analyze, format json) {query}".encode(), values).fetchall()
        for node in _nodes(explained[0][0][0]["Plan"]):
            rows = node["Actual Rows"] * node["Actual Loops"]
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            if "Relation Name" in node:
                self._reading.rows_read += round(rows + removed * node["Actual Loops"])
            if node["Node Type"] == "Seq Scan":
                self._reading.scanned.add(node["Relation Name"])
            if node["Node Type"] in ("Sort", "Incremental Sort"):
                self._reading.most_sorted = max(self._reading.most_sorted, round(rows))
        return self._conn.execute(query.encode(), values)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def reading(database: Database, view: Callable[[Connection], Seen]) -> tuple[Seen, Reading]:
    """What the view gives, and what it read for that."""
    found = Reading()
    return database.read(lambda conn: view(cast("Connection", _Watched(conn, found)))), found
