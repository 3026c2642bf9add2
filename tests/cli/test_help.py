"""Help comes at once: nothing is imported for it that it does not show, and nothing is missing in it."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

import pytest
from typer.main import get_command

from fairlead.cli.lazy_group import LazyGroup, Verb, load
from fairlead.cli.program import Verbs, app

IMPORTED = """
import sys
sys.argv = ["fairlead", *sys.argv[1:]]
from fairlead.cli import main
try:
    main()
finally:
    print("imported:", *sys.modules, file=sys.stderr)
"""
SHOWN_WITH = {"typer", "rich"}
"""The dependencies that write the help itself."""


def imported_for(*words: str) -> tuple[str, set[str]]:
    """What the program says to these words, in a process of its own, and the modules that it imported for that."""
    done = subprocess.run([sys.executable, "-c", IMPORTED, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules = done.stderr.rpartition("imported: ")[2].split()
    assert "fairlead.cli.program" in modules
    return done.stdout, set(modules)


def dependencies() -> set[str]:
    """The top-level modules of everything that Fairlead needs in order to run, but what the help is written with."""
    names = {one_spelling(re.split(r"[^\w.-]", line)[0]) for line in requires("fairlead") or ()}
    owners_of = packages_distributions().items()
    return {module for module, owners in owners_of if names & {*map(one_spelling, owners)}} - SHOWN_WITH


def one_spelling(distribution: str) -> str:
    """The distribution's name, of the spellings that packagers treat as one."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_the_dependencies_are_known() -> None:
    assert {"fastapi", "psycopg", "alembic", "cryptography", "numpy", "uvicorn", "pydantic", "jinja2"} <= dependencies()


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("--version",)])
def test_the_list_of_verbs_imports_none_of_them(words: tuple[str, ...]) -> None:
    if not words:
        done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=False)
        said, modules = done.stdout + done.stderr, set(done.stderr.rpartition("imported: ")[2].split())
    else:
        said, modules = imported_for(*words)
    assert "fairlead" in said
    assert not {module.split(".")[0] for module in modules} & dependencies()
    assert {module for module in modules if module.startswith("fairlead.")} <= {
        *("fairlead.cli", "fairlead.cli.program", "fairlead.cli.lazy_group")
    }


@pytest.mark.parametrize("verb", ["verify", "leads", "web", "openapi"])
def test_the_help_of_a_verb_imports_its_own_module_alone(verb: str) -> None:
    said, modules = imported_for(verb, "--help")
    assert f"Usage: fairlead {verb}" in said
    others = {each.module for each in Verbs.verbs} - {verb}
    assert not {f"fairlead.cli.{other}" for other in others} & modules
    assert not {"fastapi", "uvicorn", "alembic", "websockets"} & modules


@pytest.mark.parametrize("verb", Verbs.verbs, ids=lambda verb: verb.name)
def test_a_summary_is_what_the_verb_says_of_itself(verb: Verb) -> None:
    command = load(verb)
    first_paragraph, *_ = (command.help or "").split("\n\n")
    assert verb.summary == " ".join(first_paragraph.split())
    assert command.name == verb.name


def test_the_list_shows_every_verb_whole() -> None:
    said, _ = imported_for("--help")
    words = " ".join(said.replace("│", " ").split())
    for verb in Verbs.verbs:
        assert f" {verb.name} {verb.summary} " in words


def test_what_is_called_is_the_verb_itself() -> None:
    group = get_command(app)
    assert isinstance(group, LazyGroup)
    context = group.make_context("fairlead", ["leads", "approve", "--all"])
    name, command, remaining = group.resolve_command(context, ["leads", "approve", "--all"])
    assert (name, remaining) == ("leads", ["approve", "--all"])
    assert "approve" in command.commands
    with pytest.raises(Exception, match="Did you mean 'leads'"):
        group.resolve_command(context, ["lead"])
