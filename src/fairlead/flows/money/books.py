"""The books of the marketplace as a file that beancount reads: of one month, or of all time."""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import BinaryIO

from fairlead.core.calendar.local_time import zone_named
from fairlead.core.money.books import (
    EARLIER,
    TAX,
    TAX_EXPENSE,
    Movement,
    balance,
    clearing_account,
    credit_note,
    opening,
    posting,
    receivable_account,
    transaction,
    wallet_account,
)
from fairlead.flows.money.months import Month, marketplace_zone, month_named
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.books import (
    BookedCreditNote,
    BookedEntry,
    EarlierSum,
    booked_credit_notes,
    booked_entries,
    earlier_sums,
    earlier_tax_taken_back,
    first_entry_at,
)
from fairlead.store.money.closed_months import MonthEnd, last_receipt_number, stretch_values


def export_books(database: Database, month_name: str | None, output: BinaryIO, actor: Actor) -> int:
    """The books of the month, or of all time up to now, are in `output`; returns how many ledger entries they have.

    Wallets, receivables (credit that is used), revenue by niche, clearing by gateway, the tax in deposits, and what was
    moved by hand. A month begins with what stood before it; each file ends with what every wallet and receivable must
    hold, taken from the ledgers' own balances. Of a month that is closed the bytes are always the same: it names no
    provider but by its id. Audited. Raises `BadInput` for what is no month.
    """
    with database.snapshot(is_long=True) as conn:
        month = None if month_name is None else month_named(conn, month_name)
        zone = marketplace_zone(conn) if month is None else month.zone
        told = {"month": "all" if month is None else month.name}
        event = AuditEvent(actor, "data.exported", "export", "books", new=told)
        database.run(lambda other: append_audit(other, [event], clock(other)))
        books = _Books(conn, zone, marketplace_currency(conn), month)
        with closing(books.lines()) as lines:
            for line in lines:
                output.write(line.encode() + b"\n")
    return books.entry_count


NO_NUMBER_IS_HIGHER = 2**63 - 1
BEGINNING = MonthEnd(None, None)
EVERYTHING = MonthEnd(None, datetime.max.replace(tzinfo=UTC))


class _Books:
    """Books on their way out, and what they have booked so far."""

    def __init__(self, conn: Connection, zone: str, currency: str, month: Month | None) -> None:
        self._conn, self._currency, self._month = conn, currency, month
        self._zone = zone_named(zone)
        self._zone_name = zone
        self._open: set[str] = set()
        self._balances: dict[str, int] = {}
        self.entry_count = 0

    def lines(self) -> Generator[str]:
        """The file, line by line or several at once."""
        month, currency = self._month, self._currency
        first_day = self._first_day() if month is None else month.first_day
        what = "of all time" if month is None else f"of {month.name}"
        if month is not None and not month.is_closed:
            what += ", which is not closed yet"
        yield f"; The books {what}, by the days of {self._zone_name}."
        yield 'option "title" "Fairlead"'
        yield f'option "operating_currency" "{currency}"'
        ends = stretch_values(BEGINNING, EVERYTHING) if month is None else stretch_values(month.begin, month.end)
        if month is not None:
            yield from self._earlier(earlier_sums(self._conn, ends), month, first_day)
        last_day = first_day
        for entry in booked_entries(self._conn, ends):
            movement = self._movement(entry)
            last_day = max(last_day, movement.day)
            yield from self._opened(first_day, self._accounts(movement))
            yield ""
            yield transaction(movement, currency)
            self._balances[entry.provider_id] = entry.balance_after_cents
            self.entry_count += 1
        notes = self._credit_notes()
        if not self.entry_count and not notes:
            yield ""
            yield f"; There is no entry {'yet' if month is None else 'in this month'}."
        for note in notes:
            day = self._day(note.issued_at)
            last_day = max(last_day, day)
            yield from self._opened(first_day, (TAX, TAX_EXPENSE))
            yield ""
            yield credit_note(day, note.number, note.corrects_number, note.tax_cents, currency)
        yield ""
        yield from self._closing(month.next_day if month is not None else last_day + timedelta(days=1))

    def _first_day(self) -> date:
        first_at = first_entry_at(self._conn) or clock(self._conn)
        return first_at.astimezone(self._zone).date().replace(day=1)

    def _movement(self, entry: BookedEntry) -> Movement:
        return Movement(
            entry.provider_id,
            entry.seq,
            entry.kind,
            entry.amount_cents,
            entry.balance_after_cents,
            self._day(entry.created_at),
            entry.niche,
            entry.gateway,
            entry.assignment_id,
            entry.payment_id,
            entry.receipt_number,
            entry.tax_cents,
        )

    def _credit_notes(self) -> list[BookedCreditNote]:
        if self._month is None:
            return booked_credit_notes(self._conn, 0, NO_NUMBER_IS_HIGHER)
        before, last = self._month.begin, self._month.end
        return booked_credit_notes(
            self._conn, last_receipt_number(self._conn, before), last_receipt_number(self._conn, last)
        )

    def _day(self, moment: datetime) -> date:
        day = moment.astimezone(self._zone).date()
        # An entry of a clock that was set back, or of a slow transaction, shows a day outside its month; and so does
        # a moment where clocks were put back over midnight.
        if self._month is None:
            return day
        return min(max(day, self._month.first_day), self._month.next_day - timedelta(days=1))

    def _accounts(self, movement: Movement) -> tuple[str, ...]:
        own = wallet_account(movement.provider_id), receivable_account(movement.provider_id)
        return (*own, movement.counter_account, *((TAX, TAX_EXPENSE) if movement.tax_cents else ()))

    def _opened(self, day: date, accounts: tuple[str, ...]) -> Iterator[str]:
        for account in accounts:
            if account not in self._open:
                self._open.add(account)
                yield opening(day, account, self._currency)

    def _earlier(self, sums: list[EarlierSum], month: Month, day: date) -> Iterator[str]:
        """What stood before the month, as one transaction; revenue of earlier months stays out of this one's."""
        taken_back = earlier_tax_taken_back(self._conn, last_receipt_number(self._conn, month.begin))
        wallets: dict[str, int] = {}
        receivables: dict[str, int] = {}
        clearing: dict[str, int] = {}
        for each in sums:
            wallets[each.provider_id] = wallets.get(each.provider_id, 0) + each.wallet_cents
            receivable = each.wallet_cents - each.amount_cents
            receivables[each.provider_id] = receivables.get(each.provider_id, 0) + receivable
            if each.gateway is not None:
                clearing[each.gateway] = clearing.get(each.gateway, 0) + each.amount_cents
        sides = [(wallet_account(key), -cents) for key, cents in sorted(wallets.items())]
        sides += [(receivable_account(key), cents) for key, cents in sorted(receivables.items())]
        sides += [(clearing_account(key), cents) for key, cents in sorted(clearing.items())]
        self._balances = {key: cents - receivables[key] for key, cents in wallets.items()}
        sides.append((TAX, taken_back - sum(each.tax_cents for each in sums)))
        sides.append((EARLIER, -sum(cents for _, cents in sides)))
        for account, _ in sides:
            self._open.add(account)
            yield opening(day, account, self._currency)
        if any(cents for _, cents in sides):
            yield ""
            yield f'{day.isoformat()} * "earlier"'
            yield from (posting(account, cents, self._currency) for account, cents in sides if cents)

    def _closing(self, day: date) -> Iterator[str]:
        for provider_id, cents in sorted(self._balances.items()):
            yield balance(day, wallet_account(provider_id), -max(cents, 0), self._currency)
            yield balance(day, receivable_account(provider_id), max(-cents, 0), self._currency)
