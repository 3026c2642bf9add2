"""Everything that the environment decides, read once, here and nowhere else."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import site_data_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# What ends a line or cannot be seen, and bytes that are no UTF-8, which Python reads as half characters.
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ENV_OF_FIELD = {"schema_name": "FAIRLEAD_SCHEMA"}

RENAMED = {
    "FAIRLEAD_BATCH_LIMIT_LEADS": "FAIRLEAD_MAX_LEADS_PER_BATCH",
    "FAIRLEAD_DRAIN_SECONDS": "FAIRLEAD_SHUTDOWN_TIMEOUT_SECONDS",
    "FAIRLEAD_LEADS_PER_SECOND": "FAIRLEAD_MAX_LEADS_PER_SECOND",
    "FAIRLEAD_OPERATOR_EMAILS": "FAIRLEAD_ALERT_EMAILS",
    "FAIRLEAD_SECOND_GUARD": "FAIRLEAD_ROW_LEVEL_SECURITY",
    "FAIRLEAD_SECRET_KEYS": "FAIRLEAD_ENCRYPTION_KEYS",
    "FAIRLEAD_TAKEOVER_SECONDS": "FAIRLEAD_HEARTBEAT_TIMEOUT_SECONDS",
    "FAIRLEAD_WEB_CONNECTIONS": "FAIRLEAD_WEB_POOL_SIZE",
}
"""By its former name, what a variable is called. A former name that is set is an error: ignored, it would be a limit or
a protection that an operator believes to be in force."""

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
"""How this machine calls itself: what listens or was asked for there is reached by no other machine."""

Port = Annotated[int, Field(ge=0, le=65_535)]
Milliseconds = Annotated[int, Field(ge=1, le=86_400_000)]


class SettingsError(ValueError):
    """The environment holds a value that Fairlead cannot use; the message, one line, names the variable."""


def default_data_dir() -> Path:
    """The directory that keeps what Fairlead stores on this machine, when none was named.

    An ordinary user's own data directory; for root the system's, because PostgreSQL refuses to run as root
    and the account that runs it instead cannot reach into root's home.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return site_data_path("fairlead") if sys.platform == "darwin" else Path("/var/lib/fairlead")
    return user_data_path("fairlead")


