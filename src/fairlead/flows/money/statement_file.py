"""A statement as a CSV file: always the same bytes of the same entries."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, groupby
from typing import NamedTuple, Protocol

from fairlead.core.canonical import timestamp_text
from fairlead.flows.money.months import month_name
from fairlead.store.money.statements import StatementLineRow, StatementRow

COLUMNS = (
    "seq", "created_at", "kind", "niche", "assignment_id", "payment_id", "amount_cents", "balance_after_cents",
    "currency",
)  # fmt: skip


class Digest(Protocol):
    """A hash that is being computed."""

    def update(self, content: bytes, /) -> None:
        """It covers this, too."""
        ...


class StatementEntry(NamedTuple):
    """A ledger entry, as a statement has it."""

    seq: int
    kind: str
    amount_cents: int
    balance_after_cents: int
    created_at: datetime
    niche: str | None
    assignment_id: str | None
    payment_id: str | None


@dataclass(slots=True)
class StatementFile:
    """A statement's CSV while it is written: what there was, every entry, what there is, and what that comes to.

    Always the same bytes of the same entries; with `keep` they are kept.
    """

    provider_id: str
    month: date
    first_seq: int
    last_seq: int
    opening_cents: int
    currency: str
    keep: bool
    closing_cents: int = 0
    totals: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    entries: list[StatementEntry] = field(default_factory=list[StatementEntry])
    content: bytes = b""
    sha256: bytes = b""

    def write(self, lines: Iterable[StatementLineRow]) -> None:
        """The file is whole: it has these entries. A ledger that does not add up gives the file that it gives."""
        output, digest = io.StringIO(newline=""), hashlib.sha256()
        writer = csv.writer(output, lineterminator="\r\n")
        month, currency = month_name(self.month), self.currency
        self.closing_cents = self.opening_cents
        writer.writerow(COLUMNS)
        writer.writerow(["", month, "opening", "", "", "", "", self.opening_cents, currency])
        for line in lines:
            if line.seq is not None:
                entry = _entry(line)
                writer.writerow(_cells(entry, currency))
                self._count(entry)
            if output.tell() > 1_000_000:
                self._flush(output, digest)
        writer.writerow(["", month, "closing", "", "", "", "", self.closing_cents, currency])
        self._flush(output, digest)
        self.sha256 = digest.digest()

    def _count(self, entry: StatementEntry) -> None:
        total = self.totals.setdefault(entry.kind, [0, 0])
        total[0] += 1
        total[1] += entry.amount_cents
        self.closing_cents = entry.balance_after_cents
        if self.keep:
            self.entries.append(entry)

    def _flush(self, output: io.StringIO, digest: "Digest") -> None:
        written = output.getvalue().encode()
        digest.update(written)
        if self.keep:
            self.content += written
        output.seek(0)
        output.truncate()

    def row(self) -> StatementRow:
        """What is put on record of it."""
        return StatementRow(
            self.provider_id,
            self.month,
            self.first_seq,
            self.last_seq,
            self.opening_cents,
            self.closing_cents,
            self.totals,
            self.sha256,
        )


def statement_files(lines: Iterable[StatementLineRow], currency: str, *, keep: bool = False) -> Iterator[StatementFile]:
    """The statements that these lines are of, in their order. Lines of one statement follow one another."""
    for (provider_id, month), own in groupby(lines, key=lambda line: (line.provider_id, line.month)):
        first = next(own)
        file = StatementFile(
            provider_id, month, first.first_seq, first.last_seq, first.balance_before_cents, currency, keep
        )
        file.write(chain([first], own))  # noqa: B031  # all of it, before the next group is asked for
        yield file


def _cells(entry: StatementEntry, currency: str) -> Sequence[object]:
    return (
        entry.seq,
        timestamp_text(entry.created_at),
        entry.kind,
        entry.niche or "",
        entry.assignment_id or "",
        entry.payment_id or "",
        entry.amount_cents,
        entry.balance_after_cents,
        currency,
    )


def _entry(line: StatementLineRow) -> StatementEntry:
    assert line.seq is not None, "it is an entry"
    assert line.kind is not None
    assert line.created_at is not None
    assert line.amount_cents is not None
    assert line.balance_after_cents is not None
    return StatementEntry(
        line.seq,
        line.kind,
        line.amount_cents,
        line.balance_after_cents,
        line.created_at,
        line.niche,
        line.assignment_id,
        line.payment_id,
    )
