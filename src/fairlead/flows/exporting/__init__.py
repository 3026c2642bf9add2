"""What leaves as a file: journal, assignments, ledger, audit."""
