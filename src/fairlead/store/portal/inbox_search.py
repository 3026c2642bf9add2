"""Looking for a lead among those that a provider bought, by a name, an address, a number, a word."""

from uuid import UUID

from fairlead.core.entry.mailbox import mailbox_search_keys
from fairlead.core.entry.phone import phone_search_keys
from fairlead.core.entry.text import composed, is_storable
from fairlead.core.errors import BadInput
from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions
from fairlead.store.leads.intake import phone_regions

SHORTEST_SEARCH, LONGEST_SEARCH = 2, 200
SEARCHED_ROWS = 5_000
"""For one page: so many leads are read and searched for a part of what they say."""
MOST_EXACT_MATCHES = 1_000


def exact_matches(conn: Connection, provider_id: str, search: str) -> list[str]:
    """The provider's assignments whose own id or lead's id, email or phone is what was searched; the newest of them.

    Email and phone however they were written, then and now (`core/entry`). Found by indices, at any age; the cost grows
    with the leads that have the same. Raises `BadInput` for a search that is too short or too long.
    """
    text = _checked(search)
    rows = conn.execute(
        # Each way of its own: an index answers each, and none answers them together. No function is applied to a
        # column, since row-level security would keep it from an index.
        """
        with found as materialized (
            select id, ledger_seq from assignments where id = %(id)s and provider_id = %(provider)s
            union
            select id, ledger_seq from assignments where lead_id = %(id)s and provider_id = %(provider)s
            union
            select a.id, a.ledger_seq from leads l
            join assignments a on a.lead_id = l.id and a.provider_id = %(provider)s
            where l.email_key = any(%(emails)s)
            union
            select a.id, a.ledger_seq from leads l
            join assignments a on a.lead_id = l.id and a.provider_id = %(provider)s
            where l.phone_key = any(%(phones)s)
        )
        select id::text from found order by ledger_seq desc limit %(most)s
        """,
        {
            "provider": provider_id,
            "id": _id_or_none(text),
            "emails": list(mailbox_search_keys(text)) if "@" in text else [],
            "phones": list(phone_search_keys(text, phone_regions(conn))),
            "most": MOST_EXACT_MATCHES,
        },
    ).fetchall()
    return [row[0] for row in rows]


def add_search(row_filter: Conditions, search: str) -> None:
    """The assignment `a` is kept if its lead's contact or answers contain the text, or its lead's id begins with it.

    No sign in the text has a meaning of its own. Raises `BadInput` for a search that is too short or too long.
    """
    text = _checked(search)
    row_filter.add(
        # One subquery, so that each lead is read once, and only for the rows that are looked at.
        """
        (starts_with(a.lead_id::text, lower(%s)) or coalesce((
            select strpos(lower(concat_ws(chr(10), l.contact_name, l.contact_email, l.contact_phone)), lower(%s)) > 0
                   or exists (select from jsonb_path_query(l.attributes, '$.*[*]') as answer
                              where strpos(lower(answer #>> '{}'), lower(%s)) > 0)
            from leads l where l.id = a.lead_id), false))
        """,
        text,
        text,
        text,
    )


def _checked(search: str) -> str:
    text = composed(search).strip()
    if not SHORTEST_SEARCH <= len(text) <= LONGEST_SEARCH or not is_storable(text):
        raise BadInput([f"search: must have {SHORTEST_SEARCH} to {LONGEST_SEARCH} characters that can be stored"])
    return text


def _id_or_none(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
