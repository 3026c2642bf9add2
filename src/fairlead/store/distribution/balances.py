"""What providers have, read without a lock."""

from fairlead.core.model import Balance
from fairlead.store.connection import Connection


def read_balances(conn: Connection, niche_id: str) -> dict[str, Balance]:
    """What every provider that ever subscribed in the niche has. Locks nothing, so it is a guess when it is used."""
    rows = conn.execute(
        """
        select id::text, balance_cents, credit_limit_cents, ledger_seq
        from providers where id in (select provider_id from subscriptions where niche_id = %s)
        """,
        (niche_id,),
    )
    return {provider_id: Balance(*balance) for provider_id, *balance in rows}
