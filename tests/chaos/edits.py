"""Edits of a marketplace as a superuser makes them, and the check that finds each."""

from dataclasses import dataclass

from tests.by_hand import (
    APPROVED,
    CAME_IN,
    CLOSED,
    CREDIT,
    DECIDED,
    LAST_RECEIVED,
    MOVED,
    PAID,
    POLICY,
    PROVIDER,
    RECIPIENTS,
    REPORTED,
    RETURNED,
    STATED,
    TABLES,
    TERMS,
    TOLD_OF_LIMITS,
    TOLD_OF_SALES,
    TOLD_OF_SUBSCRIPTIONS,
    TOLD_OF_TOP_UPS,
    WAITS,
)

AUDIT = "audit log chained and hashed"
DECISIONS = "decided again, byte for byte: decisions of hosting"
END = "the journal of hosting ends in the tables' state"
END_OF_STORAGE = "the journal of storage ends in the tables' state"


@dataclass(frozen=True)
class Edit:
    """Statements, the check that finds them, and the chain that is hashed again afterwards."""

    found_by: str
    statements: tuple[str, ...]
    rehashed: str | None = None


def edit(found_by: str, *statements: str) -> Edit:
    return Edit(found_by, statements)


def rehashed(found_by: str, chain: str, *statements: str) -> Edit:
    return Edit(found_by, statements, chain)


LAST = "(provider_id, seq) = (select id, ledger_seq from providers where name = 'Cleat')"
LAST_CREDIT = "(select provider_id from ledger_entries where kind = 'manual_credit')"
FORGED = """
    insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, payment_id, actor, memo,
                                created_at)
    select id, ledger_seq + 1, '{kind}', 500, balance_cents + 500, {payment}, 'operator', {memo}, now()
    from providers where name = 'Anchor'
"""
PAID_UP = "update providers set balance_cents = balance_cents + 500, ledger_seq = ledger_seq + 1 where name = 'Anchor'"
RENUMBERED = """
    update ledger_entries set seq = seq - 1 where provider_id = (select provider_id from gone)
      and seq > (select seq from gone)
"""
SOLD = "status = 'distributed'"
SECOND_LATER = "interval '1 second'"
LAST_DECISION = (
    "(niche_id, seq) = (select niche_id, max(seq) from niche_journal where kind = 'decision' group by 1 limit 1)"
)
OTHER_NICHE = "(select id from niches where slug = 'moving')"
REFUND = "(select assignment_id from ledger_entries where kind = 'refund' order by created_at desc, seq desc limit 1)"

ANY_CORES = '{"version": 1, "rules": [{"field_key": "cores", "operator": "exists", "value": true}]}'

