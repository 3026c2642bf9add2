"""Every gate of the registry has its sentences in each language, its scenario, and its seeded bug."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from fairlead.core import gates
from tests.core.toy_gates import with_toy_gates
from tests.scenarios.story import load, names
from tests.seeded_bugs.bank import BANK
from tests.seeded_bugs.bugs_of_gates import BUG_OF_GATE

LOCALE = Path(__file__).parents[2] / "src" / "fairlead" / "console" / "locale"


def without_scenario() -> set[str]:
    """The gates that no scenario names and tells the sentence of, for the same subscription at the same lead."""
    shown = set[str]()
    for name in names():
        for step in load(name).step:
            said = {(level, provider) for level, provider, _ in step.says}
            shown |= {reason for level, provider, reason in step.why if (level, provider) in said}
    return {refusal.reason for refusal in gates.REGISTRY.refusals} - shown


def without_bug() -> set[str]:
    """The gates of which the bank has no mistake that opens them."""
    made = {bug.name for bug in BANK}
    return {each.reason for each in gates.REGISTRY.refusals if BUG_OF_GATE.get(each.reason) not in made}


def without_german() -> set[str]:
    """The gates with a sentence that has no German one."""
    german = read_po(io.BytesIO((LOCALE / "de.po").read_bytes()), locale="de", abort_invalid=True)
    translated = {str(entry.id) for entry in german if entry.string and "fuzzy" not in entry.flags}
    return {each.reason for each in gates.REGISTRY.refusals if not {*each.sentences.values()} <= translated}


def without_sentence() -> set[str]:
    """The gates with no sentence, or one that stands for another reason."""
    return {
        each.reason
        for each in gates.REGISTRY.refusals
        if not each.sentences or any(key.partition(".")[0] != each.reason for key in each.sentences)
    }


LISTS = [without_scenario, without_bug, without_german, without_sentence]


@pytest.mark.parametrize("lists", LISTS)
def test_every_gate_has_it(lists: Callable[[], set[str]]) -> None:
    assert lists() == set()


@pytest.mark.parametrize("lists", LISTS[:-1])
def test_a_gate_without_it_is_listed(lists: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "REGISTRY", with_toy_gates(gates.REGISTRY))
    assert lists() == {"odd_day", "nameless"}


def test_the_list_of_seeded_bugs_names_gates_only() -> None:
    assert [*BUG_OF_GATE] == [refusal.reason for refusal in gates.REGISTRY.refusals]
