"""Every flow of the rooms below that writes is struck at each of its statements, or says why not.

Read are the functions of these rooms that open a transaction of their own to write in. What the files of crash points
import from flows is struck, and so is whatever that calls.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "src" / "fairlead" / "flows"
CRASHES = ROOT / "tests" / "chaos"
ROOMS = (
    "access",
    "configuration",
    "declaring",
    "erasure",
    "intake",
    "maintenance",
    "money",
    "notifications",
    "payments",
)
PACKAGE = "fairlead.flows"
Place = tuple[str, str]
"""A module of flows, and a function of it."""

UNSTRUCK = {
    "access.demo_seats._token_for": "of the demo, which begins anew when it dies; the verbs that it calls are struck",
    "configuration.logo.change_logo": "the one row of the marketplace's logo, which no market of a test has for itself",
    "configuration.marketplace.change_marketplace": "the one row of the marketplace, as above",
    "configuration.report_rules.change_report_rules": "the one row of the marketplace, as above",
    "declaring.export_marketplace.export_marketplace": "reads, and tells the audit log",
    "money.books.export_books": "reads, and tells the audit log",
}


@dataclass(frozen=True)
class Module:
    """A module's functions and classes, and which of flows its names stand for."""

    functions: dict[str, ast.FunctionDef | ast.ClassDef]
    names: dict[str, Place]


def read_module(name: str, source: str) -> Module:
    tree = ast.parse(source)
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    return Module(functions, {own: (name, own) for own in functions} | dict(imported(tree)))


def imported(tree: ast.Module) -> Iterator[tuple[str, Place]]:
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and each.module and each.module.startswith(PACKAGE):
            for alias in each.names:
                yield alias.asname or alias.name, (each.module, alias.name)


def writes(function: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it opens a transaction to write in: of a database, or with the locks of niches."""
    calls = [ast.unparse(each.func) for each in ast.walk(function) if isinstance(each, ast.Call)]
    return any(
        call == "with_niche_locks" or re.search(r"\b_?database\.run(_statement|_in_snapshot)?$", call) for call in calls
    )


def reached(modules: dict[str, Module], begin: set[Place]) -> set[Place]:
    """These functions, and all of flows that they call."""
    found, left = set[Place](), [*begin]
    while left:
        name, own = left.pop()
        function = modules[name].functions.get(own) if name in modules else None
        if function is None or (name, own) in found:
            continue
        found.add((name, own))
        used = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
        left += [modules[name].names[each] for each in used if each in modules[name].names]
    return found


def module_name(path: Path) -> str:
    return ".".join((PACKAGE, *path.relative_to(FLOWS).with_suffix("").parts))


def unstruck() -> set[str]:
    modules = {
        module_name(path): read_module(module_name(path), path.read_text("utf-8")) for path in FLOWS.rglob("*.py")
    }
    begin = {
        place
        for path in CRASHES.glob("test_*crash_points.py")
        for _, place in imported(ast.parse(path.read_text(encoding="utf-8")))
    }
    struck = reached(modules, begin)
    return {
        f"{name.removeprefix(PACKAGE + '.')}.{own}"
        for name, module in modules.items()
        if name.removeprefix(PACKAGE + ".").split(".")[0] in ROOMS
        for own, function in module.functions.items()
        if writes(function) and (name, own) not in struck
    }


def test_every_flow_is_struck_or_says_why_not() -> None:
    assert unstruck() == {*UNSTRUCK}


@pytest.mark.parametrize(
    ("body", "is_seen"),
    [
        ("return database.run(work)", True),
        ("return maintenance.database.run(lambda conn: work(conn))", True),
        ("return with_niche_locks(database, work)", True),
        ("return self._database.run_statement(work)", True),
        ("return database.run_in_snapshot(work)", True),
        ("return database.read(work)", False),
        ("return pool.run(work)", False),
    ],
)
def test_a_transaction_that_writes_is_seen(body: str, is_seen: bool) -> None:
    [function] = ast.parse(f"def flow():\n    {body}").body
    assert isinstance(function, ast.FunctionDef)
    assert writes(function) == is_seen


def test_what_a_struck_flow_calls_is_struck() -> None:
    one = read_module(f"{PACKAGE}.one", f"from {PACKAGE}.two import change\ndef act(): change()\ndef other(): pass")
    two = read_module(f"{PACKAGE}.two", "def change(): _write()\ndef _write(): pass")
    found = reached({f"{PACKAGE}.one": one, f"{PACKAGE}.two": two}, {(f"{PACKAGE}.one", "act")})
    assert {own for _, own in found} == {"act", "change", "_write"}
