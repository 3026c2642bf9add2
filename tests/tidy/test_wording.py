"""Pages and the source name who acts: a provider, an operator, a worker, a client. Nobody and whoever leave it open."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VAGUE = re.compile(r"\b(?:any|every|no|some)body\b|\bwho(?:m)?ever\b", re.IGNORECASE)
NOT_READ = ("docs/adr/", "docs/reference/problems.md")
"""Decisions are left as they were written; the other is made from what the API says."""
SAYS_SOMETHING = {".py", ".sql", ".toml", ".html", ".txt", ".js"}
ALLOWED = {
    "docs/guide/database.md": 2,  # the system's account of this name
    "README.md": 2,
    "src/fairlead/store/embedded/account.py": 3,  # the same account
}
"""How often each page or file may say such a word."""


def pages() -> list[str]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths)
    return [name for name in names if not name.startswith(NOT_READ) and name != "CHANGELOG.md"]


def sources() -> list[str]:
    """What the source says: its messages, docstrings, comments, statements and templates."""
    paths = [path for path in (ROOT / "src").rglob("*") if path.suffix in SAYS_SOMETHING]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths if not path.name.startswith("swagger-ui"))


def vague_words(text: str) -> list[str]:
    """What a text says of people whom it could name. The name of a test is no prose."""
    return VAGUE.findall(re.sub(r"`[^`]*::[^`]*`", "", text))


@pytest.mark.parametrize("name", pages())
def test_a_page_names_who_acts(name: str) -> None:
    found = vague_words((ROOT / name).read_text(encoding="utf-8"))
    assert len(found) <= ALLOWED.get(name, 0), found


def test_the_source_names_who_acts() -> None:
    found = {name: vague_words((ROOT / name).read_text(encoding="utf-8")) for name in sources()}
    assert len(found) > 300, "the whole source was read"
    assert {name: words for name, words in found.items() if len(words) > ALLOWED.get(name, 0)} == {}


@pytest.mark.parametrize("text", ["Nobody gains.", "For whoever reads it", "somebody else's", "| anybody |"])
def test_a_word_that_names_no_actor_is_noticed(text: str) -> None:
    assert len(vague_words(text)) == 1


def test_the_name_of_a_test_is_not_prose() -> None:
    assert vague_words("see `api/test_x.py::test_nobody_waits`") == []
