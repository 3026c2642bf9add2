"""The bank: deliberate mistakes, one story each, and the tests that must notice."""

from tests.seeded_bugs.bugs_of_days import BUGS_OF_DAYS
from tests.seeded_bugs.bugs_of_entry import BUGS_OF_ENTRY
from tests.seeded_bugs.bugs_of_erasures import BUGS_OF_ERASURES
from tests.seeded_bugs.bugs_of_exports import BUGS_OF_EXPORTS
from tests.seeded_bugs.bugs_of_files import BUGS_OF_FILES
from tests.seeded_bugs.bugs_of_gates import BUGS_OF_GATES
from tests.seeded_bugs.bugs_of_jobs import BUGS_OF_JOBS
from tests.seeded_bugs.bugs_of_limits import BUGS_OF_LIMITS
from tests.seeded_bugs.bugs_of_papers import BUGS_OF_PAPERS
from tests.seeded_bugs.bugs_of_payments import BUGS_OF_PAYMENTS
from tests.seeded_bugs.bugs_of_prices import BUGS_OF_PRICES
from tests.seeded_bugs.bugs_of_returns import BUGS_OF_RETURNS
from tests.seeded_bugs.bugs_of_rules import BUGS_OF_RULES
from tests.seeded_bugs.bugs_of_shares import BUGS_OF_SHARES
from tests.seeded_bugs.bugs_of_snapshots import BUGS_OF_SNAPSHOTS
from tests.seeded_bugs.bugs_of_transactions import BUGS_OF_TRANSACTIONS
from tests.seeded_bugs.bugs_of_writers import BUGS_OF_WRITERS

BANK = (
    *BUGS_OF_RULES,
    *BUGS_OF_GATES,
    *BUGS_OF_DAYS,
    *BUGS_OF_TRANSACTIONS,
    *BUGS_OF_JOBS,
    *BUGS_OF_ENTRY,
    *BUGS_OF_WRITERS,
    *BUGS_OF_SNAPSHOTS,
    *BUGS_OF_EXPORTS,
    *BUGS_OF_FILES,
    *BUGS_OF_PAPERS,
    *BUGS_OF_PAYMENTS,
    *BUGS_OF_LIMITS,
    *BUGS_OF_PRICES,
    *BUGS_OF_ERASURES,
    *BUGS_OF_RETURNS,
    *BUGS_OF_SHARES,
)
