#!/usr/bin/env python3
"""Everything a developer runs, with nothing but Python 3.11 installed beforehand.

    python3 dev.py demo     install, then a sample marketplace on an embedded PostgreSQL
    python3 dev.py test     install, then the tests but the slow ones (--all: those too, as in CI)
    python3 dev.py          lists every other command

The first run makes .venv from the lock; later runs install again only when the lock has changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / "installed-from"
REQUIREMENTS = ROOT / "requirements.txt"
SITE_REQUIREMENTS = ROOT / "docs" / "requirements.txt"
# What an environment is made from: when one of these changes, it is installed again.
SOURCES = ("pyproject.toml", "uv.lock", "requirements.txt")
CACHES = (".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache", "build", "dist")


class CannotInstall(Exception):
    """What is missing on this machine, and how to get it."""


def say(words: str) -> None:
    print(f"fairlead: {words}", file=sys.stderr, flush=True)


def run(*command: str | Path, quiet: bool = False) -> bool:
    """True if the command succeeded; its output is shown as it comes, unless quiet."""
    out = subprocess.DEVNULL if quiet else None
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, check=False, stdout=out, stderr=out).returncode == 0


def become(*command: str | Path) -> NoReturn:
    """Does not return: this process becomes the command, so that signals and exit codes are its own."""
    sys.stdout.flush()
    os.execv(str(command[0]), [str(word) for word in command])


def find_python() -> str:
    """The path of a Python that can run Fairlead: this one, else a newer one on PATH."""
    if sys.version_info >= (3, 11):
        return sys.executable
    for minor in (14, 13, 12, 11):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    have = ".".join(str(part) for part in sys.version_info[:3])
    raise CannotInstall(
        f"Python 3.11 or newer is needed, this is {have}.\n"
        "  Debian/Ubuntu: sudo apt install python3.11 python3.11-venv    macOS: brew install python@3.13"
    )


def make_venv() -> None:
    """.venv exists, belongs to this directory and has a working pip; a broken one is made anew."""
    python = find_python()
    if not run(python, "-c", "import ensurepip, venv", quiet=True):
        raise CannotInstall(
            "this Python cannot make virtual environments (its venv or ensurepip module is missing).\n"
            "  Debian/Ubuntu: sudo apt install python3-venv    Fedora: sudo dnf install python3-pip"
        )
    say("making .venv ...")
    if not run(python, "-m", "venv", "--clear", VENV):
        raise CannotInstall(f"{VENV} could not be made: see the message above (disk space? permissions?)")


def venv_works() -> bool:
    """True if .venv was made here (a moved one has the old place in its scripts) and its pip answers."""
    activate = BIN / "activate"
    if not activate.is_file() or str(VENV) not in activate.read_text(encoding="utf-8"):
        return False
    return run(BIN / "python", "-m", "pip", "--version", quiet=True)


def fingerprint() -> str:
    """A text that changes whenever an installed environment no longer fits this checkout."""
    digest = hashlib.sha256(str(VENV).encode())
    for name in SOURCES:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def trust_certificates() -> None:
    """uv trusts the certificates that pip was told to trust (it does not read pip's configuration)."""
    if os.environ.get("SSL_CERT_FILE"):
        return
    ask = [str(BIN / "python"), "-m", "pip", "config", "get", "global.cert"]
    configured = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    bundle = os.environ.get("PIP_CERT") or configured
    if bundle and Path(bundle).is_file():
        os.environ["SSL_CERT_FILE"] = bundle


def pip(*words: str | Path) -> bool:
    return run(BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words)


def pinned_uv() -> str:
    """The lines of requirements.txt that pin uv, hashes included."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    found = re.search(r"^uv==[^\\\n]*(?:\\\n[^\\\n]*)*", text, re.MULTILINE)
    if found is None:
        raise CannotInstall("requirements.txt does not pin uv: run `python3 dev.py lock` where .venv works")
    return found[0] + "\n"


def install_with_uv() -> bool:
    """True if .venv holds what uv.lock pins. uv itself comes from requirements.txt, hash-checked.

    --inexact leaves pip in place, which the next install needs.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as only_uv:
        only_uv.write(pinned_uv())
        only_uv.flush()
        if not pip("--require-hashes", "-r", only_uv.name):
            return False
    trust_certificates()
    os.environ["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    say("installing what uv.lock pins (about 200 MB the first time) ...")
    return run(BIN / "uv", "sync", "--quiet", "--frozen", "--inexact", "--all-extras", "--python", BIN / "python")


def install_with_pip() -> bool:
    """True if .venv holds what requirements.txt pins (the same versions and hashes) and Fairlead itself."""
    say("installing what requirements.txt pins with pip ...")
    return pip("--require-hashes", "-r", REQUIREMENTS) and pip("--no-deps", "-e", ROOT)


def ensure_installed() -> None:
    """.venv holds what the lock pins. Idempotent; does nothing when neither lock nor place has changed."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted and (BIN / "python").exists():
        return
    started = time.monotonic()
    if not venv_works():
        make_venv()
    STAMP.unlink(missing_ok=True)
    if os.environ.get("FAIRLEAD_DEV_INSTALLER") == "pip":
        installed = install_with_pip()
    else:
        installed = install_with_uv()
        if not installed:
            say("uv is not available or could not install; trying pip")
            installed = install_with_pip()
    if not installed:
        raise CannotInstall(
            "the dependencies could not be installed: see the message above.\n"
            "  Is https://pypi.org reachable? Mirrors and proxies are set in pip's own configuration."
        )
    STAMP.write_text(wanted, encoding="utf-8")
    say(f"installed in {time.monotonic() - started:.0f} s")


def keep_bytecode() -> None:
    """What Python compiles is kept for the next process: in .venv where the environment wants none beside the source.

    A run of the tests starts hundreds of processes, and pytest rewrites every test: compiled anew each time that is
    half of what a command line or the collection of the tests costs.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "bytecode"))


