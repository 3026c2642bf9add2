"""A conventional engine: a query for every step and a transaction for every assignment.

Written the way such engines usually are, to be a fair comparison: it has the indexes that it needs, its statements are
prepared, it reads a level's subscriptions in one query and in order, stops looking when the level is full, and never
waits for nothing. It runs on the driver alone; one that runs on an object-relational mapper is slower.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from fairlead.store.ids import new_id

TABLES = Path(__file__).with_name("conventional.sql")


class ConventionalEngine:
    """The engine on its own tables, which are made from Fairlead's in the same database."""

    def __init__(self, url: str) -> None:
        self._conn = psycopg.connect(url, autocommit=True)
        self._conn.execute(TABLES.read_bytes())

    def close(self) -> None:
        """The engine is of no further use."""
        self._conn.close()

    def waiting_lead_ids(self, limit: int) -> list[UUID]:
        """The oldest approved leads."""
        rows = self._conn.execute(
            "select id from leads where status = 'approved' order by approved_at, id limit %s", (limit,)
        )
        return [row[0] for row in rows]

    def distribute(self, lead_id: UUID) -> int:
        """The number of recipients; the lead is distributed if there are any."""
        niche_id, attributes = self._row("select niche_id, attributes from leads where id = %s", lead_id)
        (pointer,) = self._row("select next_start from niches where id = %s", niche_id)
        levels = self._conn.execute(
            """
            select id, price_cents, max_recipients, order_position from levels
            where niche_id = %s and is_active order by order_position
            """,
            (niche_id,),
        ).fetchall()
        first = next((at for at, level in enumerate(levels) if level[3] >= pointer), 0)
        assigned = 0
        for level_id, price_cents, max_recipients, _ in levels[first:] + levels[:first]:
            assigned += self._fill_level(lead_id, attributes, level_id, price_cents, max_recipients)
        self._conn.execute(
            "update niches set next_start = %s where id = %s", (levels[(first + 1) % len(levels)][3], niche_id)
        )
        if assigned:
            self._conn.execute(
                "update leads set status = 'distributed', distributed_at = now() where id = %s", (lead_id,)
            )
        self._conn.execute(
            "insert into audit (action, entity_id, details) values ('distribution.completed', %s, %s)",
            (lead_id, json.dumps({"assignments": assigned, "start": levels[first][3]})),
        )
        return assigned

    def _fill_level(
        self, lead_id: UUID, attributes: Mapping[str, Any], level_id: UUID, price_cents: int, max_recipients: int
    ) -> int:
        subscriptions = self._conn.execute(
            """
            select id, provider_id, filter_rules from subscriptions
            where level_id = %s and is_active order by last_received_at nulls first, provider_id
            """,
            (level_id,),
        ).fetchall()
        assigned = 0
        for subscription_id, provider_id, rules in subscriptions:
            if assigned == max_recipients:
                break
            if not all(accepts(rule, attributes) for rule in rules["rules"]):
                continue
            if self._conn.execute(
                "select 1 from assignments where lead_id = %s and provider_id = %s", (lead_id, provider_id)
            ).fetchone():
                continue
            (balance_cents,) = self._row("select balance_cents from providers where id = %s", provider_id)
            if balance_cents >= price_cents and self._assign(
                lead_id, provider_id, subscription_id, level_id, price_cents
            ):
                assigned += 1
        return assigned

    def _assign(
        self, lead_id: UUID, provider_id: UUID, subscription_id: UUID, level_id: UUID, price_cents: int
    ) -> bool:
        assignment_id = new_id()
        with self._conn.transaction():
            (balance_cents,) = self._row("select balance_cents from providers where id = %s for update", provider_id)
            if balance_cents < price_cents:
                return False
            self._conn.execute(
                "update providers set balance_cents = balance_cents - %s where id = %s", (price_cents, provider_id)
            )
            self._conn.execute(
                """
                insert into assignments (id, lead_id, provider_id, level_id, price_cents)
                values (%s, %s, %s, %s, %s)
                """,
                (assignment_id, lead_id, provider_id, level_id, price_cents),
            )
            self._conn.execute(
                """
                insert into ledger (provider_id, assignment_id, amount_cents, balance_after_cents)
                values (%s, %s, %s, %s)
                """,
                (provider_id, assignment_id, -price_cents, balance_cents - price_cents),
            )
            self._conn.execute(
                "update subscriptions set last_received_at = clock_timestamp() where id = %s", (subscription_id,)
            )
        self._conn.execute("insert into notifications (assignment_id) values (%s)", (assignment_id,))
        return True

    def _row(self, query: LiteralString, key: UUID) -> tuple[Any, ...]:
        row = self._conn.execute(query, (key,)).fetchone()
        assert row is not None, query
        return row


def accepts(rule: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Whether a rule of the kinds that the populations use accepts the lead.

    >>> accepts({"field_key": "age", "operator": "between", "value": [20, 30]}, {"age": 30})
    True
    >>> accepts({"field_key": "job", "operator": "in", "value": ["a"]}, {"age": 30})
    False
    """
    value = attributes.get(rule["field_key"])
    if value is None:
        return False
    if rule["operator"] == "between":
        low, high = rule["value"]
        return low <= value <= high
    return value in rule["value"]
