"""The tables of payment outcomes in docs/reference/payments.md are what the tests hold, case by case."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fairlead.core.money.payments import DoubtKind, PaymentOutcome, ReportKind
from fairlead.core.money.top_ups import NoCharge
from tests.flows.payments.outcomes import CASES, TOP_UP_CASES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "payments.md"
HEADING = "## Every case and its outcome\n"
STATE_OF = {
    PaymentOutcome.CREDIT: "succeeded",
    PaymentOutcome.FAIL: "failed",
    PaymentOutcome.REVIEW: "in_review",
    PaymentOutcome.NOTHING: "pending",
}


def section() -> str:
    """The part of the page that has the tables."""
    return PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]


def tables(text: str) -> list[list[tuple[str, ...]]]:
    """The rows of each table, without its head."""
    found: list[list[tuple[str, ...]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in block.strip().split("\n")]
        found.append(rows[2:])
    return found


def differences(rows: list[tuple[str, ...]], wanted: list[tuple[str, ...]], columns: tuple[int, ...]) -> list[str]:
    """Where a table says something else than the tests hold, in those of its columns that they decide."""
    said = [tuple(row[column] for column in columns) for row in rows]
    missing = [f"no row says {each}" for each in wanted if each not in said]
    return missing + [f"no test holds {each}" for each in said if each not in wanted or said.count(each) > 1]


def amount(cents: int) -> str:
    return f"{cents / 100:.2f}" if cents else ""


def wanted_cases() -> list[tuple[str, ...]]:
    return [(f"`{each.name}`", each.state, amount(each.credited_cents), ", ".join(each.in_doubt)) for each in CASES]


def wanted_top_ups() -> list[tuple[str, ...]]:
    return [
        (
            f"`{each.name}`",
            each.state,
            amount(each.credited_cents),
            "on" if each.is_on else "off",
            ", ".join(each.in_doubt),
            each.told or "",
        )
        for each in TOP_UP_CASES
    ]


def named_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name


def test_the_tables_are_what_the_tests_hold() -> None:
    cases, top_ups, _ = tables(section())
    assert differences(cases, wanted_cases(), (0, 2, 3, 4)) == []
    assert differences(top_ups, wanted_top_ups(), (0, 2, 3, 4, 5, 6)) == []


def test_a_row_that_says_otherwise_is_noticed() -> None:
    rows, *_ = tables(section())
    another = [(*rows[0][:2], "failed", *rows[0][3:]), *rows[1:]]
    assert len(differences(another, wanted_cases(), (0, 2, 3, 4))) == 2
    assert len(differences(rows[1:], wanted_cases(), (0, 2, 3, 4))) == 1
    assert len(differences([*rows, rows[0]], wanted_cases(), (0, 2, 3, 4))) == 2


def test_every_test_that_is_named_is_there() -> None:
    *_, others = tables(section())
    named = [row[-1].strip("`").partition("::") for row in others]
    assert len(named) > 10
    missing = [f"{path}::{name}" for path, _, name in named if name not in named_functions(ROOT / path)]
    assert missing == []


def test_nothing_that_may_become_of_a_payment_is_left_out() -> None:
    in_doubt = {kind for each in (*CASES, *TOP_UP_CASES) for kind in each.in_doubt}
    by_hand = " ".join(row[1] for row in tables(section())[-1])
    assert [kind for kind in DoubtKind if kind not in in_doubt and f"`{kind}`" not in by_hand] == []
    assert {STATE_OF[outcome] for outcome in PaymentOutcome} == {each.state for each in CASES}
    said = {report.get("kind", ReportKind.PAID) for each in CASES for report in each.reports}
    assert set(ReportKind) - said == {ReportKind.METHOD_SAVED}, "which is of no payment"
    assert f"`{NoCharge.MONTHLY_LIMIT}`" in by_hand
    assert {each.events != () for each in CASES} == {True}, "each is said by Stripe, too"
