"""The environment becomes settings, or one line that says which variable is wrong."""

import os
from pathlib import Path

import pytest

from fairlead.settings import RENAMED, Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FAIRLEAD_")]:
        monkeypatch.delenv(name)


def test_nothing_set_means_the_defaults() -> None:
    settings = load_settings()

    assert settings.database_url is None
    assert settings.schema_name == "fairlead"
    assert settings.postgres_bin_dir is None
    assert (settings.statement_timeout_ms, settings.lock_timeout_ms) == (60_000, 10_000)
    assert (settings.idle_in_transaction_timeout_ms, settings.max_leads_per_batch) == (60_000, 50)


def test_root_keeps_its_data_out_of_its_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert load_settings().data_dir == Path("/var/lib/fairlead")


def test_others_keep_theirs_in_their_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert load_settings().data_dir.is_relative_to(tmp_path)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_DATABASE_URL", "postgresql://u:p@host/db")
    monkeypatch.setenv("FAIRLEAD_SCHEMA", "market_2")
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", "data")
    monkeypatch.setenv("FAIRLEAD_LOCK_TIMEOUT_MS", "250")

    settings = load_settings()

    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:p@host/db"
    assert "u:p" not in repr(settings)
    assert settings.schema_name == "market_2"
    assert settings.data_dir == Path.cwd() / "data"
    assert settings.lock_timeout_ms == 250


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_DATABASE_URL", "")
    assert load_settings().database_url is None


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("FAIRLEAD_DATABASE_URL", "mysql://u:secret@host/db", "must start with postgresql://"),
        ("FAIRLEAD_SCHEMA", "Market", "must be 1 to 63 lower-case letters"),
        ("FAIRLEAD_SCHEMA", "a" * 64, "must be 1 to 63 lower-case letters"),
        ("FAIRLEAD_SCHEMA", "fairlead\n", "must be one line of UTF-8 text"),
        ("FAIRLEAD_SCHEMA", "pg_market", "PostgreSQL keeps for itself"),
        ("FAIRLEAD_LOCK_TIMEOUT_MS", "soon", "should be a valid integer"),
        ("FAIRLEAD_STATEMENT_TIMEOUT_MS", "0", "should be greater than or equal to 1"),
        ("FAIRLEAD_MAX_LEADS_PER_BATCH", "1001", "should be less than or equal to 1000"),
        ("FAIRLEAD_DATA_DIR", "~nobody-of-this-name/x", "names a home directory that does not exist"),
        ("FAIRLEAD_DATABASE_URL", "postgresql://u:\udcff@host/db", "must be one line of UTF-8 text"),
        ("FAIRLEAD_DATA_DIR", "/data/\udcff", "must be one line of UTF-8 text"),
        ("FAIRLEAD_SMTP_HOST", "mail\x9b.example.com", "must be one line of UTF-8 text"),
        ("FAIRLEAD_MAIL_FROM", "Leads\n <leads@example.com>", "must be one line of UTF-8 text"),
        ("FAIRLEAD_HTTP_HOST", "127.0.0.1\x85", "must be one line of UTF-8 text"),
        ("FAIRLEAD_SMTP_PASSWORD", "hush\x1b", "must be one line of UTF-8 text"),
        ("FAIRLEAD_LOG_LEVEL", "\udcff", "must be one line of UTF-8 text"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable_and_keeps_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    message = str(caught.value)
    assert message.startswith(f"{variable}: ")
    assert complaint in message
    assert "\n" not in message
    assert value not in message


def test_keys_may_stand_on_lines_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_ENCRYPTION_KEYS", "AAECAwQF,\n  BgcICQoL\r\n")
    assert load_settings().encryption_keys is not None


def test_settings_can_be_built_by_name() -> None:
    assert Settings.model_validate({"schema_name": "elsewhere"}).schema_name == "elsewhere"


@pytest.mark.parametrize("former", RENAMED)
def test_a_former_name_is_an_error_that_says_the_present_one(monkeypatch: pytest.MonkeyPatch, former: str) -> None:
    monkeypatch.setenv(former, "")
    load_settings()
    monkeypatch.setenv(former, "hush")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"{former}: is called {RENAMED[former]} now; rename it"


def test_a_file_of_a_former_name_is_an_error_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fairlead_secret_keys").write_text("hush")
    monkeypatch.setenv("FAIRLEAD_SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match="FAIRLEAD_SECRET_KEYS: is called FAIRLEAD_ENCRYPTION_KEYS now"):
        load_settings()


def test_what_former_names_became_are_settings() -> None:
    fields = {f"FAIRLEAD_{field.upper()}" for field in Settings.model_fields}
    assert set(RENAMED.values()) <= fields
    assert not fields & set(RENAMED)
