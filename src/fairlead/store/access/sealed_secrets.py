"""What is kept encrypted: which keys it takes to read all of it."""

from fairlead.store.connection import Connection


def sealed_heads(conn: Connection, head_bytes: int) -> dict[bytes, int]:
    """The first bytes of every secret in force, which say what key sealed it, and how many begin like that.

    Second factors, and the secrets of webhook endpoints; what is only begun or was removed is left out. Reads all of
    them.
    """
    counts: dict[bytes, int] = {}
    for statement in (
        "select substring(totp_seed from 1 for %(size)s), count(*) from users where totp_seed is not null group by 1",
        "select substring(secret from 1 for %(size)s), count(*) from webhook_endpoints where deleted_at is null"
        " group by 1",
        "select substring(previous_secret from 1 for %(size)s), count(*) from webhook_endpoints"
        " where deleted_at is null and previous_secret is not null group by 1",
    ):
        for head, count in conn.execute(statement, {"size": head_bytes}).fetchall():
            counts[head] = counts.get(head, 0) + count
    return counts
