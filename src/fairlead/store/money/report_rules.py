"""The rules of reports of bad leads, and how much of their limits a provider has used."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from fairlead.core.money.report_rules import ReportRules, rules_document, rules_from_document
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


def report_rules(conn: Connection) -> ReportRules:
    """The rules as they are; those shipped until others were set."""
    rows = conn.execute("select report_rules from marketplace").fetchall()
    return rules_from_document(rows[0][0] if rows else None)


def write_report_rules(conn: Connection, rules: ReportRules) -> None:
    """These are the rules. Needs the marketplace's lock."""
    conn.execute("update marketplace set report_rules = %s", (Jsonb(rules_document(rules)),))


def timezone_of(conn: Connection, provider_id: str) -> str:
    """The time zone whose days are the provider's; UTC for one that there is not."""
    rows = conn.execute("select timezone from providers where id = %s", (provider_id,)).fetchall()
    return rows[0][0] if rows else "UTC"


def reported_since(conn: Connection, provider_id: str, since: datetime) -> int:
    """How many leads the provider has reported since then. Final only under the provider's lock."""
    rows = conn.execute(
        "select count(*) from assignments where provider_id = %s and bad_lead_reported_at >= %s", (provider_id, since)
    ).fetchall()
    return rows[0][0]


@dataclass(frozen=True, slots=True)
class ReceivedAndReported:
    """Of the leads that a provider received in some time: how many they are, and how many of them it reported."""

    received: int
    reported: int


def received_and_reported(conn: Connection, provider_id: str, since: datetime) -> ReceivedAndReported:
    """Of the leads that the provider received since then. Final only under the provider's lock."""
    found = one_row(
        conn,
        ReceivedAndReported,
        """
        select count(*) as received, count(a.bad_lead_reported_at) as reported
        from ledger_entries e join assignments a on a.provider_id = e.provider_id and a.ledger_seq = e.seq
        where e.provider_id = %s and e.created_at >= %s and e.kind = 'lead_purchase'
        """,
        (provider_id, since),
    )
    assert found is not None, "sums are one row"
    return found
