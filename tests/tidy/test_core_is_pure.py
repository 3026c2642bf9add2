"""Core decides from its arguments alone (R11)."""

from pathlib import Path

import pytest

from tests.tidy.purity import purity_violations

CORE = Path(__file__).parents[2] / "src" / "fairlead" / "core"
MODULES = sorted(CORE.rglob("*.py"))


def test_there_is_a_core_to_look_at() -> None:
    assert len(MODULES) > 1


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_module_is_pure(module: Path) -> None:
    assert purity_violations(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("snippet", "breach"),
    [
        ("import time", "imports time"),
        ("import os.path", "imports os.path"),
        ("from random import choice", "imports random"),
        ("from pathlib import Path", "imports pathlib"),
        ("import logging", "imports logging"),
        ("import psycopg", "imports psycopg"),
        ("from uuid import uuid4", "names uuid4"),
        ("import uuid\nkey = uuid.uuid1()", "names uuid1"),
        ("from datetime import datetime\nat = datetime.now()", "names now"),
        ("from datetime import date\nat = date.today()", "names today"),
        ("def f(d):\n    return d.utcnow()", "names utcnow"),
        ("def f(at):\n    return at.astimezone()", "time zone"),
        ("def f(d, s):\n    return d.fromtimestamp(s)", "time zone"),
        ("import numpy\ndice = numpy.random.default_rng()", "names random"),
        ("open('x')", "calls open()"),
        ("print(1)", "calls print()"),
        ("key = hash('x')", "calls hash()"),
        ("for x in {1, 2}: pass", "iterates a set"),
        ("y = [x for x in set('ab')]", "iterates a set"),
        ("y = list({x for x in 'ab'})", "iterates a set"),
        ("y = ','.join(frozenset('ab'))", "iterates a set"),
        ("y = (*{1, 2},)", "iterates a set"),
        ("a, b = {1, 2}", "iterates a set"),
        ("seen = set()\nfor x in seen: pass", "iterates a set"),
        ("def f(ids: frozenset[int]):\n    return tuple(ids)", "iterates a set"),
        ("def f(ids: set[int] | None):\n    return ids.pop()", "iterates a set"),
        ("def f(a: set[int], b):\n    return [x for x in a - b]", "iterates a set"),
        (
            "class A:\n    ids: frozenset[int]\n    def f(self):\n        return list(self.ids)",
            "iterates a set",
        ),
        ("def g() -> set[int]: ...\nfor x in g(): pass", "iterates a set"),
        ("y = [x for x in {1}.union({2})]", "iterates a set"),
    ],
)
def test_impure_snippet_is_found(snippet: str, breach: str) -> None:
    assert any(breach in found for found in purity_violations(snippet)), purity_violations(snippet)


def test_pure_code_passes() -> None:
    assert (
        purity_violations(
            "from datetime import UTC, datetime\n"
            "from uuid import UUID\n"
            "def f(ids: frozenset[int], items: list[int], at: datetime) -> bool:\n"
            "    for x in sorted(ids): pass\n"
            "    items.pop()\n"
            "    return at.astimezone(UTC) is at and 3 in ids and len(ids) == len({i for i in items})\n"
        )
        == []
    )
