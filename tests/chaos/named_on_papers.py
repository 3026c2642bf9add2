"""Papers of a marketplace in which everything happened."""

from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.configuration.marketplace import PapersChange, change_marketplace
from fairlead.flows.configuration.versions import UNCHANGED
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.sales import MEMO, query


def name_on_papers(database: Database, cleat: str) -> None:
    """Papers name the marketplace and a provider, a deposit has its tax, and one receipt is taken back."""
    papers = PapersChange("Harbour GmbH", "Kai 1", "DE", "DE1", 1_900)
    change_marketplace(database, UNCHANGED, OPERATOR, papers=papers)
    details = WantedDetails("Cleat SL", "Muelle 2", "ES", "ES1", "books@cleat.example.com")
    change_billing_details(database, cleat, details, OPERATOR)
    deposit(database, cleat, 1190, "manual", "taxed-cleat", OPERATOR)
    [(number,)] = query(database, "select max(number) from receipts")
    issue_credit_note(database, number, MEMO, OPERATOR)
