"""The smallest and the largest deposit that a gateway collects."""

from fairlead.store.configuration.marketplace import MarketplaceRow


def bounds_problem(row: MarketplaceRow) -> str | None:
    """What is wrong with the marketplace's bounds, in one line that begins with the value; None if nothing."""
    smallest, largest = row.min_deposit_cents, row.max_deposit_cents
    if smallest is not None and largest is not None and smallest > largest:
        return f"max_deposit_cents: must be at least min_deposit_cents, which is {smallest}"
    return None
