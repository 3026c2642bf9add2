"""encryption_keys: what encrypts secrets at rest, made on the first start and kept with the embedded server's data.

Beside the cluster and not in it: a copy of the database alone opens none of its secrets.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from fairlead.settings import SettingsError
from fairlead.store.embedded.server_file import sync_directory
from fairlead.store.embedded.usage import give_to_owner_of_directory

NAME = "encryption_keys"
_LARGEST_BYTES = 10_000


def key_file_of(data_dir: Path) -> Path:
    """Where the keys of the installation in this directory are, or will be."""
    return data_dir / NAME


def read_key_file(path: Path) -> str | None:
    """What the file holds, without its white space; None where there is no file.

    Raises SettingsError, in one line, for a file that cannot be read, is no ordinary file, or that other users of this
    machine can read or could have put there.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path}, which holds the encryption keys, cannot be read: {error.strerror}") from None
    try:
        _refuse_open_to_others(path, os.fstat(descriptor))
        text = os.read(descriptor, _LARGEST_BYTES).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return "".join(text.split())


def make_key_file(path: Path, key: str) -> str:
    """The file holds this key, or what another process has just put there; returns what it holds.

    It is there whole or not at all, readable by its owner alone, and survives a power loss; one that is there is never
    overwritten. Raises SettingsError, in one line, where it cannot be written.
    """
    unfinished = path.with_name(f".{NAME}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                give_to_owner_of_directory(file.fileno(), unfinished)
                file.write(f"{key}\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(unfinished, path)  # unlike a rename, it never replaces a file
        finally:
            unfinished.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise SettingsError(
            f"{path}, which is to hold the encryption keys, cannot be written: {error.strerror}; let this user write "
            "there, or set FAIRLEAD_ENCRYPTION_KEYS"
        ) from None
    kept = read_key_file(path)
    if kept is None:
        raise SettingsError(f"{path} was there and is gone: do not remove the encryption keys of a running server")
    return kept


def _refuse_open_to_others(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(f"{path} must be an ordinary file: it holds the encryption keys")
    if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        raise SettingsError(f"{path}, which holds the encryption keys, belongs to another user: chown it")
    if found.st_mode & 0o077:
        raise SettingsError(f"{path} can be read by other users of this machine: chmod 600 {path}")