class Settings(BaseSettings):
    """One process's settings, from variables that start with FAIRLEAD_; an empty one counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix="FAIRLEAD_", env_ignore_empty=True, extra="forbid", frozen=True, populate_by_name=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the files of the directory that FAIRLEAD_SECRETS_DIR names: one file per variable."""
        directory = os.environ.get("FAIRLEAD_SECRETS_DIR")
        files = (SecretsSettingsSource(settings_cls, secrets_dir=directory),) if directory else ()
        return (init_settings, env_settings, *files)

    database_url: SecretStr | None = None
    # The same database without the pooler that the other address leads to, if it does.
    direct_database_url: SecretStr | None = None
    schema_name: str = Field(default="fairlead", validation_alias="FAIRLEAD_SCHEMA")
    data_dir: Path = Field(default_factory=default_data_dir)
    postgres_bin_dir: Path | None = None
    statement_timeout_ms: Milliseconds = 60_000
    lock_timeout_ms: Milliseconds = 10_000
    idle_in_transaction_timeout_ms: Milliseconds = 60_000
    transaction_timeout_ms: Milliseconds = 300_000
    # Instead of the statement timeout where everything is read: verify, reconcile, exports.
    long_statement_timeout_ms: Milliseconds = 1_800_000
    # Providers' requests run under row-level security too, in a role that `fairlead migrate` makes.
    row_level_security: Literal["on", "off"] = "on"
    max_leads_per_batch: Annotated[int, Field(ge=1, le=1000)] = 50

    # Workers. What is said per second holds across all processes, what is concurrent holds in each of them.
    worker_concurrency: Annotated[int, Field(ge=1, le=100)] = 5
    delivery_concurrency: Annotated[int, Field(ge=1, le=100)] = 5
    max_leads_per_second: Annotated[float, Field(ge=0.000_001, le=10_000)] | None = None
    heartbeat_timeout_seconds: Annotated[int, Field(ge=2, le=600)] = 30
    shutdown_timeout_seconds: Annotated[int, Field(ge=1, le=600)] = 25
    # Stretches or shortens the delays before anything is tried again.
    retry_delay_factor: Annotated[float, Field(ge=0.001, le=10)] = 1.0

    # Exports: how long a file is kept, and how large one may be.
    export_kept_days: Annotated[int, Field(ge=1, le=365)] = 7
    export_max_rows: Annotated[int, Field(ge=1, le=1_000_000_000)] = 5_000_000
    export_max_megabytes: Annotated[int, Field(ge=1, le=100_000)] = 1_000

    # Where each process answers /livez, /readyz and /metrics; port 0 stands for any free one.
    http_host: str = "127.0.0.1"
    web_port: Port = 8000
    worker_port: Port = 8001
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    # Where people reach us from outside: links in messages begin with it.
    public_url: str | None = None
    # Of each web process: how many transactions it has open at once, and so how many requests it works on.
    web_pool_size: Annotated[int, Field(ge=6, le=200)] = 12
    # Whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks, separated by commas.
    trusted_proxies: str = ""
    # The session cookie also without https: unset, only for a browser on this machine (api/session_cookie.py).
    cookie_over_http: bool | None = None

    # Who collects deposits. Unset: the test gateway as long as there is no public address, and none from then on.
    payment_gateway: Literal["none", "test", "stripe"] | None = None
    stripe_secret_key: SecretStr | None = None
    # Of its endpoint for our webhooks; two, separated by a comma, while one takes the other's place.
    stripe_webhook_secrets: SecretStr | None = None

    # Email, and the operators' addresses that alerts go to.
    mail_transport: Literal["console", "directory", "smtp"] = "console"
    mail_directory: Path | None = None
    mail_from: str = "Fairlead <fairlead@localhost>"
    alert_emails: str = ""
    smtp_host: str = "localhost"
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 20
    # Authorities that sign the mail server's certificate, in PEM, instead of the system's.
    smtp_ca_file: Path | None = None

    # Webhooks. Private addresses are refused unless this is a developer's machine.
    webhook_allow_private: bool = False
    webhook_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 15
    webhook_pause_after_failures: Annotated[int, Field(ge=1, le=10_000)] = 20
    # Encrypt secrets at rest: base64 of 32 bytes each, separated by commas; the first encrypts, all decrypt.
    encryption_keys: SecretStr | None = None

    @property
    def sends_mail(self) -> bool:
        """Whether messages leave this machine; otherwise they are printed or written to files."""
        return self.mail_transport == "smtp"

    @property
    def site_url(self) -> str | None:
        """Where links in messages lead: FAIRLEAD_PUBLIC_URL.

        Without one it is this machine's own address, as long as no message leaves it: a link to it would be of use to
        no other. None where there is neither.
        """
        if self.public_url is not None:
            return self.public_url
        if self.sends_mail or self.http_host not in LOOPBACK_HOSTS or not self.web_port:
            return None
        return local_url(self.http_host, self.web_port)

    @property
    def deposit_gateway(self) -> Literal["none", "test", "stripe"]:
        """Who collects deposits: what was chosen; else the test gateway where none but this machine is served."""
        if self.payment_gateway is not None:
            return self.payment_gateway
        return "test" if self.public_url is None and self.http_host in LOOPBACK_HOSTS else "none"

    @model_validator(mode="after")
    def _stripe_is_whole(self) -> Settings:
        if self.payment_gateway == "stripe":
            for name in ("stripe_secret_key", "stripe_webhook_secrets", "public_url"):
                if getattr(self, name) is None:
                    raise ValueError(f"FAIRLEAD_PAYMENT_GATEWAY=stripe needs FAIRLEAD_{name.upper()}")
        return self

    @field_validator("*", mode="before")
    @classmethod
    def _line_of_text(cls, value: object, info: ValidationInfo) -> object:
        # A file may hold one key a line.
        line = "".join(value.split()) if info.field_name == "encryption_keys" and isinstance(value, str) else value
        if isinstance(line, str) and _NO_TEXT.search(line):
            raise ValueError("must be one line of UTF-8 text without control characters")
        return value

    @field_validator("database_url", "direct_database_url")
    @classmethod
    def _address_of_postgresql(cls, address: SecretStr | None) -> SecretStr | None:
        if address is not None:
            text = address.get_secret_value()
            if not text.startswith(("postgresql://", "postgres://")) and ("://" in text or "=" not in text):
                raise ValueError("must start with postgresql:// (for example postgresql://user:secret@host:5432/name)")
        return address

    @field_validator("public_url")
    @classmethod
    def _address_of_a_site(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
            raise ValueError("must be an address such as https://leads.example.com, without ? or #")
        return None if url is None else url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        for each in filter(None, map(str.strip, text.split(","))):
            try:
                ip_network(each)
            except ValueError:
                raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas") from None
        return text

    @field_validator("cookie_over_http")
    @classmethod
    def _only_on_this_machine(cls, wanted: bool | None, info: ValidationInfo) -> bool | None:
        if wanted and info.data.get("http_host") not in LOOPBACK_HOSTS:
            raise ValueError("is for a developer's machine: FAIRLEAD_HTTP_HOST must be 127.0.0.1, ::1 or localhost")
        return wanted

    @field_validator("schema_name")
    @classmethod
    def _name_of_a_schema(cls, name: str) -> str:
        if not _SCHEMA_NAME.fullmatch(name):
            raise ValueError("must be 1 to 63 lower-case letters, digits or underscores and not start with a digit")
        if name.startswith("pg_") or name == "information_schema":
            raise ValueError("is a name that PostgreSQL keeps for itself")
        return name

    @field_validator("data_dir", "postgres_bin_dir", "mail_directory", "smtp_ca_file")
    @classmethod
    def _absolute_path(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            return path.expanduser().absolute()
        except RuntimeError:
            raise ValueError("names a home directory that does not exist") from None


def local_url(host: str, port: int) -> str:
    """The address of a web process as a browser on its own machine has it.

    >>> local_url("::1", 8000), local_url("0.0.0.0", 80)
    ('http://[::1]:8000', 'http://127.0.0.1:80')
    """
    with suppress(ValueError):
        if ip_address(host).is_unspecified:  # every interface
            host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def load_settings() -> Settings:
    """Return the settings that the environment holds now.

    Raises SettingsError for the first bad one, in one line that never repeats the value: it may be a secret.
    """
    _refuse_former_names()
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "?"
        variable = field if field.startswith("FAIRLEAD_") else f"FAIRLEAD_{field.upper()}"
        reason = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
        raise SettingsError(f"{_ENV_OF_FIELD.get(field, variable)}: {reason}") from None


def _refuse_former_names() -> None:
    directory = os.environ.get("FAIRLEAD_SECRETS_DIR")
    files = {path.name.upper() for path in Path(directory).glob("*")} if directory else set[str]()
    for former, name in RENAMED.items():
        if os.environ.get(former) or former in files:
            raise SettingsError(f"{former}: is called {name} now; rename it")
