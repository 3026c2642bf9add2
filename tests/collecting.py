"""Collecting the tests in no more time than it needs: every process of a run collects them all.

In most files there is no example to be run as a doctest, which shows without importing them and looking at every object
in them. And what is made while collecting stays until the end of the run: to look through it for what is not used any
more, again and again, finds nothing, then or during the tests.
"""

import gc
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from _pytest.doctest import DoctestModule

from tests.compiling import compile_share


class LeanCollection:
    """A plugin; unlike the hooks of a conftest, those of a plugin are asked about files everywhere."""

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path
    ) -> Generator[None, Sequence[pytest.Collector], Sequence[pytest.Collector]]:
        """A file is looked through for doctests if it holds an example."""
        collectors = yield
        return [each for each in collectors if not isinstance(each, DoctestModule) or holds_example(file_path)]

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """The garbage collector does not run meanwhile, and passes over what was made."""
        gc.disable()
        try:
            compile_share(session.config)
            return (yield)
        finally:
            gc.freeze()
            gc.enable()


def holds_example(file: Path) -> bool:
    """Whether there is what the doctest module takes for an example.

    >>> holds_example(Path(__file__))
    True
    """
    return b">>>" in file.read_bytes()
