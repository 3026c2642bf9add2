"""What the runs of seeded bugs import of others is imported before the fork."""

import subprocess
import sys

from tests.seeded_bugs.forked_run import ROOT

IMPORTED_LATER = f"""
import sys
sys.path[:0] = [{str(ROOT / "src")!r}, {str(ROOT)!r}]
from importlib import import_module
from tests.seeded_bugs.forked_run import OF_OTHERS
for module in OF_OTHERS:
    import_module(module)
before = {{*sys.modules}}
import tests.conftest
print(*{{name.partition(".")[0] for name in sys.modules.keys() - before}})
"""
SMALL = {"ahocorasick_rs", "platformdirs", "pyroaring", "rfc8785", "tzdata", "uuid_utils"}
"""A few modules each, or one that is not Python."""


def test_what_is_imported_in_each_fork_is_ours_or_small() -> None:
    command = [sys.executable, "-c", IMPORTED_LATER]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    others = set(done.stdout.split()) - {"fairlead", "tests", "numpy"} - sys.stdlib_module_names
    assert {name for name in others if not name.startswith("_")} <= SMALL
