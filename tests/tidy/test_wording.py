"""Pages, source and tests name who acts: a provider, an operator, a worker, a client. Nobody and whoever do not."""

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
IN_NAMES = re.compile(
    r"(?<![a-z])(?:(?:any|every|no|some)body|whom?ever|(?:any|every|some)one)s?(?![a-z])|_whatever|whatever_",
    re.IGNORECASE,
)
"""What tests do not say, nor their names, where underscores join the words. Prose may say whatever: no matter what."""
AN_ADDRESS = re.compile(r"\bnobody@example\.[a-z]+")
SAID_IN_TESTS = {
    "tests/api/admin/test_forms.py": ("nobody asks",),  # a memo
    "tests/api/admin/test_providers.py": ('"Nobody"',),
    "tests/api/admin/test_templates.py": ("{{ nobody }}",),
    "tests/api/test_accounts.py": ('"Somebody else"',),
    "tests/api/test_concurrency_limits.py": ('"Somebody"',),
    "tests/api/test_health.py": ("//nobody:",),
    "tests/api/test_intake.py": ('"nobody"',),
    "tests/cli/test_admin.py": ('"nobody"',),
    "tests/cli/test_database.py": ("//nobody:",),
    "tests/cli/test_notifications.py": ('"nobody"', "'nobody'"),
    "tests/cli/test_templates.py": ("{{ nobody }}",),
    "tests/console/test_overview.py": ("waiting for someone to act",),  # a text of the pages
    "tests/delivery/test_smtp.py": ('"nobody"',),
    "tests/flows/access/test_registration.py": ('"Somebody else"', '"Somebody"', '"nobody"'),
    "tests/flows/configuration/test_providers.py": ('"nobody"',),
    "tests/flows/declaring/test_apply_mistakes.py": ('"nobody"',),
    "tests/flows/intake/test_duplicates.py": ('"Somebody else"',),
    "tests/flows/notifications/test_templates.py": ("{{ nobody }}",),
    "tests/store/audit/test_pages.py": ('"nobody"',),
    "tests/store/embedded/test_account.py": ('"nobody"', "NOBODY", "_as_nobody"),  # the system's account of this name
    "tests/store/pooler.py": ('"nobody"',),  # the same
    "tests/test_settings.py": ("~nobody-of-this-name",),
}
"""What users enter in these tests, and what the system calls its account."""


def pages() -> list[str]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths)
    return [name for name in names if not name.startswith(NOT_READ) and name != "CHANGELOG.md"]


def sources() -> list[str]:
    """What the source says: its messages, docstrings, comments, statements and templates."""
    paths = [path for path in (ROOT / "src").rglob("*") if path.suffix in SAYS_SOMETHING]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths if not path.name.startswith("swagger-ui"))


def files_of_tests() -> list[str]:
    """The tests, and what is run beside them: measurements and examples. This file has to say the words."""
    paths = [path for folder in ("tests", "bench", "examples") for path in (ROOT / folder).rglob("*")]
    texts = SAYS_SOMETHING | {".md", ".lua", ".sh"}
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths if path.suffix in texts)
    return [name for name in names if name != "tests/tidy/test_wording.py"]


def vague_words(text: str) -> list[str]:
    """What a text says of people whom it could name. The name of a test is no prose."""
    return VAGUE.findall(re.sub(r"`[^`]*::[^`]*`", "", text))


def vague_in_test(name: str, text: str) -> list[str]:
    """What a test, its own name and those in it say of people, beside what its users enter."""
    for said in SAID_IN_TESTS.get(name, ()):
        text = text.replace(said, "")
    return IN_NAMES.findall(f"{name}\n{AN_ADDRESS.sub('', text)}")


@pytest.mark.parametrize("name", pages())
def test_a_page_names_who_acts(name: str) -> None:
    found = vague_words((ROOT / name).read_text(encoding="utf-8"))
    assert len(found) <= ALLOWED.get(name, 0), found


def test_the_source_names_who_acts() -> None:
    found = {name: vague_words((ROOT / name).read_text(encoding="utf-8")) for name in sources()}
    assert len(found) > 300, "the whole source was read"
    assert {name: words for name, words in found.items() if len(words) > ALLOWED.get(name, 0)} == {}


def test_the_tests_name_who_acts() -> None:
    found = {name: vague_in_test(name, (ROOT / name).read_text(encoding="utf-8")) for name in files_of_tests()}
    assert len(found) > 600, "all of the tests were read"
    assert {name: words for name, words in found.items() if words} == {}


def test_what_tests_may_say_is_still_said() -> None:
    said = {name: (ROOT / name).read_text(encoding="utf-8") for name in SAID_IN_TESTS}
    assert [(name, text) for name, texts in SAID_IN_TESTS.items() for text in texts if text not in said[name]] == []


@pytest.mark.parametrize("text", ["def test_nobody_waits()", "test_nobodys_data", "NOBODY = 1", "as_whatever_follows"])
def test_a_name_that_names_no_actor_is_noticed(text: str) -> None:
    assert len(vague_in_test("tests/test_x.py", text)) == 1


def test_what_users_enter_is_not_the_tests_word() -> None:
    assert vague_in_test("tests/test_settings.py", "~nobody-of-this-name and nobody@example.com") == []
    assert vague_in_test("tests/scenarios/nobody-pays.toml", "") == ["nobody"]
    assert vague_in_test("tests/test_x.py", "Whatever the order, somebodysuffix and novelty") == []


@pytest.mark.parametrize("text", ["Nobody gains.", "For whoever reads it", "somebody else's", "| anybody |"])
def test_a_word_that_names_no_actor_is_noticed(text: str) -> None:
    assert len(vague_words(text)) == 1


def test_the_name_of_a_test_is_not_prose() -> None:
    assert vague_words("see `api/test_x.py::test_nobody_waits`") == []
