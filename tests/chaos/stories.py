"""One distribution in which everything happens, and what must be left behind by it, however often it was struck.

Three leads combine, in three levels, for a process that has distributed before. Another process has decided leads
since, which it has to catch up with, and the next in order have spent their money elsewhere: the balances that it
assumes are wrong, another provider has to be locked late, all is decided again, and subscriptions are deactivated. Most
have limits, which what is sold counts in, and one has just changed its schedule and is found closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from fairlead.core.decision import Decision
from fairlead.flows.configuration.local_time import set_subscription_schedule
from fairlead.flows.distributor import Distributor
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from tests.race.marketplaces import (
    Niche,
    Provider,
    Terms,
    add_leads,
    add_providers,
    age_between,
    leave_only,
    open_niche,
    subscribe,
)

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
AGES = (30, 40, 50)
PROVIDERS = [
    Provider("rich", 90_000, (1, 2, 5)),
    Provider("dry-on-the-way", 3_000, (2,)),
    Provider("poor", 500, (5,)),
    Provider("older-people", 90_000, (5,), age_between(60, 99)),
    Provider("closed", 90_000, (5,), schedule='{"paused_until":"2099-01-01T00:00:00Z"}'),
    *[
        Provider(f"p{number:02}", 90_000, (2, 5) if number % 3 == 0 else (5,), limits='{"leads_per_month":50}')
        for number in range(16)
    ],
]


@dataclass(frozen=True)
class Story:
    """One niche of its own in which the story happens, and the names of those who are in it."""

    niche: Niche
    provider_ids: Mapping[str, str]
    lead_ids: tuple[str, ...]


def begin(database: Database, slug: str) -> Story:
    """The niche is set up and its leads wait."""
    with database.transaction() as conn:
        niche = open_niche(conn, slug, TERMS)
        ids = add_providers(conn, PROVIDERS, slug)
        subscribe(conn, niche, PROVIDERS, ids)
        return Story(niche, ids, tuple(add_leads(conn, niche, AGES)))


def more_leads(database: Database, story: Story) -> None:
    """Three more leads wait."""
    with database.transaction() as conn:
        add_leads(conn, story.niche, AGES)


def meanwhile(database: Database, story: Story) -> None:
    """Another process decides three leads, money goes elsewhere, and three more leads wait."""
    more_leads(database, story)
    assert len(Distributor(database).distribute_waiting(story.niche.niche_id)) == 3
    _money_goes_elsewhere(database, story)
    _one_is_closed_for_another_time(database, story)
    more_leads(database, story)


def _one_is_closed_for_another_time(database: Database, story: Story) -> None:
    """Who was never served, and is closed, has to be asked again."""
    with database.transaction() as conn:
        [(subscription_id,)] = _rows(
            conn, "select id::text from subscriptions where provider_id = %s", story.provider_ids["closed"]
        )
    closed = {"paused_until": "2098-01-01T00:00:00Z"}
    set_subscription_schedule(database, subscription_id, closed, OPERATOR, of_provider_id=None)


def _money_goes_elsewhere(database: Database, story: Story) -> None:
    """The two who are next at the last level cannot pay, which no worker that saw their balances before expects."""
    with database.transaction() as conn:
        for (provider_id,) in _rows(
            conn,
            """
            select provider_id::text from subscriptions where competition_level_id = %s and is_active
            and served_seq is not null order by served_seq limit 2
            """,
            story.niche.level_ids[5],
        ):
            leave_only(conn, provider_id, 700)


def ending(database: Database, story: Story) -> dict[str, Any]:
    """How the niche came to stand, told without ids and times: equal for equal stories."""
    name_of = {provider_id: name for name, provider_id in story.provider_ids.items()}
    niche_id = story.niche.niche_id
    with database.snapshot() as conn:
        return {
            "sold": [
                (name_of[row[0]], *row[1:])
                for row in _rows(
                    conn,
                    """
                    select a.provider_id::text, l.order_position, a.price_cents, a.served_seq, a.ledger_seq,
                           a.journal_seq
                    from assignments a join competition_levels l on l.id = a.competition_level_id
                    where a.niche_id = %s order by a.served_seq
                    """,
                    niche_id,
                )
            ],
            "leads": _rows(
                conn,
                """
                select status, last_outcome, distribution_attempts, awaits_decision from leads
                where niche_id = %s order by id
                """,
                niche_id,
            ),
            "money": _rows(
                conn,
                """
                select name, balance_cents, ledger_seq from providers
                where id in (select provider_id from subscriptions where niche_id = %s) order by name
                """,
                niche_id,
            ),
            "activity": _rows(
                conn,
                """
                select p.name, l.order_position, s.is_active, s.deactivation_reason, s.served_seq, s.shut_by,
                       regexp_replace(s.limits_used, '^[0-9]+', ''), regexp_replace(p.limits_used, '^[0-9]+', '')
                from subscriptions s join providers p on p.id = s.provider_id
                join competition_levels l on l.id = s.competition_level_id
                where s.niche_id = %s order by 1, 2
                """,
                niche_id,
            ),
            "niche": _rows(
                conn,
                "select next_start_level_order_position, last_served_seq, journal_seq from niches where id = %s",
                niche_id,
            ),
            "told": _rows(
                conn,
                """
                select n.kind, p.name, count(*) from notifications n join providers p on p.id = n.provider_id
                where n.provider_id in (select provider_id from subscriptions where niche_id = %s)
                group by 1, 2 order by 1, 2
                """,
                niche_id,
            ),
        }


def everything_happened(decisions: tuple[Decision, ...], points: list[str]) -> None:
    """The story held what it is told for; otherwise its crashes prove less than they claim."""
    assert len(decisions) == 3
    reasons = {each.refusal.reason for d in decisions for level in d.levels for each in level.refused}
    assert reasons == {"insufficient_balance", "already_recipient", "outside_schedule"}
    assert all(len(decision.levels) == 3 and decision.recipients for decision in decisions)
    for words in (
        "BEGIN",
        "from niches where id = any($1::uuid[]) order by id for no key update",
        "for no key update",
        "insert into niche_journal",
        "update niches set",
        "update leads set",
        "insert into assignments",
        "insert into ledger_entries",
        "insert into notifications",
        "update providers p set",
        "update subscriptions set",
        "insert into jobs",
        "select id::text, limits_used from subscriptions",
        "set shut_by",
        "COMMIT",
    ):
        assert any(words in point for point in points), f"{words} not in {points}"
    assert any(point.endswith("nowait") for point in points), "no provider had to be locked late"
    assert sum("set is_active = false" in point for point in points) >= 1


def picture(database: Database) -> dict[str, str]:
    """Every table's content as one digest each: two equal pictures, not one row changed in between."""
    with database.snapshot() as conn:
        tables = _rows(
            conn,
            "select tablename from pg_tables where schemaname = current_schema() order by tablename",
        )
        return {table: str(_digest(conn, table)) for (table,) in tables}


def _digest(conn: Connection, table: str) -> object:
    query = sql.SQL("select md5(string_agg(t::text, chr(10) order by t::text)) from {} t")
    row = conn.execute(query.format(sql.Identifier(table))).fetchone()
    assert row is not None
    return row[0]


def _rows(conn: Connection, query: Any, *values: str) -> list[tuple[Any, ...]]:
    return conn.execute(query, values).fetchall()
