"""The server that is measured: private, gone afterwards."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import QUICK, scratch_cluster

# Durable as by default; memory for the largest population, no checkpoint in the middle of a round.
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}
SCHEMA = "fairlead"


@contextmanager
def server(*, is_durable: bool, has_statistics: bool = True, kept_in: Path | None = None) -> Iterator[str]:
    """The superuser's address of a fresh server, which if durable flushes every commit to disk.

    With `kept_in`, of the one whose data lie in that directory: it is stopped at the end, and its data stay. Without
    statistics none are made behind, so that the planner knows of a table what a measurement told it.
    """
    settings = SETTINGS if is_durable else None
    if not has_statistics:
        settings = SETTINGS | {"autovacuum": "off"} | ({} if is_durable else QUICK)
    if kept_in is not None:
        cluster = Cluster(kept_in.absolute() / "postgres", extra_settings=settings)
        cluster.start()
        try:
            yield cluster.superuser_url
        finally:
            cluster.stop()
        return
    with scratch_cluster(extra_settings=settings) as cluster:
        yield cluster.superuser_url


def address(server_url: str, database_name: str) -> str:
    """The address of one database of the server."""
    return server_url.rsplit("/", 1)[0] + f"/{database_name}"


def create_database(server_url: str, name: str, template: str | None = None) -> str:
    """The address of a new database, empty or a copy of the template, to which no session may be open."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        copied = sql.Identifier(template or "template1")
        conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), copied))
    return address(server_url, name)


def drop_databases(server_url: str, names: list[str]) -> None:
    """The databases are gone, and nothing of them is left to be written during the next measurement."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        conn.execute("checkpoint")


def settle(server_url: str) -> None:
    """Everything that was written so far is on disk, so that no round pays for what came before."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute("checkpoint")


def server_version(server_url: str) -> str:
    """The server's version, e.g. 18.1."""
    with psycopg.connect(server_url) as conn:
        return conn.execute("show server_version").fetchall()[0][0].split()[0]


def processor_seconds_of(pid: int) -> float:
    """The processor time that a process of this machine has taken so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def commits_per_second(database: Database, commits: int) -> float:
    """How often a second a transaction that updates one row can be committed, one after the other."""
    with database.transaction() as conn:
        conn.execute("create table if not exists public.commit_rate (n bigint)")
        conn.execute("truncate public.commit_rate")
        conn.execute("insert into public.commit_rate values (0)")
    started = time.perf_counter()
    for _ in range(commits):
        with database.transaction() as conn:
            conn.execute("update public.commit_rate set n = n + 1")
    return commits / (time.perf_counter() - started)
