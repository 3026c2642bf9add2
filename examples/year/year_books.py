"""The books of the year, read by programs that are not Fairlead's: every line by this one, and by beancount's checker."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from year_checks import Check

from fairlead.flows.money.books import export_books
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
PART_BYTES = 25_000_000
"""So much bean-check reads at once, which takes it some 600 MB of memory: of larger books, one part after the other."""
TAX, TAX_EXPENSE = "Liabilities:Tax", "Expenses:Tax"
ACTOR = Actor("year", "admin")

# What is left of the tax when credit notes took theirs back.
TAX_DUE = """
    select count(*), coalesce(sum(case kind when 'receipt' then tax_cents else -tax_cents end), 0)::bigint from receipts
"""


def check_books(database: Database) -> Iterator[Check]:
    """The books of the whole year, and those of a month that is closed."""
    with TemporaryDirectory() as folder:
        for month in (None, "2024-11"):
            file = Path(folder) / f"{month or '2024'}.beancount"
            with file.open("wb") as output:
                export_books(database, month, output, ACTOR)
            yield from check_file(database, file, is_of_all_time=month is None)


def check_file(database: Database, file: Path, *, is_of_all_time: bool) -> Iterator[Check]:
    """Each transaction is balanced, wallets and receivables are the balances, tax is the receipts'; bean-check accepts."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = _Parts(Path(folder), pool)
        with file.open(encoding="utf-8") as lines:
            parts.read(lines)
        yield Check(f"each transaction of the books of {file.stem} is balanced", parts.transactions, parts.unbalanced)
        if is_of_all_time:
            yield from _against_the_tables(database, parts.held)
        yield parts.accepted(f"bean-check accepts the books of {file.stem}")


def _against_the_tables(database: Database, held: Counter[str]) -> Iterator[Check]:
    with database.snapshot() as conn:
        balances = conn.execute("select id::text, balance_cents from providers").fetchall()
        papers, tax_cents = conn.execute(TAX_DUE).fetchall()[0]
    wrong = [
        provider_id
        for provider_id, cents in balances
        if (held[f"Liabilities:Wallets:P{provider_id}"], held[f"Assets:Receivables:P{provider_id}"])
        != (-max(cents, 0), max(-cents, 0))
    ]
    yield Check("wallets and receivables of the books are the balances", len(balances), wrong)
    booked = held[TAX], held[TAX_EXPENSE]
    told = [] if booked == (-tax_cents, tax_cents) else [f"{booked} of {tax_cents}"]
    yield Check("tax of the books is that of receipts, less that of credit notes", papers, told)


class _Parts:
    """Books as they are read: what each account holds, and files of some size for bean-check.

    Each file begins with what stood before it, and ends with what must stand after it, as this program adds it up.
    """

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self._folder, self._pool = folder, pool
        self.held: Counter[str] = Counter()
        self.unbalanced: list[str] = []
        self.transactions = 0
        self._title, self._sum_cents = "", 0
        self._opened: list[str] = []
        self._last_day = date.min
        self._lines: list[str] = []
        self._bytes = 0
        self._told: list[Future[str]] = []

    def read(self, lines: Iterator[str]) -> None:
        """The whole of the books."""
        for line in lines:
            if not line.startswith("  "):
                self._end_transaction()
                if " open " in line or line.startswith("option"):
                    self._opened.append(line)
                if ' * "' in line:
                    if self._bytes >= PART_BYTES:
                        self._end_part()
                    self._title = line.strip()
                    self.transactions += 1
                    self._last_day = max(self._last_day, date.fromisoformat(line[:10]))
            elif line[2].isupper():
                account, amount, _ = line.split()
                cents = int(amount.replace(".", ""))
                self.held[account] += cents
                self._sum_cents += cents
            self._lines.append(line)
            self._bytes += len(line)
        self._end_transaction()
        self._check("".join(self._lines))

    def accepted(self, name: str) -> Check:
        """What bean-check said of all parts, once it has read them."""
        if not BEAN_CHECK.exists():
            return Check(name, 0, [], skipped="beancount is not installed")
        told = [each.result() for each in self._told]
        return Check(f"{name}, in {len(told)} parts", self.transactions, [each for each in told if each])

    def _end_transaction(self) -> None:
        if self._sum_cents:
            self.unbalanced.append(self._title)
        self._sum_cents = 0

    def _end_part(self) -> None:
        holding = {account: cents for account, cents in self.held.items() if cents}
        day = self._last_day + timedelta(days=1)
        must_hold = [f"{day} balance {account}  {_text(cents)} EUR\n" for account, cents in holding.items()]
        self._check("".join([*self._lines, "\n", *must_hold]))
        first_day = next(line for line in self._opened if " open " in line)[:10]
        before = [f"  {account}  {_text(cents)} EUR\n" for account, cents in holding.items()]
        self._lines = [*self._opened, "\n", f'{first_day} * "earlier"\n', *before, "\n"]
        self._bytes = 0

    def _check(self, text: str) -> None:
        part = self._folder / f"{len(self._told)}.beancount"
        part.write_text(text, encoding="utf-8")
        if BEAN_CHECK.exists():
            self._told.append(self._pool.submit(_bean_check, part))


def _bean_check(part: Path) -> str:
    ran = subprocess.run([BEAN_CHECK, part], capture_output=True, text=True, check=False)
    part.unlink()
    return f"status {ran.returncode}: {(ran.stdout + ran.stderr)[:200]}" if ran.returncode else ""


def _text(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
