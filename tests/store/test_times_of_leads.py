"""How long leads took is told to two digits: each time once, under the least unit that tells it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.reports.days import checked_days
from fairlead.store.reports.facts import TIMES
from fairlead.store.reports.period import figures, seconds_at
from fairlead.store.reports.pieces import cover
from fairlead.store.reports.totals import By, totals
from tests.flows.marketplaces import HOSTING, declare

AT_AN_EDGE = (0, 1, 9, 10, 11, 99, 100, 104, 105, 949, 994, 995, 999, 1_000, 1_049, 1_050, 9_949, 9_950, 99_499, 99_500)
OF_A_YEAR = tuple(7**power + power for power in range(13))


def told_as(milliseconds: int) -> int:
    """To two digits, halves up."""
    aside = max(0, len(str(milliseconds)) - 2)
    return int(Decimal(milliseconds).scaleb(-aside).quantize(Decimal(1), ROUND_HALF_UP).scaleb(aside))


def test_times_are_counted_to_two_digits(damaged_database: Database) -> None:
    database, wanted = damaged_database, [*AT_AN_EDGE, *OF_A_YEAR]
    declare(database, HOSTING)
    lead_ids = submit_leads(database, "hosting", [{"cores": 2}] * len(wanted), OPERATOR, approve=True)
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute(
            "update leads l set approved_at = l.created_at + ms * interval '1 millisecond' "
            "from unnest(%s::uuid[], %s::bigint[]) as took (id, ms) where l.id = took.id",
            (lead_ids, wanted),
        )
    expected = Counter(told_as(each) for each in wanted)
    today = datetime.now(UTC).date()
    days = checked_days(today - timedelta(days=1), today + timedelta(days=2), "UTC")

    def asked(conn: Connection) -> None:
        covered = cover(conn, days)
        groupings: tuple[By, ...] = (("niche_id", "keys"), ("keys",), ("keys[1]", "keys[2]"), ("day", "keys"))
        for by in groupings:
            found = Counter[int]()
            for place, counts in totals(conn, covered, TIMES, by).items():
                step, unit = place[-2:] if "keys[1]" in by else place[-1]
                assert (step, len(counts)) == ("approval", TIMES.width)
                found.update({number * int(unit): count for number, count in enumerate(counts) if count})
                assert unit == "1" or not any(counts[:10]), "a less unit tells these times"
            assert found == expected
        times = totals(conn, covered, TIMES, ("keys[1]", "keys[2]"))
        in_order = sorted(expected.elements())
        for percent in (1, 5, 50, 95, 100):
            enough = next(
                each for number, each in enumerate(in_order, start=1) if number * 100 >= percent * len(in_order)
            )
            assert seconds_at(times, "approval", percent) == enough / 1000
        assert seconds_at(times, "assignment", 50) is None
        assert figures(conn, covered).approval_seconds_median == seconds_at(times, "approval", 50)

    database.read(asked)
