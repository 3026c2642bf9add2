"""Where the source reads the real time, or makes an id of it: each place has a reason, all else follows the database.

A flow takes its time from `clock(conn)` and its ids from `new_id(database)` or `new_id(conn)`; a statement that reads
the time itself takes `coalesce(%s::timestamptz, clock_timestamp())` with `simulated_now(conn)`. An update, of which a
cluster carries out no such expression, has the one or the other in its text.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"

QUEUE = "the queue, its workers and their retries keep real time"
OUTSIDE = "seen by others outside, whose clocks are real"
SHOWN = "what a page shows of how long ago something was, by the viewer's day"
MACHINE = "of this machine, not of the marketplace"

ZONES = "in which zones reports were asked for lately, by those who look"
SPANS = "whether a change came before a span was added up: two transactions, in real time"

REAL_TIME = {
    "console/page.py": SHOWN,
    "console/periods.py": SHOWN,
    "console/routes/operator/leads.py": SHOWN,
    "console/routes/operator/messages.py": SHOWN,
    "console/routes/operator/money.py": SHOWN,
    "console/routes/portal/leads.py": SHOWN,
    "delivery/mail_transport.py": OUTSIDE,
    "delivery/smtp.py": OUTSIDE,
    "flows/reporting/reports.py": ZONES,
    "flows/live/messages.py": "of the connection, not of what is told",
    "flows/notifications/endpoint_trial.py": OUTSIDE,
    "flows/notifications/send_webhook.py": OUTSIDE,
    "store/committed_calls.py": "which calls were committed is forgotten by real time, as they are retried",
    "store/embedded/cluster.py": MACHINE,
    "store/ids.py": "where ids are made",
    "store/invariants/engine.py": "how long dead letters are kept, by the clock of who proves it",
    "store/jobs/fetching.py": QUEUE,
    "store/jobs/queue.py": QUEUE,
    "store/jobs/queue_views.py": QUEUE,
    "store/jobs/rescue.py": QUEUE,
    "store/jobs/workers.py": QUEUE,
    "store/leads/rows.py": "where `clock` reads the server's",
    "store/leads/state.py": "when a worker began a lead that may kill it: only whether it did is asked",
    "store/migrations/baseline/11_jobs.sql": QUEUE,
    "store/rate_limits.py": QUEUE,
    "store/migrations/baseline/12_audit.sql": SPANS,
    "store/reports/changes.py": "the age of a row by its id, where no clock is set",
    "store/reports/pieces.py": SPANS,
    "store/schedules.py": QUEUE,
    "store/verifications.py": "how far a worker has come with it",
    "store/watching/gauges.py": QUEUE,
    "store/watching/workers.py": QUEUE,
    "telemetry/logs.py": MACHINE,
}

_READS = re.compile(
    r"\b(?:clock_timestamp|statement_timestamp|transaction_timestamp|now)\(\)|\bcurrent_(?:timestamp|date)\b"
    r"|\blocaltimestamp\b|datetime\.now\(|\bdate\.today\(|utcnow\(|(?<!date)time\.time\(\)|\buuid7\(\)|(?<![.\w])new_id\(\)"
    r"|\buuidv7\(\)",
    re.IGNORECASE,
)
_OVERRIDDEN = re.compile(
    r"coalesce\(%(?:\(now\))?s::timestamptz, (?:clock_timestamp|statement_timestamp|now)\(\)\)"
    r'|"statement_timestamp\(\)" if now is None else "%\(now\)s"',
    re.IGNORECASE,
)


def reads(text: str) -> list[str]:
    """What in the text reads the real time, or makes an id of it."""
    rest = re.sub(r"(?<!datetime)\.now\(\)|\bdef \w+\(.*\n", "", _OVERRIDDEN.sub("", text))
    return _READS.findall(rest)


def test_each_place_that_reads_the_real_time_has_a_reason() -> None:
    found = Counter[str]()
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.sql")]):
        if number := len(reads(path.read_text(encoding="utf-8"))):
            found[path.relative_to(SOURCE).as_posix()] = number
    assert found.keys() - REAL_TIME.keys() == set(), "see the head of this page"
    assert REAL_TIME.keys() - found.keys() == set(), "no place any more"


@pytest.mark.parametrize(
    ("text", "is_seen"),
    [
        ("set sent_at = statement_timestamp()", True),
        ("set sent_at = coalesce(%s::timestamptz, statement_timestamp())", False),
        ("where created_at > coalesce(%(now)s::timestamptz, clock_timestamp()) - interval '1 day'", False),
        ("created_at timestamptz not null default now()", True),
        ("datetime.now(UTC)", True),
        ("lead_id = new_id()", True),
        ("lead_id = new_id(database)", False),
        ("self._clock.now()", False),
    ],
)
def test_a_place_is_seen(text: str, is_seen: bool) -> None:
    assert bool(reads(text)) is is_seen
