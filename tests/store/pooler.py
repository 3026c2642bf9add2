"""A real PgBouncer in front of the test server, in transaction mode."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from fairlead.store.embedded.launch import free_port
from tests.waiting import PATIENCE_SECONDS

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def pooler(database_url: str, *, ignores_options: bool, sessions: int = 3) -> Generator[str]:
    """The address by which the database is reached through a pooler with so few sessions that they are shared.

    Settings given at the start of a session are dropped, or refused.
    """
    assert PROGRAM is not None, "tests that need it are skipped without it"
    server, port = conninfo_to_dict(database_url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="fairlead-pooler-"))
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"""
[databases]
* = host={server["host"]} port={server["port"]} user={server["user"]} password={server.get("password", "")}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 100
{"ignore_startup_parameters = options" if ignores_options else ""}
logfile = {folder / "pgbouncer.log"}
""",
        encoding="utf-8",
    )
    words = [PROGRAM, "-q", str(config)]
    if os.geteuid() == 0:  # it refuses to run as root
        folder.chmod(0o777)
        words[1:1] = ["-u", "nobody"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_port(port, process)
        yield f"postgresql://{server['user']}@127.0.0.1:{port}/{server['dbname']}"
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)
        shutil.rmtree(folder)


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, "the pooler ended"
            assert time.monotonic() < deadline, "the pooler does not answer"
            time.sleep(0.02)
