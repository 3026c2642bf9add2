"""Processes that run until they are stopped do not go through what stays again and again."""

import subprocess
import sys
import weakref

from fairlead.core.roster import Roster

IN_A_PROCESS = """
import gc
from fairlead.cli.garbage import LARGEST_OLD_GENERATION, keep_collections_short

class Node:
    pass

gc.unfreeze()
{first}
few = [Node() for _ in range(10)]
gc.collect()
assert gc.get_freeze_count() == 0, gc.get_freeze_count()
many = [Node() for _ in range(LARGEST_OLD_GENERATION + 1)]
gc.collect()
print(gc.get_freeze_count() > LARGEST_OLD_GENERATION, any(each is many[0] for each in gc.get_objects()))
node = Node()
node.itself = node
del node
print(gc.collect() >= 1)
"""


def test_what_outlives_a_full_collection_in_numbers_is_frozen() -> None:
    assert _run("keep_collections_short(); keep_collections_short()") == "True False\nTrue\n"
    assert _run("") == "False True\nTrue\n", "nothing is frozen by itself"


def test_long_running_processes_set_it_up() -> None:
    words = """
import gc, os
from fairlead.cli.garbage import _freeze_many
from fairlead.cli.long_running import begin
from fairlead.settings import Settings
begin(Settings(), "web")
print(gc.callbacks.count(_freeze_many))
"""
    assert _output(words) == "1\n"


def test_a_roster_is_freed_without_the_collector() -> None:
    roster = Roster("0198a000-0000-7000-8000-000000000001")
    gone = weakref.ref(roster)
    del roster
    assert gone() is None


def _run(first: str) -> str:
    return _output(IN_A_PROCESS.format(first=first))


def _output(words: str) -> str:
    # Separate processes: what is frozen in the process of the tests would stay so for the others.
    return subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout
