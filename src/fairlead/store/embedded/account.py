"""The operating system account that the server runs as, since PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairlead.store.embedded.errors import NEEDS_UNIX, EmbeddedPostgresError

try:
    import pwd
except ImportError:  # no such thing on Windows
    pwd = None

# Nothing of ours leaks into the server: no PG* variable, no locale, no secret.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account, and whether we have to change to it (only root can, and has to)."""

    name: str
    uid: int
    gid: int
    is_other: bool

    def run(self, argv: Sequence[str | Path], *, keep_open: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run the command to its end as this account, in / with a bare environment, and return its output.

        An account that may not execute the command yields exit code 126 instead of an exception.
        """
        try:
            return subprocess.run(
                [str(word) for word in argv],
                cwd="/",
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                pass_fds=keep_open,
                start_new_session=True,
                user=self.uid if self.is_other else None,
                group=self.gid if self.is_other else None,
                extra_groups=[] if self.is_other else None,
            )
        except OSError as error:
            return subprocess.CompletedProcess([str(word) for word in argv], 126, "", str(error))

    def can_enter(self, directory: Path) -> bool:
        """Return True when the account can pass through the directory and all its parents."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", directory]).returncode == 0


def server_account(root: Path, data: Path) -> ServerAccount:
    """Return the account that the server on this data directory runs as.

    An ordinary user's server runs as that user. As root: as the owner of the data directory or of the
    cluster's root when that is not root, else as `postgres`, else as `nobody`. Raises EmbeddedPostgresError
    when there is no such account or the directory belongs to another user.
    """
    if pwd is None:
        raise EmbeddedPostgresError(NEEDS_UNIX)
    me = os.geteuid()
    owners = [path.stat().st_uid for path in (data, root) if path.exists()]
    if me != 0:
        if owners and owners[0] != me:
            raise EmbeddedPostgresError(
                f"{root} belongs to another user; run as that user or set FAIRLEAD_DATA_DIR to a directory of your own"
            )
        return ServerAccount(name=_name_of(me), uid=me, gid=os.getegid(), is_other=False)
    for owner in owners:
        if owner != 0:
            return ServerAccount(_name_of(owner), owner, pwd.getpwuid(owner).pw_gid, is_other=True)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(name, entry.pw_uid, entry.pw_gid, is_other=True)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody` to run it as; "
        "add one, run fairlead as an ordinary user, or set FAIRLEAD_DATABASE_URL"
    )


def make_root(root: Path, *, traversable: bool) -> None:
    """Make sure that the directory exists; those created here are private, or traversable by all where asked.

    The mode of a directory that was there before is never changed: opening a user's home is not ours to do.
    """
    missing = [path for path in (root, *root.parents) if not path.exists()]
    for path in reversed(missing):
        try:
            path.mkdir(exist_ok=True)
            path.chmod(0o711 if traversable else 0o700)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"cannot create {path}: {error.strerror}; set FAIRLEAD_DATA_DIR to a directory you can write"
            ) from None
    if not os.access(root, os.W_OK | os.X_OK):
        raise EmbeddedPostgresError(f"cannot write to {root}; set FAIRLEAD_DATA_DIR to a directory you can write")


def refuse_unreachable(root: Path, account: ServerAccount) -> None:
    """Return when the account can enter the directory; else raise, naming the parent that shuts it out."""
    if not account.is_other or account.can_enter(root):
        return
    closed = next((path for path in (*reversed(root.parents), root) if not account.can_enter(path)), root)
    raise EmbeddedPostgresError(
        f"PostgreSQL refuses to run as root, and user `{account.name}`, who runs it instead, "
        f"cannot enter {closed}; "
        "set FAIRLEAD_DATA_DIR to a directory outside it (for example /var/lib/fairlead)"
    )


def _name_of(uid: int) -> str:
    if pwd is None:
        raise EmbeddedPostgresError(NEEDS_UNIX)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise EmbeddedPostgresError(
            f"user id {uid} has no name on this machine and PostgreSQL refuses to run without one; "
            "add it to /etc/passwd or set FAIRLEAD_DATABASE_URL"
        ) from None