EDITS = {
    # Money
    "a forged deposit": edit(
        MOVED,
        """
        insert into payments (id, provider_id, gateway, external_id, amount_cents, currency, status, created_at)
        select '00000000-0000-7000-8000-000000000001', id, 'manual', 'forged', 500, 'EUR', 'succeeded', now()
        from providers where name = 'Anchor'
        """,
        FORGED.format(kind="deposit", payment="'00000000-0000-7000-8000-000000000001'::uuid", memo="null"),
        PAID_UP,
    ),
    "a forged credit": edit(
        MOVED, FORGED.format(kind="manual_credit", payment="null", memo="'for their patience'"), PAID_UP
    ),
    "a forged deposit with its audit entry": edit(
        AUDIT,
        FORGED.format(kind="manual_credit", payment="null", memo="'for their patience'"),
        PAID_UP,
        """
        insert into audit_log select seq + 1, actor, actor_role, 'balance.credited', 'provider', p.id::text, null,
               jsonb_build_object('amount_cents', 500, 'balance_after_cents', p.balance_cents, 'currency', 'EUR',
                                  'ledger_seq', p.ledger_seq), 'for their patience', null, null, now(), hash, hash
        from audit_log, providers p where p.name = 'Anchor' order by seq desc limit 1
        """,
    ),
    "the last entry and the balance raised together": edit(
        MOVED,
        f"update ledger_entries set amount_cents = amount_cents + 9,"
        f" balance_after_cents = balance_after_cents + 9 where {LAST}",
        "update providers set balance_cents = balance_cents + 9 where name = 'Cleat'",
    ),
    "a credit removed": edit(
        MOVED,
        "create temp table gone on commit drop as select * from ledger_entries where kind = 'manual_credit'",
        "delete from ledger_entries where kind = 'manual_credit'",
        RENUMBERED,
        "update ledger_entries set balance_after_cents = balance_after_cents - 700"
        " where provider_id = (select provider_id from gone) and seq >= (select seq from gone)",
        "update assignments set ledger_seq = ledger_seq - 1 where provider_id = (select provider_id from gone)"
        " and ledger_seq > (select seq from gone)",
        "update providers set balance_cents = balance_cents - 700, ledger_seq = ledger_seq - 1"
        " where id = (select provider_id from gone)",
    ),
    "a refund undone with its status and message": edit(
        MOVED,
        f"create temp table gone on commit drop as select * from ledger_entries where kind = 'refund'"
        f" and assignment_id = {REFUND}",
        "delete from notifications where kind = 'refund_issued' and assignment_id = (select assignment_id from gone)",
        "update assignments set status = 'active', refunded_at = null where id = (select assignment_id from gone)",
        "delete from ledger_entries where kind = 'refund' and assignment_id = (select assignment_id from gone)",
        RENUMBERED,
        "update ledger_entries set balance_after_cents = balance_after_cents - (select amount_cents from gone)"
        " where provider_id = (select provider_id from gone) and seq >= (select seq from gone)",
        "update providers set balance_cents = balance_cents - (select amount_cents from gone),"
        " ledger_seq = ledger_seq - 1 where id = (select provider_id from gone)",
    ),
    "a refund's memo": edit(MOVED, "update ledger_entries set memo = 'another reason' where kind = 'refund'"),
    "who moved money": edit(MOVED, "update ledger_entries set actor = 'another' where kind = 'manual_debit'"),
    "who is said to have sold": edit(
        RECIPIENTS, "update ledger_entries set actor = 'another' where kind = 'lead_purchase'"
    ),
    "when a deposit came": edit(
        MOVED,
        f"update ledger_entries set created_at = created_at - {SECOND_LATER} where kind = 'deposit'",
        f"update payments set created_at = created_at - {SECOND_LATER}",
    ),
    "a payment's gateway": edit(PAID, "update payments set gateway = 'stripe'"),
    "a payment's currency, and the marketplace's": edit(
        PAID, "update payments set currency = 'USD'", "update marketplace set currency = 'USD'"
    ),
    "a payment's external id": edit(PAID, "update payments set external_id = external_id || '-2'"),
    "a credit limit raised": edit(CREDIT, "update providers set credit_limit_cents = 90000 where name = 'Bowline'"),
    "an audited credit limit, hashed again": rehashed(
        CREDIT,
        "audit",
        """update audit_log set new = '{"credit_limit_cents": 101}' where action = 'credit_limit.changed'""",
    ),
    "an audited amount, hashed again": rehashed(
        MOVED,
        "audit",
        "update audit_log set new = jsonb_set(new, '{amount_cents}', '1') where action = 'deposit.credited'",
    ),
    "an audited actor, hashed again": rehashed(
        MOVED, "audit", "update audit_log set actor = 'another' where action = 'assignment.refunded'"
    ),
    "an audited time, hashed again": rehashed(
        MOVED,
        "audit",
        f"update audit_log set created_at = created_at + {SECOND_LATER} where action = 'balance.debited'",
    ),
    "an audited refund removed, hashed again": rehashed(
        MOVED,
        "audit",
        "delete from audit_log where action = 'assignment.refunded'",
        "update audit_log a set seq = n.number from (select seq, row_number() over (order by seq) as number"
        " from audit_log) n where n.seq = a.seq",
    ),
    "an approver in the audit log, hashed again": rehashed(
        APPROVED, "audit", "update audit_log set actor = 'another' where action = 'lead.approved'"
    ),
    "a policy in the audit log, hashed again": rehashed(
        POLICY,
        "audit",
        "update audit_log set new = new || '{\"bad_lead_window_days\": 99}'"
        " where action = 'niche.bad_lead_window_changed'",
    ),
    # What a decision wrote
    "when assignments were made": edit(
        RECIPIENTS, f"update assignments set assigned_at = assigned_at + {SECOND_LATER}"
    ),
    "when a purchase was made": edit(
        RECIPIENTS, f"update ledger_entries set created_at = created_at + {SECOND_LATER} where kind = 'lead_purchase'"
    ),
    "when a lead was distributed": edit(
        DECIDED, f"update leads set distributed_at = distributed_at + {SECOND_LATER} where {SOLD}"
    ),
    "when a decision was recorded, hashed again": rehashed(
        DECISIONS,
        "journal",
        f"update niche_journal set recorded_at = recorded_at + {SECOND_LATER} where kind = 'decision'",
    ),
    "a price in the journal, hashed again": rehashed(
        DECISIONS,
        "journal",
        "update niche_journal set payload = jsonb_set(payload, '{levels,0,price_cents}', '1') where kind = 'decision'",
    ),
    "how many had the lead from another level, hashed again": rehashed(
        DECISIONS,
        "journal",
        "update niche_journal set payload = jsonb_set(payload, '{levels,1,counts,already_recipient}', '7')"
        " where kind = 'decision' and payload #> '{levels,1}' is not null",
    ),
    "a decision's version, hashed again": rehashed(
        DECISIONS, "journal", "update niche_journal set payload = payload || '{\"version\": 3}' where kind = 'decision'"
    ),
    "a filter's digest, hashed again": rehashed(
        DECISIONS,
        "journal",
        "update niche_journal set payload = jsonb_set(payload, '{filter_sha256}', to_jsonb(repeat('0', 64)))"
        " where payload ? 'filter_sha256' and payload ->> 'deactivation_reason' = 'paused'",
    ),
    "a filter everywhere that its digest names, hashed again": rehashed(
        DECISIONS,
        "journal",
        f"""
        update niche_journal j set payload = jsonb_set(payload, '{{filter_rules}}', '{ANY_CORES}')
        where payload ? 'filter_rules' and exists (
            select from niche_journal later where later.payload ->> 'subscription_id' = j.payload ->> 'subscription_id'
            and later.payload ? 'filter_sha256' and later.niche_id = j.niche_id and later.seq > j.seq)
        """,
        f"""
        update subscriptions set filter_rules = '{ANY_CORES}'
        where id::text in (select payload ->> 'subscription_id' from niche_journal where payload ? 'filter_sha256')
        """,
    ),
    "a filter instead of its digest, hashed again": rehashed(
        DECISIONS,
        "journal",
        'update niche_journal set payload = payload || \'{"filter_rules": {"version": 1, "rules": []}}\''
        " where payload ? 'filter_sha256'",
    ),
    "a level's price everywhere, hashed again": rehashed(
        DECISIONS,
        "journal",
        "update niche_journal set payload = jsonb_set(payload, '{price_cents}', '600')"
        " where kind = 'level' and payload ->> 'name' = 'silver'",
        "update competition_levels set price_cents = 600 where name = 'silver'",
    ),
    "a subscription's start in the journal, hashed again": rehashed(
        STATED,
        "journal",
        f"update niche_journal set recorded_at = recorded_at - {SECOND_LATER} where kind = 'subscription'",
    ),
    "a sold lead in another niche": edit(DECIDED, f"update leads set niche_id = {OTHER_NICHE} where {SOLD}"),
    "what came of a sold lead": edit(DECIDED, f"update leads set last_outcome = 'no_eligible' where {SOLD}"),
    "what came of an unsold lead": edit(
        DECIDED, "update leads set last_outcome = 'partial' where last_outcome = 'no_eligible'"
    ),
    "how often a lead was tried": edit(DECIDED, f"update leads set distribution_attempts = 5 where {SOLD}"),
    "a sold lead's answers": edit(DECISIONS, f"update leads set attributes = '{{\"cores\": 99}}' where {SOLD}"),
    "when a subscription last received": edit(
        LAST_RECEIVED, f"update subscriptions set last_received_at = last_received_at + {SECOND_LATER}"
    ),
    "a lead that looks as if it had never been sold": edit(
        DECIDED,
        f"update leads set status = 'approved', distributed_at = null, last_outcome = null where {SOLD}",
    ),
    # Leads
    "waiting leads removed": edit(CAME_IN, "delete from leads where awaits_decision"),
    "a lead entered by hand removed": edit(
        CAME_IN,
        "delete from leads where id = (select entity_id::uuid from audit_log where action = 'lead.created' limit 1)",
    ),
    "a lead from outside removed": edit(
        CAME_IN, "delete from leads where id in (select lead_id from lead_intakes where via = 'key')"
    ),
    "a lead slipped in": edit(
        CAME_IN,
        """
        insert into leads (id, niche_id, status, attributes, attributes_salt, dedupe_key, approved_at, approved_by,
                           awaits_decision, created_at)
        select gen_random_uuid(), niche_id, 'approved', attributes, attributes_salt, 'forged', now(), 'operator', true,
               created_at
        from leads where awaits_decision limit 1
        """,
    ),
    "an undecided lead in another niche": edit(
        CAME_IN,
        f"update leads set niche_id = {OTHER_NICHE} where status = 'pending_approval' and niche_id <> {OTHER_NICHE}",
    ),
    "leads that stop waiting": edit(WAITS, "update leads set awaits_decision = false where awaits_decision"),
    "a lead that was triggered again stops waiting": edit(
        WAITS, "update leads set awaits_decision = false where awaits_decision and last_outcome = 'no_eligible'"
    ),
    "who approved": edit(APPROVED, "update leads set approved_by = 'another' where approved_by = 'operator'"),
    "approved by no operator": edit(APPROVED, "update leads set approved_by = null"),
    "when it was approved": edit(APPROVED, f"update leads set approved_at = approved_at - {SECOND_LATER}"),
    "an approval by hand": edit(
        APPROVED,
        "update leads set status = 'approved', approved_at = now(), approved_by = 'operator', awaits_decision = true"
        " where status = 'pending_approval'",
    ),
    "a rejected lead is pending again": edit(
        CLOSED,
        "update leads set status = 'pending_approval', rejected_at = null, rejected_by = null, rejection_reason = null"
        " where status = 'rejected'",
    ),
    "who rejected": edit(CLOSED, "update leads set rejected_by = 'another' where status = 'rejected'"),
    "a bad lead is good again": edit(CLOSED, f"update leads set {SOLD} where status = 'bad'"),
    "when a consumer confirmed": edit(CLOSED, f"update lead_intakes set confirmed_at = confirmed_at - {SECOND_LATER}"),
    # Assignments
    "a report removed": edit(
        REPORTED,
        "update assignments set bad_lead_reported_at = null, bad_lead_reason = null, bad_lead_note = null,"
        " bad_lead_evidence = null, bad_lead_decision = null, bad_lead_decided_at = null,"
        " bad_lead_decided_by = null, bad_lead_memo = null",
    ),
    "a rejected report accepted": edit(
        REPORTED, "update assignments set bad_lead_decision = 'accepted' where bad_lead_decision = 'rejected'"
    ),
    "an answer turned round": edit(
        REPORTED, "update assignments set status = 'accepted', rejection_reason = null where status = 'rejected'"
    ),
    "an answer taken back": edit(REPORTED, "update assignments set answered_at = null where answered_at is not null"),
    "what a refund gave back": edit(
        RETURNED,
        "update assignments set return_seq = null, turn_returned = false, left_limits = false",
    ),
    "a limit that was not left": edit(
        RETURNED, "update assignments set left_limits = false where turn_returned and left_limits"
    ),
    "another turn given back, hashed again": rehashed(
        RETURNED,
        "journal",
        "update niche_journal set payload = jsonb_set(payload, '{turn,served_seq}', 'null')"
        " where kind = 'return' and payload #> '{turn,served_seq}' <> 'null'",
        "update niche_journal set payload = jsonb_set(payload, '{turn,served_seq}', '1')"
        " where kind = 'return' and payload #> '{turn,served_seq}' = 'null'",
    ),
    "what refunds give back": edit(POLICY, "update niches set refund_returns_turn = not refund_returns_turn"),
    # Configuration
    "a niche's name and slug": edit(STATED, "update niches set name = 'Other', slug = 'other' where slug = 'hosting'"),
    "a level's name": edit(STATED, "update competition_levels set name = 'Platinum' where name = 'gold'"),
    "a deleted level lives": edit(
        STATED, "update competition_levels set deleted_at = null where deleted_at is not null"
    ),
    "a filter": edit(
        END,
        """
        update subscriptions set filter_rules = '{"version": 1, "rules": []}'
        where filter_rules -> 'rules' <> '[]' and deleted_at is null
        """,
    ),
    "an ended subscription's filter": edit(
        STATED,
        'update subscriptions set filter_rules = \'{"version": 1, "rules": []}\''
        " where filter_rules -> 'rules' <> '[]' and deleted_at is not null",
    ),
    "a weight": edit(STATED, "update subscriptions set weight = 4 where weight = 3"),
    "the order of a level": edit(
        STATED, "update competition_levels set queue_order = 'least_recently_served' where queue_order = 'weighted'"
    ),
    "what a subscription was charged": edit(END_OF_STORAGE, "update subscriptions set pass = pass - 1 where pass > 0"),
    "where a weighted level stands": edit(
        END_OF_STORAGE,
        "update competition_levels set longest_stride = longest_stride + 1 where queue_order = 'weighted'",
    ),
    "the pointer": edit(END, "update niches set next_start_level_order_position = 9 where slug = 'hosting'"),
    "whether a niche distributes by itself": edit(
        POLICY, "update niches set auto_distribute = not auto_distribute where slug = 'hosting'"
    ),
    "how often unsold leads are offered again": edit(POLICY, "update niches set reoffer_max_times = 50"),
    "for how long a lead can be reported": edit(POLICY, "update niches set bad_lead_window_days = 365"),
    "a niche that is archived": edit(POLICY, "update niches set is_archived = true where slug = 'closed'"),
    "what a niche lets in": edit(POLICY, "update niches set intake_approves = true where slug = 'hosting'"),
    "a low-balance threshold": edit(
        PROVIDER, "update providers set low_balance_threshold_cents = 1 where name = 'Cleat'"
    ),
    "a threshold that was never set": edit(
        PROVIDER, "update providers set low_balance_threshold_cents = 1 where name = 'Bowline'"
    ),
    "days of a low balance": edit(PROVIDER, "update providers set low_balance_days = 1 where name = 'Cleat'"),
    "days that were never set": edit(PROVIDER, "update providers set low_balance_days = 1 where name = 'Bowline'"),
    "a suspended provider": edit(PROVIDER, "update providers set status = 'active' where status = 'suspended'"),
    # Messages
    "messages of stopped subscriptions removed": edit(
        TOLD_OF_SUBSCRIPTIONS, "delete from notifications where kind = 'subscription_deactivated'"
    ),
    "a message of a stop that never was": edit(
        TOLD_OF_SUBSCRIPTIONS,
        """
        insert into notifications (id, kind, channel, provider_id, subscription_id, created_at)
        select gen_random_uuid(), 'subscription_deactivated', 'email', provider_id, id, now() from subscriptions limit 1
        """,
    ),
    "terms of an auto top-up that a file set": edit(
        TERMS,
        "update auto_top_ups set monthly_limit_cents = 4300 "
        "where provider_id = (select id from providers where name = 'Fender')",
    ),
    "an auto top-up that a file set, on": edit(
        TERMS,
        "update auto_top_ups set is_on = true where provider_id = (select id from providers where name = 'Fender')",
    ),
    "no terms of an auto top-up that a file set": edit(
        TERMS, "delete from auto_top_ups where provider_id = (select id from providers where name = 'Fender')"
    ),
    "a postcode of a table that a file loaded": edit(
        TABLES, "update postcode_tables set content = replace(content, '45.47', '45.48') where name = 'it'"
    ),
    "no table that a file loaded": edit(TABLES, "delete from postcode_tables where name = 'it'"),
    "whom a file lets in": edit(POLICY, "update niches set intake_is_public = false where slug = 'storage'"),
    "what a file says repeats a lead": edit(
        POLICY, "update niches set duplicate_rule = duplicate_rule || '{\"action\": \"refuse\"}' where slug = 'storage'"
    ),
    "a price limit that was not passed": edit(
        TOLD_OF_LIMITS,
        "update notifications set detail = detail || '{\"max_price_cents\": 96}' where kind = 'price_limit_passed'",
    ),
    "a price that its level did not ask": edit(
        TOLD_OF_LIMITS,
        "update notifications set detail = detail || '{\"lowest_price_cents\": 97}' where kind = 'price_limit_passed'",
    ),
    "a price limit passed at another moment": edit(
        TOLD_OF_LIMITS,
        f"update notifications set created_at = created_at + {SECOND_LATER} where kind = 'price_limit_passed'",
    ),
    "a message of a top-up removed": edit(
        TOLD_OF_TOP_UPS, "delete from notifications where kind = 'balance_topped_up'"
    ),
    "a message of another top-up": edit(
        TOLD_OF_TOP_UPS,
        """
        update notifications set detail = jsonb_set(detail, '{amount_cents}', '1') where kind = 'balance_topped_up'
        """,
    ),
    "when a sale was told": edit(
        TOLD_OF_SALES,
        f"update notifications set created_at = created_at + {SECOND_LATER} where kind = 'lead_assigned'",
    ),
    "the log's newest entry cut off": edit(AUDIT, "delete from audit_log where seq = (select max(seq) from audit_log)"),
}
