"""SQL files of ours, carried out one statement at a time."""

import re
from collections.abc import Iterator

import psycopg

_ENDS_STATEMENT = re.compile(r";\s*(--.*)?$")
_COMMENT = re.compile(r"\s*(--.*)?$")


def run_statements(conn: psycopg.Connection, text: str) -> None:
    """Every statement of the text is done, in the caller's transaction. Errors are PostgreSQL's."""
    for statement in statements(text):
        # Binary results come with the protocol of prepared statements, which refuses two commands in one text. What
        # distributes tables (Citus) would refuse them too.
        conn.execute(statement.encode(), binary=True)


def statements(text: str) -> Iterator[str]:
    """Yield each statement with the comments before it.

    A statement ends with a `;` at the end of a line, outside of a body in `$$`.

    >>> list(statements("-- Two.\\nselect 1;\\nselect 2; -- the second\\n"))
    ['-- Two.\\nselect 1;', 'select 2; -- the second']
    """
    lines: list[str] = []
    in_body = False
    for line in text.splitlines():
        lines.append(line)
        in_body ^= line.count("$$") % 2 == 1
        if not in_body and not _COMMENT.fullmatch(line) and _ENDS_STATEMENT.search(line):
            yield "\n".join(lines).strip()
            lines.clear()
    if any(not _COMMENT.fullmatch(line) for line in lines):
        yield "\n".join(lines).strip()
