"""The words of contacts' names, as rows: put in with the lead, looked for, gone with the lead's personal data."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from fairlead.store.connection import Connection


def insert_name_words(conn: Connection, words_of_leads: Iterable[tuple[str, Sequence[str]]], now: datetime) -> None:
    """The leads, which came in at `now` in this transaction, are found by these words."""
    pairs = [(lead_id, word) for lead_id, words in words_of_leads for word in words]
    if pairs:
        conn.execute(
            """
            insert into lead_name_words (lead_id, word, created_at)
            select lead_id, word, %s from unnest(%s::uuid[], %s::text[]) as found_by (lead_id, word)
            """,
            (now, [lead_id for lead_id, _ in pairs], [word for _, word in pairs]),
        )


def delete_name_words(conn: Connection, lead_ids: Sequence[str]) -> None:
    """The leads are found by no name any more."""
    conn.execute("delete from lead_name_words where lead_id = any(%s::uuid[])", (list(lead_ids),))
