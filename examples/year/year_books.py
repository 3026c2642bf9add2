"""The books of the year, read by programs that are not Fairlead's: every line by this one, a month by beancount's checker."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from year_checks import Check

from fairlead.flows.money.books import export_books
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
LARGEST_CHECKED_BYTES = 50_000_000
"""What bean-check reads whole takes much memory: of a year with more sales it takes a month, or none."""
ACTOR = Actor("year", "admin")


def check_books(database: Database) -> Iterator[Check]:
    """Each transaction is balanced, wallets and receivables are the balances, and bean-check accepts a whole file."""
    with TemporaryDirectory() as folder:
        books = Path(folder) / "books.beancount"
        with books.open("wb") as output:
            entries = export_books(database, None, output, ACTOR)
        held, unbalanced = _held(books)
        with database.snapshot() as conn:
            balances = conn.execute("select id::text, balance_cents from providers").fetchall()
        wrong = [
            provider_id
            for provider_id, cents in balances
            if (held[f"Liabilities:Wallets:P{provider_id}"], held[f"Assets:Receivables:P{provider_id}"])
            != (-max(cents, 0), max(-cents, 0))
        ]
        yield Check("each transaction of the books is balanced", entries, unbalanced)
        yield Check("wallets and receivables of the books are the balances", len(balances), wrong)
        for name, count in (("books.beancount", entries), ("2024-11", None)):
            file = books
            if count is None:
                file = Path(folder) / f"{name}.beancount"
                with file.open("wb") as output:
                    count = export_books(database, name, output, ACTOR)
            if BEAN_CHECK.exists() and file.stat().st_size <= LARGEST_CHECKED_BYTES:
                ran = subprocess.run([BEAN_CHECK, file], capture_output=True, text=True, check=False)
                told = [f"status {ran.returncode}: {(ran.stdout + ran.stderr)[:200]}"] if ran.returncode else []
                yield Check(f"bean-check accepts {file.stem}", count, told)


def _held(books: Path) -> tuple[Counter[str], list[str]]:
    """What each account holds, in cents, and the transactions whose sides are not equal."""
    held: Counter[str] = Counter()
    unbalanced: list[str] = []
    title, sum_cents = "", 0
    with books.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("  "):
                if sum_cents:
                    unbalanced.append(title)
                title, sum_cents = line.strip(), 0
            elif line[2].isupper():
                account, amount, _ = line.split()
                cents = int(amount.replace(".", ""))
                held[account] += cents
                sum_cents += cents
    return held, [*unbalanced, title] if sum_cents else unbalanced
