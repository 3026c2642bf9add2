"""Where the rows of each export come from: its columns, tables, order, and the filters that it knows."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.core.money.receipts import CONTACT_NAMES
from fairlead.store.exports.columns import ExportColumn
from fairlead.store.leads.listing import STATUS_OF_OUTCOME
from fairlead.store.money.receipts import MADE_BY, PAID_BY

SENTENCE = "sentence"
"""The column that a flow writes: of a refusal that names its provider the record, else null."""

CURRENCY = ExportColumn("currency", expression="coalesce((select currency from marketplace), 'EUR')")


@dataclass(frozen=True, slots=True)
class Source:
    """A query. `moment` is the column that a span of time is about.

    `filters` are conditions in SQL with one parameter each; those of `niche` and `provider` compare with its id.
    """

    columns: tuple[ExportColumn, ...]
    tables: str
    moment: str
    order: str
    filters: Mapping[str, str]


_OUTCOME = "case %s {} else false end".format(
    " ".join(
        f"when '{outcome}' then l.status = '{status}'"
        + ("" if last_outcome is None else f" and l.last_outcome = '{last_outcome}'")
        for outcome, (status, last_outcome) in STATUS_OF_OUTCOME.items()
    )
)
"""What the list of leads calls an outcome: the status, and the last attempt where that says more."""

_LEADS = Source(
    columns=(
        ExportColumn("lead_id", expression="l.id::text"),
        ExportColumn("niche", expression="n.slug"),
        ExportColumn("status", expression="l.status"),
        ExportColumn("created_at", "time", expression="l.created_at"),
        ExportColumn("approved_at", "time", expression="l.approved_at"),
        ExportColumn("distributed_at", "time", expression="l.distributed_at"),
        ExportColumn("last_outcome", expression="l.last_outcome"),
        ExportColumn("distribution_attempts", "integer", expression="l.distribution_attempts"),
        ExportColumn("recipients", "integer", expression="coalesce(s.recipients, 0)"),
        ExportColumn("gross_cents", "integer", expression="coalesce(s.gross_cents, 0)"),
        ExportColumn("refunded_cents", "integer", expression="coalesce(s.refunded_cents, 0)"),
        CURRENCY,
        ExportColumn("utm_source", expression="l.utm_source"),
        ExportColumn("utm_medium", expression="l.utm_medium"),
        ExportColumn("utm_campaign", expression="l.utm_campaign"),
        ExportColumn("rejected_at", "time", expression="l.rejected_at"),
        # A reviewer's words, and an address that a consumer came from, may say who it is.
        ExportColumn("rejection_reason", contact="consumer", expression="l.rejection_reason"),
        ExportColumn("referrer", contact="consumer", expression="l.referrer"),
        ExportColumn("contact_name", contact="consumer", expression="l.contact_name"),
        ExportColumn("contact_email", contact="consumer", expression="l.contact_email"),
        ExportColumn("contact_phone", contact="consumer", expression="l.contact_phone"),
        ExportColumn("attributes", "json", contact="consumer", expression="l.attributes"),
    ),
    tables=(
        "leads l join niches n on n.id = l.niche_id left join lateral ("
        "select count(*) as recipients, sum(a.price_cents)::bigint as gross_cents, "
        "sum(a.price_cents) filter (where a.refunded_at is not null)::bigint as refunded_cents "
        "from assignments a where a.lead_id = l.id) s on l.recipient_ids <> '{}'"
    ),
    moment="l.created_at",
    order="l.created_at, l.id",
    filters={
        "niche": "l.niche_id = %s",
        "status": "l.status = %s",
        "source": "l.utm_source = %s",
        "outcome": _OUTCOME,
        "id_prefix": "starts_with(replace(l.id::text, '-', ''), lower(replace(%s, '-', '')))",
    },
)

_ASSIGNMENTS = Source(
    columns=(
        ExportColumn("assignment_id", expression="a.id::text"),
        ExportColumn("lead_id", expression="a.lead_id::text"),
        ExportColumn("niche", expression="n.slug"),
        ExportColumn("level", expression="l.name"),
        ExportColumn("provider_id", expression="a.provider_id::text"),
        ExportColumn("provider_name", expression="p.name"),
        ExportColumn("provider_email", contact="provider", expression="p.email"),
        ExportColumn("subscription_id", expression="a.subscription_id::text"),
        ExportColumn("price_cents", "integer", expression="a.price_cents"),
        CURRENCY,
        ExportColumn("status", expression="a.status"),
        ExportColumn("assigned_at", "time", expression="a.assigned_at"),
        ExportColumn("journal_seq", "integer", expression="a.journal_seq"),
        ExportColumn("served_seq", "integer", expression="a.served_seq"),
        ExportColumn("ledger_seq", "integer", expression="a.ledger_seq"),
    ),
    tables=(
        "assignments a join niches n on n.id = a.niche_id join providers p on p.id = a.provider_id "
        "join competition_levels l on l.id = a.competition_level_id"
    ),
    moment="a.assigned_at",
    order="n.slug, a.served_seq",
    filters={"niche": "a.niche_id = %s", "provider": "a.provider_id = %s", "status": "a.status = %s"},
)

_DECISIONS = Source(
    columns=(
        ExportColumn("niche", expression="n.slug"),
        ExportColumn("journal_seq", "integer", expression="j.seq"),
        ExportColumn("recorded_at", "time", expression="j.recorded_at"),
        ExportColumn("lead_id", expression="j.payload ->> 'lead_id'"),
        ExportColumn("attempt", "integer", expression="(j.payload ->> 'attempt')::int"),
        ExportColumn("outcome", expression="j.payload ->> 'outcome'"),
        ExportColumn("start_order_position", "integer", expression="(j.payload ->> 'start_order_position')::int"),
        # A decision without an active level has no level, and one row all the same.
        ExportColumn("level_number", "integer", expression="level.number"),
        ExportColumn("level_id", expression="level.record ->> 'level_id'"),
        ExportColumn("level", expression="l.name"),
        ExportColumn("price_cents", "integer", expression="(level.record ->> 'price_cents')::bigint"),
        CURRENCY,
        ExportColumn("max_recipients", "integer", expression="(level.record ->> 'max_recipients')::int"),
        ExportColumn("recipient_count", "integer", expression="jsonb_array_length(level.record -> 'recipients')"),
        ExportColumn("recipients", "json", expression="level.record -> 'recipients'"),
        ExportColumn("refused", "json", expression="level.record -> 'refused'"),
        ExportColumn("refused_counts", "json", expression="level.record -> 'counts'"),
    ),
    tables=(
        "niche_journal j join niches n on n.id = j.niche_id "
        "left join lateral jsonb_array_elements(j.payload -> 'levels') with ordinality as level (record, number) "
        "on true left join competition_levels l on l.id = (level.record ->> 'level_id')::uuid"
    ),
    moment="j.recorded_at",
    order="j.niche_id, j.seq, level.number",
    filters={
        # Always there: it says which entries are decisions.
        "": "j.kind = 'decision'",
        "niche": "j.niche_id = %s",
        "outcome": "j.payload ->> 'outcome' = %s",
    },
)

_REFUSALS = Source(
    columns=(
        ExportColumn("niche", expression="n.slug"),
        ExportColumn("journal_seq", "integer", expression="j.seq"),
        ExportColumn("recorded_at", "time", expression="j.recorded_at"),
        ExportColumn("lead_id", expression="j.payload ->> 'lead_id'"),
        ExportColumn("attempt", "integer", expression="(j.payload ->> 'attempt')::int"),
        ExportColumn("level_id", expression="level.record ->> 'level_id'"),
        ExportColumn("level", expression="l.name"),
        ExportColumn("provider_id", expression="refusal.record ->> 'provider_id'"),
        ExportColumn("provider_name", expression="p.name"),
        ExportColumn("subscription_id", expression="refusal.record ->> 'subscription_id'"),
        ExportColumn("reason", expression="refusal.reason"),
        ExportColumn("count", "integer", expression="refusal.count"),
        # Of the level what its refusals are read with; the flow makes the sentence from it.
        ExportColumn(
            SENTENCE,
            expression="case when refusal.record is not null then jsonb_build_object('refused', refusal.record, "
            "'level', level.record - '{recipients,refused,counts}'::text[]) end",
        ),
    ),
    tables=(
        "niche_journal j join niches n on n.id = j.niche_id "
        "cross join lateral jsonb_array_elements(case when j.kind = 'decision' then j.payload -> 'levels' end) "
        "with ordinality as level (record, number) "
        "cross join lateral ("
        "select record, record ->> 'reason' as reason, 1 as count, number "
        "from jsonb_array_elements(level.record -> 'refused') with ordinality as refused (record, number) "
        "union all select null, key, value::int, null from jsonb_each_text(level.record -> 'counts')"
        ") as refusal "
        "left join competition_levels l on l.id = (level.record ->> 'level_id')::uuid "
        "left join providers p on p.id = (refusal.record ->> 'provider_id')::uuid"
    ),
    moment="j.recorded_at",
    order="j.niche_id, j.seq, level.number, refusal.number nulls last, refusal.reason",
    filters={
        "niche": "j.niche_id = %s",
        "provider": "(refusal.record ->> 'provider_id')::uuid = %s",
        "reason": "refusal.reason = %s",
    },
)

_LEDGER = Source(
    columns=(
        ExportColumn("provider_id", expression="e.provider_id::text"),
        ExportColumn("provider_email", contact="provider", expression="p.email"),
        ExportColumn("seq", "integer", expression="e.seq"),
        ExportColumn("kind", expression="e.kind"),
        ExportColumn("amount_cents", "integer", expression="e.amount_cents"),
        CURRENCY,
        ExportColumn("balance_after_cents", "integer", expression="e.balance_after_cents"),
        ExportColumn("niche", expression="n.slug"),
        ExportColumn("assignment_id", expression="e.assignment_id::text"),
        ExportColumn("payment_id", expression="e.payment_id::text"),
        ExportColumn("actor", expression="e.actor"),
        ExportColumn("memo", expression="e.memo"),
        ExportColumn("created_at", "time", expression="e.created_at"),
    ),
    tables=(
        "ledger_entries e join providers p on p.id = e.provider_id "
        "left join assignments a on a.id = e.assignment_id left join niches n on n.id = a.niche_id"
    ),
    moment="e.created_at",
    order="e.provider_id, e.seq",
    filters={"niche": "a.niche_id = %s", "provider": "e.provider_id = %s", "entry_kind": "e.kind = %s"},
)

_JOURNAL = Source(
    columns=(
        ExportColumn("niche_id", expression="j.niche_id::text"),
        ExportColumn("seq", "integer", expression="j.seq"),
        ExportColumn("kind", expression="j.kind"),
        ExportColumn("payload", "json", expression="j.payload"),
        ExportColumn("recorded_at", "time", expression="j.recorded_at"),
        ExportColumn("prev_hash", expression="encode(j.prev_hash, 'hex')"),
        ExportColumn("hash", expression="encode(j.hash, 'hex')"),
    ),
    tables="niche_journal j",
    moment="j.recorded_at",
    order="j.niche_id, j.seq",
    filters={"niche": "j.niche_id = %s"},
)

_RECEIPTS = Source(
    columns=(
        ExportColumn("number", "integer", expression="r.number"),
        ExportColumn("kind", expression="r.kind"),
        ExportColumn("issued_at", "time", expression="r.issued_at"),
        ExportColumn("provider_id", expression="r.provider_id::text"),
        ExportColumn("payment_id", expression="r.payment_id::text"),
        ExportColumn("gateway", expression="p.gateway"),
        ExportColumn("paid_by", expression=PAID_BY),
        ExportColumn("corrects_number", "integer", expression="r.corrects_number"),
        ExportColumn("corrected_by", "integer", expression="c.number"),
        ExportColumn("gross_cents", "integer", expression="r.gross_cents"),
        ExportColumn("net_cents", "integer", expression="r.gross_cents - r.tax_cents"),
        ExportColumn("tax_cents", "integer", expression="r.tax_cents"),
        ExportColumn("tax_rate_basis_points", "integer", expression="r.tax_rate_basis_points"),
        # Of the paper itself: it keeps its currency.
        ExportColumn("currency", expression="r.currency"),
        *(
            ExportColumn(f"issuer_{name}", expression=f"r.parties -> 'issuer' ->> '{name}'")
            for name in ("name", "legal_name", "address", "country", "tax_id")
        ),
        ExportColumn("recipient_name", expression="r.parties -> 'recipient' ->> 'name'"),
        ExportColumn("recipient_country", expression="r.parties -> 'recipient' ->> 'country'"),
        *(
            ExportColumn(f"recipient_{name}", contact="provider", expression=f"r.parties -> 'recipient' ->> '{name}'")
            for name in CONTACT_NAMES
        ),
        ExportColumn("sha256", expression="encode(r.sha256, 'hex')"),
    ),
    tables=(
        "receipts r left join receipts c on c.corrects_number = r.number "
        f"join payments p on p.id = r.payment_id {MADE_BY}"
    ),
    moment="r.issued_at",
    order="r.number",
    filters={"provider": "r.provider_id = %s"},
)

SOURCES: Mapping[str, Source] = {
    "leads": _LEADS,
    "assignments": _ASSIGNMENTS,
    "decisions": _DECISIONS,
    "refusals": _REFUSALS,
    "ledger": _LEDGER,
    "receipts": _RECEIPTS,
    "journal": _JOURNAL,
}
"""What is read by one query."""
