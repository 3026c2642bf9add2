"""The numbered examples do what their pages say, command by command and line by line."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NUMBERED = sorted(EXAMPLES.glob("[0-9][0-9]-*"))
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of command ==="


def commands(page: str) -> list[tuple[str, str]]:
    """Each command of the page's console blocks, and what it is said to print."""
    found: list[tuple[str, str]] = []
    for block in CONSOLE.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            found.append((command, expected))
    return found


def unlike(expected: str, printed: str) -> bool:
    """Whether it is not what the page says, where `...` stands for anything."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return not doctest.OutputChecker().check_output(
        expected, printed.replace("\N{ZERO WIDTH NO-BREAK SPACE}", ""), options
    )


@pytest.mark.slow
@pytest.mark.parametrize("folder", NUMBERED, ids=lambda folder: folder.name)
def test_an_example_prints_what_its_page_says(folder: Path, database_url: str, tmp_path: Path) -> None:
    place = shutil.copytree(folder, tmp_path / folder.name)
    asked = commands((folder / "README.md").read_text(encoding="utf-8"))
    assert asked
    # One shell for the whole page, since a command may use what another has set; it ends at the first that fails.
    script = "set -eu -o pipefail\n" + "".join(f"{command}\necho '{MARK}'\n" for command, _ in asked)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    environment |= {
        "FAIRLEAD_DATABASE_URL": database_url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    ran = subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, timeout=1200, check=False
    )
    printed = ran.stdout.split(f"{MARK}\n")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    wrong = [
        f"$ {command}\nexpected:\n{expected}\nprinted:\n{said}"
        for (command, expected), said in zip(asked, printed[:-1], strict=True)
        if unlike(expected, said)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_numbered_example_is_listed_and_leads_to_the_next() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for folder, following in zip(NUMBERED, [*NUMBERED[1:], EXAMPLES / "bank"], strict=True):
        assert f"({folder.name}/README.md)" in listed
        assert f"(../{following.name}/README.md)" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("expected", "printed", "is_wrong"),
    [
        ("1 rows read in ...: 1 added\n", "1 rows read in 0.1 s (9/s): 1 added\n", False),
        ("1 rows read in ...: 1 added\n", "1 rows read in 0.1 s (9/s): 0 added\n", True),
        ("", "", False),
        ("", "a line more\n", True),
        ("a\n...\nb\n", "a\nc\nb\n", False),
        ("a\n...\nb\n", "a\nb\n", True),
    ],
)
def test_a_page_that_says_otherwise_is_noticed(expected: str, printed: str, is_wrong: bool) -> None:
    assert unlike(expected, printed) is is_wrong
