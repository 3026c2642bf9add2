"""Making a new cluster, so that it either exists whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from fairlead.store.embedded.account import ServerAccount
from fairlead.store.embedded.binaries import Binaries
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.server_file import (
    DATABASE,
    OWNER,
    SUPERUSER,
    ServerFile,
    sync_directory,
    write_server_file,
)
from fairlead.store.row_level_security.portal_role import portal_role_name, role_statements

_SETTINGS = """
# --- written by Fairlead when it made this cluster; yours to tune ---
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = '128MB'
max_wal_size = '1GB'
fsync = on
full_page_writes = on
synchronous_commit = on
tcp_keepalives_idle = 30
tcp_keepalives_interval = 10
tcp_keepalives_count = 3
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
"""


def initialise(root: Path, account: ServerAccount, binaries: Binaries, lock: int, *, durable: bool) -> None:
    """Leave a fresh cluster in root/data and its passwords in server.json.

    Works in data.new and renames at the end, so a killed run leaves nothing that counts; the next one clears
    it away. Call it under the start lock: initdb inherits the lock, so an initdb that outlives us still keeps
    others out.
    """
    unfinished = root / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    content = ServerFile(port=0, password=secrets.token_urlsafe(24), superuser_password=secrets.token_urlsafe(24))
    password_file = root / "password.new"
    password_file.unlink(missing_ok=True)
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content.superuser_password + "\n")
    quick = [] if durable else ["--no-sync"]
    try:
        if account.is_other:
            os.chown(unfinished, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        _initdb(["-D", unfinished, f"--pwfile={password_file}", *quick], account, binaries, lock)
    finally:
        password_file.unlink(missing_ok=True)
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS)
        file.flush()
        os.fsync(file.fileno())
    write_server_file(root, content)
    unfinished.rename(root / "data")
    sync_directory(root)


def _initdb(options: list[str | Path], account: ServerAccount, binaries: Binaries, lock: int) -> None:
    command: list[str | Path] = [binaries.program("initdb"), *options, "-U", SUPERUSER, "-E", "UTF8"]
    command += ["-A", "scram-sha-256", "--data-checksums"]
    # C.UTF-8 sorts by code point and knows every letter's case; where it is missing, plain C sorts the same.
    done = account.run([*command, "--locale=C.UTF-8"], keep_open=(lock,))
    if done.returncode != 0 and "locale" in done.stderr:
        done = account.run([*command, "--locale=C"], keep_open=(lock,))
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or [done.stderr.strip()]
        raise EmbeddedPostgresError(f"initdb failed ({binaries.bin_dir}): {lines[0]}")


def provision(superuser_url: str, content: ServerFile, schema_name: str) -> None:
    """Leave Fairlead's ordinary role, its database and the portal's role in the running cluster, or find them there.

    The role is no superuser and makes no roles: what runs here runs on any hosted PostgreSQL, and the right to make
    roles would be, before PostgreSQL 16, the right to run programs.
    """
    portal = portal_role_name(DATABASE, schema_name)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone() is None:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                    sql.Identifier(OWNER), sql.Literal(content.password)
                )
            )
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [portal]).fetchone() is None:
            with connection.transaction():
                for statement in role_statements(portal, OWNER, connection.info.server_version, exists=False):
                    connection.execute(statement.encode())