def setup(words: list[str]) -> int:
    """installs or updates .venv, and nothing else"""
    say(f"ready: {BIN}")
    return 0


def demo(words: list[str]) -> int:
    """a sample marketplace on an embedded PostgreSQL"""
    return become(BIN / "fairlead", "demo", *words)


def fairlead(words: list[str]) -> int:
    """the command line, e.g. `python3 dev.py fairlead verify`"""
    return become(BIN / "fairlead", *words)


# What takes minutes is left out of every run that does not ask for it (pyproject.toml).
EVERY_LANE = "not alone and not chaos_long and not scale_long"
QUICK_LANE = f"not slow and {EVERY_LANE}"
FEWER_EXAMPLES = ("--hypothesis-profile", "quick")  # tests/conftest.py


def alone() -> list[str]:
    """What those are started with: only the files that hold one are collected, since all the others wait for it."""
    files = (file for file in sorted((ROOT / "tests").rglob("test_*.py")) if b"mark.alone" in file.read_bytes())
    return ["-m", "alone", *(str(file.relative_to(ROOT)) for file in files)]


def test_options(words: list[str]) -> list[str]:
    """What pytest is started with: several processes, and the quick lane unless --all or a path says otherwise.

    Tests that ask for milliseconds (`alone`) have no place beside others: `test` runs them by themselves.

    Two processes for each core, since much of what the tests do is waiting. Words that name a file or a folder run all
    of it, in one process.
    """
    if any(Path(word.split("::")[0]).exists() for word in words if not word.startswith("-")):
        return [word for word in words if word != "--all"]
    options = ["--numprocesses", str(2 * (os.cpu_count() or 1)), "--dist", "worksteal", "--durations", "10"]
    options += ["-m", EVERY_LANE] if "--all" in words else ["-m", QUICK_LANE, *FEWER_EXAMPLES]
    # Later words win, so that `-n 0` or another `-m` may be given.
    return options + [word for word in words if word != "--all"]


def test(words: list[str]) -> int:
    """the tests but the slow ones; with --all every test that CI runs; with --alone those that need a quiet machine"""
    pytest = [BIN / "python", "-m", "pytest"]
    if "--alone" in words:
        return become(*pytest, *alone(), *(word for word in words if word != "--alone"))
    options = test_options(words)
    # Before the others, so that the last words of the run are the summary of nearly all of it.
    if "--all" in words and EVERY_LANE in options and not run(*pytest, *alone()):
        run(*pytest, *options)
        say("failed: a test that runs alone, see the beginning")
        return 1
    return become(*pytest, *options)


def chaos(words: list[str]) -> int:
    """the tests that kill processes and connections, the long ones too"""
    return become(BIN / "python", "-m", "pytest", "-m", "chaos or chaos_long", *words)


def bench(words: list[str]) -> int:
    """the measurements"""
    return become(BIN / "python", "-m", "bench", *words)


def shell(words: list[str]) -> int:
    """a shell in which .venv is active"""
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    return become(os.environ.get("SHELL", "/bin/sh"), *words)


def check(words: list[str]) -> int:
    """format, lint, types, layers, links: everything that needs no database"""
    python = BIN / "python"
    os.environ.setdefault("PYRIGHT_PYTHON_IGNORE_WARNINGS", "1")
    gates = {
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "lint": [python, "-m", "ruff", "check", "."],
        "types": [python, "-m", "pyright", "--warnings", "--project", "pyproject.toml"],
        "layers": [BIN / "lint-imports", "--no-logo"],
        "links": [python, "-m", "pytest", "-q", "tests/tidy/test_links.py"],
    }
    failed: list[str] = []
    for name, command in gates.items():
        say(f"check {name} ...")
        if not run(*command):
            failed.append(name)
    say(f"check failed: {', '.join(failed)}" if failed else "check passed")
    return 1 if failed else 0


