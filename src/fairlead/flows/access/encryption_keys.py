"""The keys that secrets at rest are encrypted with: from a setting, or from the file beside the embedded server's data.

A server of one machine needs no setting: its keys are made on the first start. With a server that FAIRLEAD_DATABASE_URL
names there may be many machines, whose data directories know nothing of each other and may not outlive a container, so
that the keys have to be given by setting.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from fairlead.delivery.secret_box import HEAD_BYTES, SecretBox, keys_in, new_secret_key
from fairlead.settings import Settings, SettingsError
from fairlead.store.access.sealed_secrets import sealed_heads
from fairlead.store.connection import Database
from fairlead.store.embedded.key_file import key_file_of, make_key_file, read_key_file

_VARIABLE = "FAIRLEAD_ENCRYPTION_KEYS"


@dataclass(frozen=True, slots=True)
class EncryptionKeys:
    """Where the keys come from; `file` is where they are kept, or would be, on a machine with the embedded server.

    `text` is None where there are none.
    """

    source: Literal["setting", "file", "none"]
    file: Path | None
    text: SecretStr | None = field(repr=False, default=None)


def with_encryption_keys(database: Database, settings: Settings) -> Settings:
    """The settings with the keys that this marketplace's secrets are encrypted with.

    On the first start with the embedded server they are made, and kept in the data directory. Raises SettingsError, in
    one line that says what to do, as `read_encryption_keys`.
    """
    keys = read_encryption_keys(database, settings)
    if keys.source == "none" and keys.file is not None:
        text = SecretStr(make_key_file(keys.file, new_secret_key()))
        # Another process may have made the file, and sealed something, since it was looked for.
        keys = EncryptionKeys("file", keys.file, text)
        _check_opens_all(database, keys)
    return settings.model_copy(update={"encryption_keys": keys.text})


def read_encryption_keys(database: Database, settings: Settings) -> EncryptionKeys:
    """Where this marketplace's keys come from; nothing is made.

    A setting wins over the file. Raises SettingsError, in one line that says what to do, for keys that are malformed;
    where the file's are not among those of the setting; and where a secret in the database was encrypted with none of
    them, or the file that holds them is missing.
    """
    file = None if settings.database_url is not None else key_file_of(settings.data_dir)
    kept = None if file is None else read_key_file(file)
    if settings.encryption_keys is not None:
        _check_setting_holds(settings.encryption_keys.get_secret_value(), kept, file)
        keys = EncryptionKeys("setting", file, settings.encryption_keys)
    elif kept is not None:
        keys = EncryptionKeys("file", file, SecretStr(kept))
    else:
        keys = EncryptionKeys("none", file)
    _check_opens_all(database, keys)
    return keys


def _check_setting_holds(text: str, kept: str | None, file: Path | None) -> None:
    given = keys_in(text, _VARIABLE)
    if kept is not None and not {*keys_in(kept, str(file))} <= {*given}:
        raise SettingsError(
            f"{_VARIABLE} does not hold the key that is kept in {file}, with which secrets were encrypted: unset the "
            "variable, or add that key behind yours, after a comma"
        )


def _check_opens_all(database: Database, keys: EncryptionKeys) -> None:
    if keys.source == "none" and keys.file is None:
        return  # what needs a key says so itself
    box = None if keys.text is None else SecretBox(keys_in(keys.text.get_secret_value(), _where(keys)))
    heads = database.read(lambda conn: sealed_heads(conn, HEAD_BYTES))
    closed = sum(count for head, count in heads.items() if box is None or not box.has_key_of(head))
    if not closed:
        return
    secrets = f"{closed} secrets" if closed > 1 else "1 secret"
    if box is None:
        raise SettingsError(
            f"{keys.file} is missing, and {secrets} in the database (second factors, webhooks) were encrypted with the "
            "key in it: put the file back from a copy; no other key opens them"
        )
    raise SettingsError(
        f"{secrets} in the database (second factors, webhooks) were encrypted with a key that is not in "
        f"{_where(keys)}: add it there, after a comma; without it they cannot be opened"
    )


def _where(keys: EncryptionKeys) -> str:
    return _VARIABLE if keys.source == "setting" else str(keys.file)
