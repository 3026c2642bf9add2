"""Changing a marketplace while it runs: one verb per change, by the rules of the marketplace file.

Every verb is one transaction, audited, and told in the journals of the niches that it concerns. Asked for again, it
changes nothing. With `expected_version` it is refused when the same thing was changed meanwhile.
"""
