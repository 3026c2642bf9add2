"""The glossary has the noun of every table, public schema and setting, and each of its words once."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairlead.settings import Settings

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
BASELINE = ROOT / "src" / "fairlead" / "store" / "migrations" / "baseline"
NOUN_OF = {
    "billing_details": "billing details",
    "payment_doubts": "payment in doubt",
    "sandbox_charges": "test gateway",
    "entitlement_progress": "entitlement",
    "fingerprint_progress": "fingerprint",
    "lead_consents": "consent",
    "lead_fingerprints": "fingerprint",
    "lead_intakes": "intake",
    "lead_name_words": "name word",
    "lead_views": "view",
    "ledger_entries": "ledger entry",
    "live_entries": "live entry",
    "niche_journal": "journal",
    "retention_policies": "retention policy",
    "marketplace_logo": "logo",
    "setup_checklist": "set up checklist",
    "setup_link": "set up link",
}
"""Tables whose noun is not their own name in the singular."""

PLAIN_ENGLISH = frozenset(
    """
    accepted action activity actor added adjusted adjustment after age allow allowance analytic answer approved
    archive at batch bin by ca card category change changed checkout choice chosen close confirmation confirmed
    cookie count created credit data database date day deactivated decided delay detail dir direct directory
    document doubt earlier email ended entered entry erase erased event explained explanation factor failure field
    figure file first forgotten format from full given history holiday host http idle in installation invalid
    invitation invited item json kept kind language ledger link list live loaded lock log login long mail mark max
    megabyte member message missed money month movement ms name new newest next note notice now of off offer order
    origin outside over overview own page part password patch pause pending per person place pool port postgres
    preference preview previewed price private profile public queued record recorded registration rejected rejection
    renewed replayed report request resolution resolved restoration result retried retry revenue row rule saved
    schema search second secret security set setting setup shutdown size smtp span state step stripe summary taken
    test timeline timeout to total transaction transport trial tried type unviewed url use username value variable
    web weekly word worth
    """.split()
)
"""Words of public names that were reviewed and mean what a dictionary, or the field at large, has them mean."""


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


def singular(word: str) -> str:
    """The word as the glossary would have it: in the singular, in small letters."""
    word = word.lower()
    if word.endswith("ies"):
        return word.removesuffix("ies") + "y"
    return word if word.endswith("ss") or word in ("ms", "postgres") else word.removesuffix("s")


def names_of_interfaces() -> Iterator[tuple[str, list[str]]]:
    """The schemas that the API's document has and the settings, each with the words that it is put together from."""
    document = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
    for name in document["components"]["schemas"]:
        yield name, re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
    for name in Settings.model_fields:
        yield name, name.split("_")


def left_over(words: Sequence[str], explained: Sequence[str]) -> list[str]:
    """The words that stand in no term of the glossary: the longest term that begins at a word is taken first."""
    rest, found = [singular(word) for word in words], list[str]()
    terms = {" ".join(singular(word) for word in term.split()) for term in explained}
    while rest:
        length = next((size for size in range(len(rest), 0, -1) if " ".join(rest[:size]) in terms), 0)
        found += [] if length else rest[:1]
        rest = rest[max(length, 1) :]
    return found


def test_the_words_of_schemas_and_settings_are_explained_or_plain() -> None:
    explained = words_of(GLOSSARY.read_text(encoding="utf-8"))
    found = {name: left_over(words, explained) for name, words in names_of_interfaces()}
    assert len(found) > 200, "schemas and settings were read"
    odd = {name: words for name, words in found.items() if not {*words} <= PLAIN_ENGLISH}
    assert odd == {}
    unused = PLAIN_ENGLISH - {word for words in found.values() for word in words}
    assert unused == set(), "every reviewed word is used"


def test_a_word_that_is_neither_explained_nor_plain_is_noticed() -> None:
    explained = ["dead letter", "lead", "credit limit"]
    assert left_over(["Dead", "Letter", "Burial"], explained) == ["burial"]
    assert left_over(["dead", "leads", "credit"], explained) == ["dead", "credit"]


def test_no_word_is_explained_twice() -> None:
    words = words_of(GLOSSARY.read_text(encoding="utf-8"))
    assert sorted({word for word in words if words.count(word) > 1}) == []
