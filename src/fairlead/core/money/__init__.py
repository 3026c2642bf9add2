"""Money beside the ledger: payments and their outcomes, papers, books, top-ups, and the rules of reports."""
