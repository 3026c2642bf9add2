"""server.json: what a client has to know to reach the cluster, readable by its owner alone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.usage import give_to_owner_of_directory

DATABASE = "fairlead"
OWNER = "fairlead"
SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class ServerFile:
    """The passwords of the cluster's two roles, the port it was last started on, and who started it."""

    port: int
    password: str
    superuser_password: str
    version: str = ""
    started_by: str = ""
    started_at: str = ""

    def url(self, port: int) -> str:
        """Return the URL of Fairlead's own database, as the ordinary role that owns it."""
        return _url(OWNER, self.password, port, DATABASE)

    def superuser_url(self, port: int) -> str:
        """Return the URL of the maintenance database, as the superuser."""
        return _url(SUPERUSER, self.superuser_password, port, "postgres")


def _url(role: str, password: str, port: int, database: str) -> str:
    # A loopback server has no certificate; saying so keeps a PGSSLMODE in the environment from breaking it.
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}?sslmode=disable"


def read_server_file(root: Path) -> ServerFile:
    """Return what server.json holds; raise EmbeddedPostgresError in one line when it is missing or broken."""
    path = root / "server.json"
    try:
        return ServerFile(**json.loads(path.read_text(encoding="utf-8")))
    except PermissionError:
        raise EmbeddedPostgresError(f"{path} belongs to another user; run fairlead as that user") from None
    except (OSError, ValueError, TypeError):
        raise EmbeddedPostgresError(
            f"{path}, which holds the database password, is missing or broken: restore it from a backup, "
            f"or move {root / 'data'} away to begin with an empty database"
        ) from None


def write_server_file(root: Path, content: ServerFile) -> None:
    """Replace server.json as one step, mode 0600; a crash leaves the old or the new file whole."""
    path = root / "server.json"
    unfinished = root / "server.json.new"
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        give_to_owner_of_directory(file.fileno(), unfinished)
        json.dump(asdict(content), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(root)


def sync_directory(directory: Path) -> None:
    """Make the names in the directory survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
