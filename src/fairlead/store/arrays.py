"""Arrays as PostgreSQL reads them."""

from collections.abc import Iterable


def array_text(values: Iterable[object]) -> str:
    """An array of values that never need quotes: ids, integers, plain words. To be cast where it is used.

    The driver looks at every element of a list to see whether it needs quotes, and a batch of decisions has thousands.

    >>> array_text([1, 2]), array_text([])
    ('{1,2}', '{}')
    """
    return "{" + ",".join(map(str, values)) + "}"
