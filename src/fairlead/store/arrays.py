"""Arrays as PostgreSQL reads them."""

from collections.abc import Iterable


def array_text(values: Iterable[object]) -> str:
    """An array of values that never need quotes: ids, integers, plain words. To be cast where it is used.

    The driver looks at every element of a list to see whether it needs quotes, and a batch of decisions has thousands.

    >>> array_text([1, 2]), array_text([])
    ('{1,2}', '{}')
    """
    return "{" + ",".join(map(str, values)) + "}"


def array_text_or_null(values: Iterable[str | None]) -> str:
    """An array of texts that never need quotes, null where there is None. To be cast where it is used.

    >>> array_text_or_null(["a:1;b:2", None])
    '{a:1;b:2,null}'
    """
    return "{" + ",".join(["null" if each is None else each for each in values]) + "}"


def quoted_array_text(values: Iterable[str | None]) -> str:
    """An array of any texts, null where there is None. To be cast where it is used.

    >>> print(quoted_array_text(["plain", None, 'say "a\\\\b"']))
    {"plain",null,"say \\"a\\\\b\\""}
    """
    texts = list(values)
    whole = "".join([each for each in texts if each is not None])
    if "\\" in whole or '"' in whole:  # of a thousand ids and plain words, none
        texts = [None if each is None else each.replace("\\", "\\\\").replace('"', '\\"') for each in texts]
    return "{" + ",".join(["null" if each is None else f'"{each}"' for each in texts]) + "}"
