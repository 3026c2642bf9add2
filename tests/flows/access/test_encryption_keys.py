"""The keys that encrypt secrets: made on the first start, kept with the data, and missed loudly."""

from pathlib import Path
from typing import Any

import pytest

from fairlead.delivery.secret_box import new_secret_key, secret_box
from fairlead.flows.access.encryption_keys import read_encryption_keys, with_encryption_keys
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment
from fairlead.flows.access.log_in import log_in
from fairlead.flows.notifications.endpoints import set_webhook_endpoint
from fairlead.settings import Settings, SettingsError
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.embedded.key_file import key_file_of
from tests.api.asking import SECRET_KEYS
from tests.flows.access.people import BOX, HOME, PASSWORD, add_admin, add_provider, code


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRLEAD_DATABASE_URL", raising=False)
    monkeypatch.delenv("FAIRLEAD_ENCRYPTION_KEYS", raising=False)


def of_machine(data_dir: Path, **settings: Any) -> Settings:
    """The settings of a machine with the embedded server."""
    return Settings.model_validate({"data_dir": data_dir} | settings)


def key_of(settings: Settings) -> str:
    assert settings.encryption_keys is not None
    return settings.encryption_keys.get_secret_value()


def enrol(database: Database, settings: Settings) -> None:
    """An operator has a second factor, and so the database a secret that the settings' key sealed."""
    add_admin(database)
    box = secret_box(settings)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    seed = begin_totp_enrolment(database, box, token, HOME).seed
    confirm_totp_enrolment(database, box, token, code(database, seed), HOME)


def test_the_first_start_makes_them_and_the_second_finds_them(database: Database, tmp_path: Path) -> None:
    seen = read_encryption_keys(database, of_machine(tmp_path))
    assert (seen.source, seen.text) == ("none", None)
    assert not key_file_of(tmp_path).exists()
    first = with_encryption_keys(database, of_machine(tmp_path))
    enrol(database, first)
    again = with_encryption_keys(database, of_machine(tmp_path))
    assert key_of(again) == key_of(first)
    assert read_encryption_keys(database, of_machine(tmp_path)).source == "file"
    secret_box(again)


def test_a_lost_file_is_no_reason_to_make_another(database: Database, tmp_path: Path) -> None:
    enrol(database, with_encryption_keys(database, of_machine(tmp_path)))
    key_file_of(tmp_path).unlink()
    for look in (read_encryption_keys, with_encryption_keys):
        with pytest.raises(SettingsError, match=r"encryption_keys is missing, and 1 secret .* put the file back"):
            look(database, of_machine(tmp_path))
    assert not key_file_of(tmp_path).exists()


def test_a_lost_file_of_nothing_is_made_anew(database: Database, tmp_path: Path) -> None:
    first = with_encryption_keys(database, of_machine(tmp_path))
    add_admin(database)
    key_file_of(tmp_path).unlink()
    assert key_of(with_encryption_keys(database, of_machine(tmp_path))) != key_of(first)


def test_another_key_in_the_file_is_refused(database: Database, tmp_path: Path) -> None:
    first = with_encryption_keys(database, of_machine(tmp_path))
    enrol(database, first)
    key_file_of(tmp_path).write_text(new_secret_key())
    with pytest.raises(SettingsError, match=r"1 secret in the database .* a key that is not in .*encryption_keys"):
        with_encryption_keys(database, of_machine(tmp_path))
    # Both, the new one first, as when keys are exchanged.
    key_file_of(tmp_path).write_text(f"{new_secret_key()},\n{key_of(first)}\n")
    with_encryption_keys(database, of_machine(tmp_path))


def test_secrets_of_webhooks_are_missed_too(database: Database, tmp_path: Path) -> None:
    set_webhook_endpoint(
        database, BOX, add_provider(database), "https://crm.example.com/leads", None, OPERATOR, allow_private=False
    )
    with pytest.raises(SettingsError, match="is missing, and 1 secret"):
        with_encryption_keys(database, of_machine(tmp_path))
    given = of_machine(tmp_path, encryption_keys=SECRET_KEYS)
    assert key_of(with_encryption_keys(database, given)) == SECRET_KEYS
    assert not key_file_of(tmp_path).exists()


def test_a_setting_wins_and_a_contradiction_is_refused(database: Database, tmp_path: Path) -> None:
    kept = key_of(with_encryption_keys(database, of_machine(tmp_path)))
    other = new_secret_key()
    both = with_encryption_keys(database, of_machine(tmp_path, encryption_keys=f"{other},{kept}"))
    assert key_of(both) == f"{other},{kept}"
    with pytest.raises(SettingsError, match=r"does not hold the key that is kept in .*unset the variable, or add"):
        with_encryption_keys(database, of_machine(tmp_path, encryption_keys=other))


def test_no_message_repeats_a_key(database: Database, tmp_path: Path) -> None:
    key_file_of(tmp_path).write_text("hush")
    key_file_of(tmp_path).chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        with_encryption_keys(database, of_machine(tmp_path))
    assert "encryption_keys: key 1 is not the base64" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_named_server_is_given_its_keys_by_setting(database: Database, tmp_path: Path) -> None:
    named = of_machine(tmp_path, database_url="postgresql://u@host/db")
    assert with_encryption_keys(database, named).encryption_keys is None
    assert read_encryption_keys(database, named).source == "none"
    assert not key_file_of(tmp_path).exists()
    enrol(database, of_machine(tmp_path, encryption_keys=SECRET_KEYS))
    foreign = of_machine(tmp_path, database_url="postgresql://u@host/db", encryption_keys=new_secret_key())
    with pytest.raises(SettingsError, match="that is not in FAIRLEAD_ENCRYPTION_KEYS"):
        with_encryption_keys(database, foreign)