def format_(words: list[str]) -> int:
    """formats the code and applies the safe fixes of the linter"""
    clean_of_faults = run(BIN / "ruff", "check", "--fix", ".")
    return 0 if run(BIN / "ruff", "format", ".") and clean_of_faults else 1


def lock(words: list[str]) -> int:
    """brings uv.lock and its exports for pip up to date with pyproject.toml (e.g. `lock --upgrade`)"""
    trust_certificates()
    if not run(BIN / "uv", "lock", *words):
        return 1
    export = [BIN / "uv", "export", "--quiet", "--frozen", "--no-emit-project", "--no-header"]
    everything = run(*export, "--all-extras", "-o", REQUIREMENTS)
    return 0 if everything and run(*export, "--only-group", "site", "-o", SITE_REQUIREMENTS) else 1


def reference(words: list[str]) -> int:
    """writes the pages of docs/reference that are made from the code"""
    pages = ROOT / "docs" / "reference"
    document = run(BIN / "fairlead", "openapi", "--output", pages / "openapi.json")
    problems = run(BIN / "fairlead", "openapi", "--problems", "--output", pages / "problems.md")
    return 0 if document and problems else 1


def messages(words: list[str]) -> int:
    """brings the console's translations (src/fairlead/console/locale) up to date with its texts"""
    return become(BIN / "python", ROOT / ".ci" / "messages.py", *words)


def site(words: list[str]) -> int:
    """the documentation as a web site, in build/site; what builds it is installed the first time"""
    if not pip("--require-hashes", "-r", SITE_REQUIREMENTS):
        raise CannotInstall("what builds the site could not be installed: see the message above")
    pages = ROOT / "build" / "site"
    build = [BIN / "python", "-m", "sphinx", "--fail-on-warning", "--quiet", "--conf-dir", ROOT / "docs" / "site"]
    built = run(*build, *words, ROOT, pages)
    say(f"open {pages / 'index.html'}" if built else "the site has faults: see the messages above")
    return 0 if built else 1


def screenshots(words: list[str]) -> int:
    """pictures of the console's pages, in docs/screenshots (or `screenshots FOLDER operator:/leads ...`)"""
    return become(BIN / "python", "-m", "tests.browser.screenshots", *(words or ["docs/screenshots"]))


def coverage(words: list[str]) -> int:
    """every test, and which lines and branches none of them reaches (build/coverage/index.html)"""
    measure = ["--cov", "--cov-report", "term:skip-covered", "--cov-report", "html:build/coverage"]
    return become(BIN / "python", "-m", "pytest", *test_options(["--all", *words]), *measure)


def release(words: list[str]) -> int:
    """a version out of the changelog's unreleased part: committed and tagged, not pushed (`release 0.2.0`)"""
    return become(BIN / "python", ROOT / ".ci" / "release.py", "release", *words)


def release_notes(words: list[str]) -> int:
    """what the changelog says of a version (`release-notes 0.2.0`)"""
    return become(BIN / "python", ROOT / ".ci" / "release.py", "notes", *words)


def clean(words: list[str]) -> int:
    """removes .venv, caches and build output; never data"""
    for name in (".venv", *CACHES):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    say("removed .venv, caches and build output")
    return 0


COMMANDS = {
    "demo": demo,
    "test": test,
    "check": check,
    "fairlead": fairlead,
    "format": format_,
    "bench": bench,
    "chaos": chaos,
    "shell": shell,
    "lock": lock,
    "reference": reference,
    "messages": messages,
    "site": site,
    "screenshots": screenshots,
    "coverage": coverage,
    "release": release,
    "release-notes": release_notes,
    "setup": setup,
    "clean": clean,
}


# These take paths that mean something where they were typed; the others work on the checkout.
FROM_WHERE_YOU_ARE = (demo, fairlead, shell)


USAGE = "usage: python3 dev.py COMMAND [WORDS]\n\n" + "\n".join(
    f"  {name:<15}{command.__doc__}" for name, command in COMMANDS.items()
)


def main(words: list[str]) -> int:
    """The exit code: of the command, 1 if installing failed, 2 if there is no such command."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    command = COMMANDS.get(words[0])
    if command is None:
        print(f"dev.py: no command {words[0]!r}\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        if command is not clean:
            ensure_installed()
        if command not in FROM_WHERE_YOU_ARE:
            os.chdir(ROOT)
        keep_bytecode()
        return command(words[1:])
    except CannotInstall as missing:
        say(str(missing))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
