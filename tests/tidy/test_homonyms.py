"""One word for one thing: no two public classes of the source have one name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"
SHOWN_BY_THE_API = {
    "DeliveryAttempt",
    "EarlierLead",
    "ErasedLead",
    "ErasedPerson",
    "ErasedRequest",
    "ErasureNotice",
    "ErasurePreview",
    "LeadErasures",
    "LeadToErase",
    "NextErasures",
    "Enrolment",
    "FilterPreview",
    "InboxEvent",
    "LeadAssignment",
    "LeadEvent",
    "LeadInFull",
    "LeadMessage",
    "LeadOrigin",
    "MarketplaceOverview",
    "NicheOverview",
    "NoteAdded",
    "OwnProfile",
    "OwnUser",
    "PaymentDoubt",
    "PaymentItem",
    "PendingLead",
    "ProviderStatement",
    "QueueState",
    "RefusedDeadLetter",
    "RetriedDeadLetters",
    "SourceWorth",
    "Statement",
    "SubscriptionChanged",
}
"""Values of flows and views, each with the response model that shows it: the same thing, on both sides of the wire."""


def classes_in(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Each public class that stands at the top of the module, with the module's name."""
    for each in ast.parse(text).body:
        if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
            yield each.name, name


def homonyms(modules: dict[str, str]) -> dict[str, list[str]]:
    """The names that several public classes have, and where these stand."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, text in modules.items():
        for class_name, module in classes_in(name, text):
            found[class_name].append(module)
    return {name: places for name, places in found.items() if len(places) > 1}


def test_no_two_public_classes_have_one_name() -> None:
    modules = {
        path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))
    }
    found = homonyms(modules)
    assert {name: places for name, places in found.items() if name not in SHOWN_BY_THE_API} == {}
    # Of those that were reviewed, each still is a value and its one response model.
    assert {name: sum(place.startswith("api/") for place in places) for name, places in found.items()} == dict.fromkeys(
        SHOWN_BY_THE_API, 1
    )
    assert {len(places) for places in found.values()} == {2}


def test_a_second_class_of_a_name_is_noticed() -> None:
    modules = {"a.py": "class Page: ...\nclass _Row: ...", "b.py": "class Page: ...\nclass _Row: ..."}
    assert homonyms(modules) == {"Page": ["a.py", "b.py"]}
