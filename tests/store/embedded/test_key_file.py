"""The file of encryption keys: there whole or not at all, for its owner alone, and never overwritten."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairlead.settings import SettingsError
from fairlead.store.embedded.key_file import key_file_of, make_key_file, read_key_file
from tests.processes import python_process

MAKE = """
import sys
from pathlib import Path
from fairlead.store.embedded.key_file import make_key_file
print("ready", flush=True)
sys.stdin.readline()
print(make_key_file(Path(sys.argv[1]), sys.argv[2]), flush=True)
"""


def test_it_is_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    file = key_file_of(tmp_path)
    assert read_key_file(file) is None
    assert make_key_file(file, "first") == "first"
    assert file.stat().st_mode & 0o777 == 0o600
    assert make_key_file(file, "second") == "first"
    assert read_key_file(file) == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["encryption_keys"]


def test_processes_that_begin_at_once_have_the_same_key(tmp_path: Path) -> None:
    file = key_file_of(tmp_path)
    with ExitStack() as stack:
        started = [stack.enter_context(python_process(["-c", MAKE, str(file), f"key-{n}"], {})) for n in range(4)]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        said = [process.communicate("go\n")[0].strip() for process in started]
    assert len({*said}) == 1
    assert read_key_file(file) == said[0]
    assert [each.name for each in tmp_path.iterdir()] == ["encryption_keys"]


def test_one_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = key_file_of(tmp_path)
    make_key_file(file, "key")
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="can be read by other users of this machine: chmod 600"):
        read_key_file(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_one_of_another_user_is_refused(tmp_path: Path) -> None:
    file = key_file_of(tmp_path)
    make_key_file(file, "key")
    os.chown(file, 65_534, 65_534)
    with pytest.raises(SettingsError, match="belongs to another user"):
        read_key_file(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
def test_what_root_makes_in_a_users_directory_is_the_users(tmp_path: Path) -> None:
    os.chown(tmp_path, 65_534, 65_534)
    make_key_file(key_file_of(tmp_path), "key")
    assert key_file_of(tmp_path).stat().st_uid == 65_534
    assert read_key_file(key_file_of(tmp_path)) == "key"


def test_a_link_to_elsewhere_and_a_directory_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("key")
    file = key_file_of(tmp_path)
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_key_file(file)
    file.unlink()
    file.mkdir(0o700)
    with pytest.raises(SettingsError, match="must be an ordinary file"):
        read_key_file(file)


def test_a_directory_that_takes_no_file_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    closed = Path("/proc") if os.geteuid() == 0 else tmp_path
    with pytest.raises(SettingsError, match=r"cannot be written: .*; let this user write there, or set FAIRLEAD_ENCR"):
        make_key_file(key_file_of(closed), "key")
    tmp_path.chmod(0o700)
