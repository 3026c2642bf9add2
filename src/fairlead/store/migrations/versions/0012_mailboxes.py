"""Run `0012_mailboxes.sql`, and give every user and provider the key of its mailbox."""

from typing import LiteralString

from alembic import op

from fairlead.core.entry.mailbox import mailbox_key
from fairlead.store.migrations import run_sql_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql_beside(__file__)
    _fill(
        "select id::text, email from users order by created_at, id",
        "update users set email_key = given.key from unnest(%s::uuid[], %s::text[]) as given (id, key)"
        " where users.id = given.id",
    )
    _fill(
        "select id::text, email from providers order by created_at, id",
        "update providers set email_key = given.key from unnest(%s::uuid[], %s::text[]) as given (id, key)"
        " where providers.id = given.id",
    )
    op.execute("alter table users alter column email_key set not null")
    op.execute("alter table providers alter column email_key set not null")
    op.execute("create unique index users_mailbox_is_unique on users (email_key)")
    op.execute("create unique index providers_mailbox_is_unique on providers (email_key)")


def _fill(rows: LiteralString, write: LiteralString) -> None:
    """The oldest of several with one mailbox has its key; each other one has a key that no address has, and is found
    by its address as it is written."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    keys: dict[str, str] = {}
    for row_id, email in connection.execute(rows).fetchall():
        key = mailbox_key(email)
        keys[key if key not in keys else f"{key} {row_id}"] = row_id
    connection.execute(write, (list(keys.values()), list(keys)))
