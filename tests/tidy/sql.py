"""Rule of the house: SQL is spoken in store and in no other room."""

import ast
import re

# SQL is written all in capitals or all in small letters; the sentence "Select a lead from ..." is neither.
_STATEMENT = re.compile(
    r"""\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:
    SELECT\s | INSERT\s+INTO\s | UPDATE\s+\S+\s+SET\s | DELETE\s+FROM\s | WITH\s+\w+\s+AS\s | MERGE\s+INTO\s
  | (?:CREATE|ALTER|DROP)\s+(?:UNIQUE\s+)?
    (?:TABLE|INDEX|VIEW|SCHEMA|TYPE|FUNCTION|TRIGGER|SEQUENCE|ROLE|DATABASE)\b
  | TRUNCATE\s | COPY\s+\S+ | LOCK\s+TABLE\s
  | SET\s+(?:LOCAL\s+|SESSION\s+)?\w+\s*(?:=|TO\b) | NOTIFY\s | LISTEN\s
  | SAVEPOINT\s | ROLLBACK\b | COMMIT\b | VALUES\s*\(
  | select\s.+?\sfrom\s+\w | insert\s+into\s | update\s+\S+\s+set\s+\S+\s*= | delete\s+from\s+\w
  | with\s+\w+\s+as\s*\(
  | (?:create|alter|drop)\s+(?:table|index|view|schema)\s
    )""",
    re.VERBOSE | re.DOTALL,
)


def sql_strings(source: str) -> list[str]:
    """Each string that is a statement as "line N: its beginning"; docstrings are prose and do not count."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            text = node.value
        else:
            continue
        if _STATEMENT.match(text):
            found.append((node.lineno, " ".join(text.split())[:60]))
    return [f"line {line}: {text}" for line, text in sorted(set(found))]
