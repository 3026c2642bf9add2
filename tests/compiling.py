"""Compiling each module of ours once for all processes of a run, instead of once in each of them.

They are started together and import the same modules in the same order, so that on a new checkout each process finds
nothing that another one has compiled, and rewriting the assertions of all the tests takes it longer than importing
them. So each compiles its share first, and mostly finds the others' when it imports them; what it does not find it
compiles itself.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).parents[1]


def modules() -> list[Path]:
    """The files of all modules that a run imports, in an order that is the same in every process."""
    return sorted(file for folder in ("src/fairlead", "tests") for file in (ROOT / folder).rglob("*.py"))


def compile_share(config: pytest.Config) -> None:
    """In a process of a run of several, its share of the modules is compiled, and lies where an import finds it."""
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode:
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    # What is wrong with a file is said by its import, as ever.
    for file in share_of(number, count, modules()):
        with suppress(OSError, SyntaxError, ValueError):
            compile_one(config, file)


def share_of(number: int, count: int, files: Sequence[Path]) -> list[Path]:
    """Those of this process.

    >>> [path.name for path in share_of(1, 2, [Path("a"), Path("b"), Path("c"), Path("d")])]
    ['b', 'd']
    """
    return [*files[number::count]]


def compile_one(config: pytest.Config, file: Path) -> None:
    """The module is compiled, with assertions rewritten if it holds tests, unless it was compiled before."""
    if not file.name.startswith("test_"):
        SourceFileLoader(file.stem, str(file)).get_code(file.stem)
        return
    folder = rewrite.get_cache_dir(file)
    kept = folder / (file.stem + rewrite.PYC_TAIL)
    if rewrite._read_pyc(file, kept) is None and rewrite.try_makedirs(folder):  # pyright: ignore[reportPrivateUsage]
        digest, code = rewrite._rewrite_test(file, config)  # pyright: ignore[reportPrivateUsage]
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, digest, kept)  # pyright: ignore[reportPrivateUsage]
