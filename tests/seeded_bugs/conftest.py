"""The run's last words: which test noticed which mistake."""

import pytest

NOTICED = pytest.StashKey[dict[str, str]]()


@pytest.fixture
def noticed(request: pytest.FixtureRequest) -> dict[str, str]:
    """The first test to complain, by mistake; shown when the run is over."""
    return request.config.stash.setdefault(NOTICED, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says it."""
    rows = config.stash.get(NOTICED, {})
    if rows:
        terminalreporter.section("seeded bugs: who noticed")
        width = max(map(len, rows))
        for mistake, test in rows.items():
            terminalreporter.write_line(f"{mistake:<{width}}  {test}")
