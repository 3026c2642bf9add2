"""A marketplace file says how much may be paid in at once."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.marketplace import read_marketplace
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare


def test_a_file_says_the_smallest_and_the_largest_deposit(database: Database) -> None:
    declare(database, "[marketplace]\nmin_deposit_cents = 1000\nmax_deposit_cents = 5000\n")
    found = read_marketplace(database)
    assert (found.min_deposit_cents, found.max_deposit_cents) == (1000, 5000)
    again = declare(database, "[marketplace]\nmin_deposit_cents = 1000\n")
    assert again.changes == ()
    tried = declare(database, "[marketplace]\nmax_deposit_cents = 9000\n", dry_run=True)
    assert [change.name for change in tried.changes] == ["deposits"]
    with pytest.raises(BadInput, match=r"marketplace\.max_deposit_cents: must be at least"):
        declare(database, "[marketplace]\nmax_deposit_cents = 999\n")
    assert read_marketplace(database) == found
