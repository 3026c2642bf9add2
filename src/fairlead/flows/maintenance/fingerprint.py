"""Giving fingerprints to leads that came before a duplicate rule, or from a file or an operator's hand."""

import json
from collections import Counter

from fairlead.core.canonical import JsonObject
from fairlead.core.duplicates import COMPARED_AS, FieldGroup, fingerprints
from fairlead.flows.intake.duplicates import groups_of
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.connection import Connection
from fairlead.store.leads.fingerprints import (
    Progress,
    add_fingerprints,
    intake_secret,
    lock_progress,
    marketplace_rules,
    niches_with_rules,
    unseen_leads,
    write_progress,
)

CHUNK_LEADS = 1_000
MOST_CHUNKS = 10
"""Of one niche at a time: what is left has its turn in a minute, and no other niche waits for it."""


def fingerprint(maintenance: Maintenance) -> Counter[str]:
    """Leads of niches with a duplicate rule have fingerprints; returns how many fingerprints are new.

    Begins with the oldest lead, and anew when what is compared, or how, is different. Leaves out leads of the last ten
    minutes: those of intake have theirs at once. A thousand to a transaction, which locks its own progress
    and holds its leads against being erased meanwhile;
    a niche's leads are seen to once, whichever worker runs it. Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for niche_id, rule, region in maintenance.database.run(niches_with_rules):
        for _ in range(MOST_CHUNKS):

            def work(
                conn: Connection,
                niche_id: str = niche_id,
                rule: JsonObject | None = rule,
                region: str | None = region,
            ) -> tuple[int, int]:
                return _some(conn, niche_id, groups_of(rule, marketplace_rules(conn)), region)

            seen, added = maintenance.database.run(work)
            counts["fingerprints"] += added
            if seen < CHUNK_LEADS:
                break
    return counts


def _some(conn: Connection, niche_id: str, groups: tuple[FieldGroup, ...], region: str | None) -> tuple[int, int]:
    """How many leads were seen to, and how many fingerprints are new."""
    if not groups:
        return 0, 0
    # By what these are made: with anything else of it different, the fingerprints are others.
    named = json.dumps({"compared": COMPARED_AS, "region": region, "groups": groups})
    progress = lock_progress(conn, niche_id)
    after = None if progress is None or progress.field_groups != named else progress
    leads = unseen_leads(conn, niche_id, after, CHUNK_LEADS)
    if not leads:
        return 0, 0
    secret = intake_secret(conn)
    rows = [
        (lead.lead_id, lead.created_at, each)
        for lead in leads
        if lead.counts
        for each in fingerprints(groups, lead.contact, lead.attributes, secret, region).values()
    ]
    added = add_fingerprints(conn, niche_id, rows)
    write_progress(conn, niche_id, Progress(named, leads[-1].created_at, leads[-1].lead_id))
    return len(leads), added
