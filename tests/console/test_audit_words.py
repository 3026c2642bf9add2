"""Whatever is audited has words in the audit log's page."""

import ast
import re
from pathlib import Path

from fairlead.console.operator.audit_words import ACTIONS, ENTITIES, action_words, actor_words, entity_words
from fairlead.console.texts import writing_in
from fairlead.store.connection import Database
from tests.chaos.whole_market import play
from tests.flows.sales import query

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"
NAMED = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
ARGUMENTS = {"action": 1, "entity": 2}


def _audited(argument: str) -> set[str]:
    """What the source says of the events that it audits, where it says it at once."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AuditEvent":
                given = node.args[ARGUMENTS[argument]]
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    found.add(given.value)
    return found


def test_every_action_has_words() -> None:
    actions = _audited("action")
    assert len(actions) > 60
    assert {each for each in actions if each not in ACTIONS} == set()


def test_every_kind_of_thing_has_words() -> None:
    entities = _audited("entity")
    assert len(entities) > 15
    assert {each for each in entities if each not in ENTITIES} == set()


def test_what_was_audited_where_everything_happened_has_words(database: Database) -> None:
    """Also what the source puts together, as the answers to a lead."""
    play(database)
    actions = query(database, "select distinct action from audit_events")
    entities = query(database, "select distinct entity from audit_events")
    assert {"assignment.rejected", "subscription.paused", "distribution.completed"} <= {each for (each,) in actions}
    assert {each for (each,) in actions if each not in ACTIONS} == set()
    assert {each for (each,) in entities if each not in ENTITIES} == set()


def test_every_action_with_words_is_one_that_the_source_names() -> None:
    """So that one which is renamed takes its words along. Some are put together: `conflict_group.renamed`."""
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if path.name != "audit_words.py")
    named = {*NAMED.findall(text)}
    verbs = ("conflict_group.", "webhook_endpoint.", "assignment.")
    assert [each for each in ACTIONS if each not in named and not each.startswith(verbs)] == []


def test_words_are_in_the_language_of_the_page() -> None:
    with writing_in("de"):
        assert action_words("lead.approved") == "Lead freigegeben"
        assert entity_words("niche") == "Nische"
        assert actor_words("key:abcdefgh1234", {}) == "API-Schlüssel efgh1234"
    assert action_words("not.known") == "not.known"
    assert actor_words("user:1", {"user:1": "Ann"}) == "Ann"
