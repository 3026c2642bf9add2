#!/usr/bin/env python3
"""A release, made of what the changelog says is not released yet.

    python3 dev.py release 0.2.0          version, changelog, commit and tag v0.2.0, ready to be pushed
    python3 dev.py release-notes 0.2.0    prints what the changelog says of 0.2.0, if the code is that version

Nothing is changed unless everything can be: on `main`, nothing uncommitted, a version that is higher than the present
one, and news to release. One clear line and exit code 1 otherwise.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

UNRELEASED = "## [Unreleased]"
SECTION = re.compile(r"^## \[(?P<name>[^\]]+)\][^\n]*\n(?P<text>.*?)(?=^## \[|\Z)", re.MULTILINE | re.DOTALL)
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
VERSION_LINE = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)


class CannotRelease(Exception):
    """Why not, in one line."""


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRelease(f"git {words[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


def numbers(version: str) -> tuple[int, ...]:
    """`0.10.2` as (0, 10, 2), which is higher than (0, 9, 9). Raises `CannotRelease` for anything else."""
    if not VERSION.fullmatch(version):
        raise CannotRelease(f"{version!r} is not a version: it takes three numbers, as in 0.2.0")
    return tuple(int(part) for part in version.split("."))


def sections(changelog: str) -> dict[str, str]:
    """What the changelog says of each version, and of `Unreleased`."""
    return {found["name"]: found["text"].strip() for found in SECTION.finditer(changelog)}


def release(root: Path, version: str, today: str) -> None:
    """The version is in the code and the changelog, committed and tagged; nothing is pushed."""
    code, log = root / "src" / "fairlead" / "__init__.py", root / "CHANGELOG.md"
    source, changelog = code.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")
    present = VERSION_LINE.findall(source)[0]
    if git(root, "rev-parse", "--abbrev-ref", "HEAD") != "main":
        raise CannotRelease("a release is made on main")
    if git(root, "status", "--porcelain"):
        raise CannotRelease("there are changes that are not committed")
    released = set(git(root, "tag", "--list", "v*").split())
    first = not released and version == present
    if not first and numbers(version) <= numbers(present):
        raise CannotRelease(f"{version} is not higher than {present}, the present version")
    if not sections(changelog).get("Unreleased"):
        raise CannotRelease("the changelog has nothing under [Unreleased]")
    code.write_text(VERSION_LINE.sub(f'__version__ = "{version}"', source), encoding="utf-8")
    log.write_text(changelog.replace(UNRELEASED, f"{UNRELEASED}\n\n## [{version}] - {today}", 1), encoding="utf-8")
    git(root, "commit", "--quiet", "--all", "--message", f"Release {version}")
    git(root, "tag", "--annotate", f"v{version}", "--message", f"Fairlead {version}")
    print(f"released {version} here; publish it with: git push origin main v{version}")


def notes(root: Path, version: str) -> str:
    """What the changelog says of the version. Raises `CannotRelease` unless code and changelog have it."""
    present = VERSION_LINE.findall((root / "src" / "fairlead" / "__init__.py").read_text(encoding="utf-8"))[0]
    if present != version:
        raise CannotRelease(f"the tag says {version}, the code {present}")
    found = sections((root / "CHANGELOG.md").read_text(encoding="utf-8")).get(version)
    if not found:
        raise CannotRelease(f"the changelog says nothing of {version}")
    return found


def main(words: list[str]) -> int:
    root = Path.cwd()
    try:
        match words:
            case ["release", version]:
                numbers(version)
                release(root, version, datetime.now(UTC).date().isoformat())
            case ["notes", version]:
                print(notes(root, version))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except CannotRelease as reason:
        print(f"release: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
