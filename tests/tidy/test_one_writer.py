"""Each effect has one writer: a second module of store that writes to the same table, or column, fails here.

What is read is the text of the statements, which stand as plain strings in the modules of store.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

STORE = Path(__file__).parents[2] / "src" / "fairlead" / "store"

WRITERS: Mapping[str, set[str]] = {
    "insert ledger_entries": {"money/ledger.py"},
    "insert notifications": {"notifications/outbox.py"},
    "insert leads": {"leads/rows.py"},
    "update leads": {"leads/state.py"},
    "insert audit_log": {"audit/log.py"},
    "insert audit_events": set(),
    "update audit_head": {"audit/log.py"},
    "insert niche_journal": {"journal.py"},
    "insert assignments": {"distribution/writes.py"},
    "insert payments": {"money/payments.py"},
    "insert receipts": {"money/receipts.py"},
    "update receipt_head": {"money/receipts.py"},
    "insert billing_details": {"money/billing_details.py"},
    "insert payment_requests": {"money/payment_requests.py"},
    "update payment_requests": {"money/payment_requests.py"},
    "insert auto_top_ups": {"money/auto_top_ups.py"},
    "update auto_top_ups": {"money/auto_top_ups.py"},
    "insert saved_methods": {"money/saved_methods.py"},
    "update saved_methods": {"money/saved_methods.py"},
    "insert payment_doubts": {"money/payment_doubts.py"},
    "update payment_doubts": {"money/payment_doubts.py"},
    # How a notification's delivery goes is another effect than that it is to be told: `rows` is what jobs do with one,
    # `webhook_endpoints` what becomes of all that wait for an endpoint, `erasure` of those about a lead that is erased.
    "update notifications": {
        "notifications/erasure.py",
        "notifications/rows.py",
        "notifications/webhook_endpoints.py",
    },
}
"""By kind of statement and table: the modules that may have one."""

COLUMNS: Mapping[str, set[str]] = {
    "providers.balance_cents": {"money/ledger.py"},
    "providers.ledger_seq": {"money/ledger.py"},
    "providers.low_balance_alerted_at": {"money/ledger.py"},
    "providers.low_balance_days_alerted_at": {"money/spending_pace.py"},
    "providers.top_up_below_cents": {"money/auto_top_ups.py"},
}
"""By column of a table that has other columns to be written as well: the modules that may."""

NEVER_CHANGED = ("ledger_entries", "receipts", "audit_log", "niche_journal")
"""What is only ever added to."""

_WRITE = re.compile(
    r"\b(insert)\s+into\s+(\w+)|\b(update)\s+(?:only\s+)?(\w+)(?:\s+(?:as\s+)?\w+)?\s+set\b"
    r"|\b(delete)\s+from\s+(?:only\s+)?(\w+)|\b(merge)\s+into\s+(\w+)|\b(copy)\s+(\w+)[^;]*\bfrom\b"
    r"|\b(truncate)\s+(?:table\s+)?(\w+)",
    re.IGNORECASE,
)


def writes(statement: str) -> Iterator[tuple[str, str]]:
    """What the statement does to which table; copying, merging and the rest count as inserting."""
    for found in _WRITE.finditer(statement):
        verb, table = (part.lower() for part in found.groups() if part is not None)
        yield verb if verb in {"update", "delete", "truncate"} else "insert", table


def assigns(statement: str, table: str, column: str) -> bool:
    """Whether the statement writes that column of the table."""
    if not any(to == table and verb != "delete" for verb, to in writes(statement)):
        return False
    listed = rf"\b(?:into|copy)\s+{table}\s*\([^)]*\b{column}\b"
    return re.search(rf"(?:\bset|,)\s*\(?\s*{column}\s*[,=)]|{listed}", statement, re.IGNORECASE) is not None


def strings(source: str) -> Iterator[str]:
    """Every string of the source, those with gaps too; docstrings are prose."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else " x " for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def statements() -> Iterator[tuple[str, str]]:
    """Each module of store but the migrations, with each of its strings."""
    for path in sorted(STORE.rglob("*.py")):
        module = path.relative_to(STORE).as_posix()
        if not module.startswith("migrations/"):
            for text in strings(path.read_text(encoding="utf-8")):
                yield module, text


def test_each_table_has_the_writers_that_were_reviewed() -> None:
    found: dict[str, set[str]] = {effect: set() for effect in WRITERS}
    for module, text in statements():
        for verb, table in writes(text):
            if (effect := f"{verb} {table}") in found:
                found[effect].add(module)
    assert found == dict(WRITERS)


def test_each_column_has_the_writers_that_were_reviewed() -> None:
    found = {name: {module for module, text in statements() if assigns(text, *name.split("."))} for name in COLUMNS}
    assert found == dict(COLUMNS)


def test_what_is_only_added_to_is_never_changed() -> None:
    changes = {(module, verb, table) for module, text in statements() for verb, table in writes(text)}
    assert [each for each in sorted(changes) if each[1] != "insert" and each[2] in NEVER_CHANGED] == []


@pytest.mark.parametrize(
    ("statement", "effect"),
    [
        ("insert into leads (id) values (%s)", ("insert", "leads")),
        ("with moved as (update leads l set status = 'bad' returning 1) select 1", ("update", "leads")),
        ("update leads as l\n set status = 'bad'", ("update", "leads")),
        ("UPDATE ONLY leads SET status = 'bad'", ("update", "leads")),
        ("delete from notifications where id = %s", ("delete", "notifications")),
        ("copy ledger_entries (provider_id) from stdin", ("insert", "ledger_entries")),
        ("merge into ledger_entries using x on true", ("insert", "ledger_entries")),
        ("truncate table audit_log", ("truncate", "audit_log")),
    ],
)
def test_a_write_is_seen(statement: str, effect: tuple[str, str]) -> None:
    assert list(writes(statement)) == [effect]


@pytest.mark.parametrize(
    ("statement", "is_write"),
    [
        ("update providers p set balance_cents = 0", True),
        ("update providers set name = 'x', balance_cents = balance_cents - 1", True),
        ("update providers set (name, balance_cents) = ('x', 1)", True),
        ("insert into providers (id, balance_cents) values (%s, 0)", True),
        ("insert into providers (id) values (%s) on conflict (id) do update set balance_cents = 0", True),
        ("update providers set name = 'x' where balance_cents = 0", False),
        ("select balance_cents from providers", False),
        ("delete from providers where balance_cents = 0", False),
    ],
)
def test_a_written_column_is_seen(statement: str, is_write: bool) -> None:
    assert assigns(statement, "providers", "balance_cents") is is_write
