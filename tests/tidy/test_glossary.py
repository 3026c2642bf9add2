"""The glossary has the noun of every table, and each of its words once."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
BASELINE = ROOT / "src" / "fairlead" / "store" / "migrations" / "baseline"
NOUN_OF = {
    "fingerprint_progress": "fingerprint",
    "lead_consents": "consent",
    "lead_fingerprints": "fingerprint",
    "lead_intakes": "intake",
    "ledger_entries": "ledger entry",
    "live_entries": "live entry",
    "niche_journal": "journal",
}
"""Tables whose noun is not their own name in the singular."""


def words_of(text: str) -> list[str]:
    """What the glossary explains: the first cell of each row, several words of one row by commas."""
    rows = [row for row in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) if row != "word"]
    return [word.strip().lower().replace("-", " ") for row in rows for word in row.split(",")]


def noun_of(table: str) -> str:
    """The word that the glossary is to have for a table."""
    return NOUN_OF.get(table, table.replace("_", " ").removesuffix("s"))


def tables() -> list[str]:
    """The tables of the schema, as the baseline makes them."""
    made = re.compile(r"^create (?:unlogged )?table (\w+)", re.MULTILINE)
    return [name for path in sorted(BASELINE.glob("*.sql")) for name in made.findall(path.read_text(encoding="utf-8"))]


def test_the_noun_of_every_table_is_explained() -> None:
    explained = words_of(GLOSSARY.read_text(encoding="utf-8"))
    assert len(tables()) > 30, "the baseline was read"
    assert [table for table in tables() if noun_of(table) not in explained] == []


def test_no_word_is_explained_twice() -> None:
    words = words_of(GLOSSARY.read_text(encoding="utf-8"))
    assert sorted({word for word in words if words.count(word) > 1}) == []
