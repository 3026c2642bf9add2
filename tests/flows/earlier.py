"""Leads that came in earlier than they did: every row that tells of it says so, and the audit log is chained again."""

from fairlead.store.connection import Database
from tests.chaos.tampering import rehash_audit_log

TIMES_OF_A_LEAD = {
    "leads": ("created_at", "approved_at", "rejected_at"),
    "lead_intakes": ("taken_in_at", "confirm_by", "confirmed_at"),
    "lead_fingerprints": ("created_at",),
    "lead_name_words": ("created_at",),
    "lead_consents": ("consented_at", "recorded_at"),
    "confirmation_tokens": ("created_at", "expires_at"),
}


def move_leads_back(database: Database, interval: str) -> None:
    """As if all leads that were not decided yet had come in, and been reviewed, so much earlier."""
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")  # the audit log can only be appended to
        for table, columns in TIMES_OF_A_LEAD.items():
            moved = ", ".join(f"{column} = {column} - %(interval)s::interval" for column in columns)
            conn.execute(f"update {table} set {moved}".encode(), {"interval": interval})
        conn.execute(
            "update audit_log set created_at = created_at - %s::interval "
            "where entity = 'lead' or action in ('leads.submitted', 'leads.imported')",
            (interval,),
        )
        rehash_audit_log(conn)
