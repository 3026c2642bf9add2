"""Invariants of configuration: the rows say what the journal, or else the audit log, says last."""

from fairlead.store.invariants.invariant import Invariant

INVARIANTS_OF_CONFIGURATION: tuple[Invariant, ...] = (
    Invariant(
        "each niche, level and subscription is as its journal says last, and as old",
        "select count(*) from niche_journal where kind in ('niche', 'level', 'subscription')",
        """
        with entry as materialized (
            select niche_id, kind, seq, recorded_at, payload,
                   case kind when 'niche' then niche_id::text else payload ->> (kind || '_id') end as id,
                   first_value(recorded_at) over own as first_at, lead(seq) over own is null as is_last
            from niche_journal where kind in ('niche', 'level', 'subscription')
            window own as (partition by niche_id, kind,
                           case kind when 'niche' then niche_id::text else payload ->> (kind || '_id') end
                           order by seq rows between unbounded preceding and unbounded following)
        ), filtered as materialized (
            select distinct on (niche_id, id) niche_id, id, payload -> 'filter_rules' as filter_rules
            from entry where payload ? 'filter_rules' order by niche_id, id, seq desc
        ), last as materialized (
            select e.niche_id, e.kind, e.id, e.seq, e.recorded_at, e.first_at,
                   case when e.payload ? 'filter_sha256' then (e.payload - 'filter_sha256')
                        || jsonb_build_object('filter_rules', f.filter_rules) else e.payload end as payload
            from entry e left join filtered f on f.niche_id = e.niche_id and f.id = e.id
            where e.is_last
        ), stored as materialized (
            select 'niche' as kind, id as niche_id, id::text as id, created_at, null::timestamptz as deleted_at,
                   jsonb_build_object('slug', slug, 'name', name, 'is_active', is_active, 'form_schema', form_schema)
                   || case when max_recipients_per_lead is null then '{}'
                      else jsonb_build_object('max_recipients_per_lead', max_recipients_per_lead) end as payload
            from niches
            union all
            select 'level', niche_id, id::text, created_at, deleted_at,
                   jsonb_build_object('level_id', id, 'name', name, 'price_cents', price_cents,
                       'max_recipients', max_recipients, 'order_position', order_position, 'is_active', is_active,
                       'is_deleted', deleted_at is not null)
                   || case when is_exclusive then '{"is_exclusive": true}'::jsonb else '{}' end
                   || case when price_rules is null then '{}' else jsonb_build_object('price_rules', price_rules) end
                   || case queue_order when 'least_recently_served' then '{}'
                      else jsonb_build_object('order', queue_order) end
            from competition_levels
            union all
            select 'subscription', niche_id, id::text, created_at, deleted_at,
                   jsonb_build_object('subscription_id', id, 'provider_id', provider_id,
                       'level_id', competition_level_id, 'is_active', is_active,
                       'deactivation_reason', deactivation_reason, 'filter_rules', filter_rules,
                       'filter_is_valid', filter_is_valid, 'is_deleted', deleted_at is not null)
                   || case when limits is null then '{}' else jsonb_build_object('limits', limits) end
                   || case when schedule is null then '{}' else jsonb_build_object('schedule', schedule) end
                   || case when max_price_cents is null then '{}'
                      else jsonb_build_object('max_price_cents', max_price_cents) end
                   || case weight when 1 then '{}' else jsonb_build_object('weight', weight) end
            from subscriptions
        )
        select format('%s %s of niche %s is not as entry %s of the journal says: %s', coalesce(s.kind, l.kind),
                      coalesce(s.id, l.id), coalesce(s.niche_id, l.niche_id), l.seq,
                      case when l.seq is null then 'it has none' when s.id is null then 'it is gone'
                           else (select string_agg(key, ', ' order by key)
                                 from jsonb_each(s.payload) where value is distinct from l.payload -> key) end)
        from stored s full join last l on l.niche_id = s.niche_id and l.kind = s.kind and l.id = s.id
        where s.payload is distinct from l.payload or s.created_at is distinct from l.first_at
           or (s.deleted_at is not null and s.deleted_at > l.recorded_at)
        """,
    ),
    Invariant(
        "the lowest price of a level with price rules is the lowest of its own and theirs",
        "select count(*) from competition_levels where price_rules is not null",
        """
        select format('level %s: its lowest price is %s, of %s and %s', l.id, l.lowest_price_cents, l.price_cents,
                      own.lowest)
        from competition_levels l
        join (select c.id, min((rule ->> 'price_cents')::bigint) as lowest
              from competition_levels c, jsonb_path_query(c.price_rules, 'lax $.rules[*]') as rule group by 1) own
             on own.id = l.id
        where l.lowest_price_cents <> least(own.lowest, l.price_cents)
        """,
    ),
    # A niche that an earlier version created is not compared until its policy is changed: its event lacks the policy.
    Invariant(
        "each niche's policy is as the audit log says last",
        "select count(*) from niches",
        """
        with told as materialized (
            select distinct on (entity_id, subject) entity_id, subject, new, seq
            from (select entity_id, new, seq,
                         case action when 'niche.bad_lead_window_changed' then 'window'
                                     when 'niche.refund_policy_changed' then 'refunds'
                                     when 'niche.intake_changed' then 'intake'
                                     when 'niche.archived' then 'archive' when 'niche.restored' then 'archive'
                                     else 'policy' end as subject
                  from audit_log
                  where action in ('niche.created', 'niche.policy_changed', 'niche.bad_lead_window_changed',
                                   'niche.refund_policy_changed', 'niche.intake_changed', 'niche.archived',
                                   'niche.restored')) event
            order by entity_id, subject, seq desc
        ), stored as materialized (
            select id::text as id, 'policy' as subject,
                   jsonb_build_object('auto_distribute', auto_distribute, 'reoffer', case
                       when num_nulls(reoffer_every_minutes, reoffer_max_times, reoffer_max_hours) < 3 then
                       jsonb_build_object('every_minutes', reoffer_every_minutes, 'max_times', reoffer_max_times,
                                          'max_hours', reoffer_max_hours) end, 'phone_region', phone_region) as says,
                   '{"auto_distribute": true, "reoffer": null, "phone_region": null}'::jsonb as unless_told
            from niches
            union all
            select id::text, 'window', jsonb_build_object('bad_lead_window_days', bad_lead_window_days),
                   '{"bad_lead_window_days": 14}'
            from niches
            union all
            select id::text, 'refunds', jsonb_build_object('returns_turn', refund_returns_turn,
                                                           'leaves_limits', refund_leaves_limits),
                   '{"returns_turn": false, "leaves_limits": false}'
            from niches
            union all
            select id::text, 'intake', jsonb_build_object('is_public', intake_is_public, 'approves', intake_approves,
                                                          'duplicate_rule', duplicate_rule),
                   '{"is_public": false, "approves": false, "duplicate_rule": null}'
            from niches
            union all
            select id::text, 'archive', jsonb_build_object('is_archived', is_archived), '{"is_archived": false}'
            from niches
        )
        select format('niche %s: its %s is %s, audit entry %s says %s', s.id, s.subject, s.says, t.seq,
                      coalesce(t.new, s.unless_told))
        from stored s left join told t on t.entity_id = s.id and t.subject = s.subject
        where not s.unless_told || coalesce(t.new, '{}') @> s.says
          and (s.subject <> 'policy' or t.new is null or t.new ? 'auto_distribute')
        """,
    ),
    Invariant(
        "each provider's credit limit is as the audit log says last, and each change begins at the one before",
        "select count(*) from providers",
        """
        with told as materialized (
            select entity_id, seq, old -> 'credit_limit_cents' as old, new -> 'credit_limit_cents' as new,
                   lag(new -> 'credit_limit_cents', 1, '0') over own as before, lead(seq) over own is null as is_last
            from audit_log where action = 'credit_limit.changed' window own as (partition by entity_id order by seq)
        )
        select format('provider %s: its credit limit is %s, the audit log says %s', p.id, p.credit_limit_cents,
                      coalesce(t.new, '0'))
        from providers p left join told t on t.entity_id = p.id::text and t.is_last
        where to_jsonb(p.credit_limit_cents) is distinct from coalesce(t.new, '0')
        union all
        select format('audit entry %s changes the credit limit of provider %s from %s, which was %s', seq, entity_id,
                      old, before)
        from told where old is distinct from before
        """,
    ),
    # Marketplace files that an earlier version applied have no event for each provider: what was told of one before
    # such a file is not compared until something of it is told again.
    Invariant(
        "each provider's status, time zone, language, low-balance threshold, limits and schedule are as the audit log "
        "says last",
        "select count(*) from providers",
        """
        with told as materialized (
            select distinct on (entity_id, member) entity_id, member, seq, new -> member as value
            from audit_log, unnest(array['status', 'timezone', 'language', 'low_balance_threshold_cents',
                                                'low_balance_days', 'limits', 'schedule', 'conflict_group']) as member
            where entity = 'provider' and new ? member order by entity_id, member, seq desc
        ), stored as materialized (
            select p.id::text as id, own.member, own.value
            from providers p, lateral (values ('status', to_jsonb(p.status)), ('timezone', to_jsonb(p.timezone)),
                 ('low_balance_threshold_cents', coalesce(to_jsonb(p.low_balance_threshold_cents), 'null')),
                 ('low_balance_days', coalesce(to_jsonb(p.low_balance_days), 'null')),
                 ('language', coalesce(to_jsonb(p.language), 'null')), ('limits', coalesce(p.limits, 'null')),
                 ('schedule', coalesce(p.schedule, 'null')),
                 ('conflict_group', coalesce(to_jsonb(p.conflict_group_id), 'null')))
                 as own (member, value)
        )
        select format('provider %s: %s is %s, audit entry %s says %s', t.entity_id, t.member, s.value, t.seq, t.value)
        from told t left join stored s on s.id = t.entity_id and s.member = t.member
        where s.value is distinct from t.value and t.seq > (
            select coalesce(max(seq), 0) from audit_log
            where action = 'marketplace.applied' and entity = 'provider' and not new ? 'is_told_one_by_one')
        union all
        select format('provider %s has %s of which no audit entry tells', s.id, s.member)
        from stored s left join told t on t.entity_id = s.id and t.member = s.member
        where s.member in ('limits', 'schedule', 'language', 'conflict_group', 'low_balance_days') and s.value <> 'null'
          and t.entity_id is null
        union all
        select format('provider %s was created at %s, audit entry %s says at %s', p.id, p.created_at, a.seq,
                      a.created_at)
        from (select * from audit_log where action in ('provider.created', 'provider.registered')) a
        join providers p on p.id::text = a.entity_id where p.created_at <> a.created_at
        """,
    ),
    Invariant(
        "each conflict group is as the audit log says last, and as old",
        "select count(*) from conflict_groups",
        """
        with told as materialized (
            select distinct on (entity_id) entity_id, action, new ->> 'name' as name, seq,
                   first_value(created_at) over (partition by entity_id order by seq) as created_at
            from audit_log where entity = 'conflict_group' and action like 'conflict_group.%'
            order by entity_id, seq desc
        )
        select format('conflict group %s: it is %s of %s, audit entry %s says %s of %s',
                      coalesce(g.id::text, t.entity_id), g.name, g.created_at, t.seq, t.name, t.created_at)
        from conflict_groups g full join told t on t.entity_id = g.id::text
        where case when t.action = 'conflict_group.deleted' then g.id is not null
              else (g.name, g.created_at) is distinct from (t.name, t.created_at) end
        """,
    ),
    Invariant(
        "each postcode table is as the audit log says, to the last place",
        "select count(*) from postcode_tables",
        """
        with told as materialized (
            select entity_id, new, created_at from audit_log where action = 'postcode_table.loaded'
        )
        select format('postcode table %s is not as the audit log says',
                      coalesce(told.entity_id, t.name || '/' || t.version))
        from postcode_tables t full join told on told.entity_id = t.name || '/' || t.version
        where sha256(convert_to(t.content, 'UTF8')) is distinct from t.content_sha256
           or told.new is distinct from jsonb_build_object('version', t.version, 'postcode_count', t.postcode_count,
                                                           'content_sha256', encode(t.content_sha256, 'hex'))
           or t.created_at is distinct from told.created_at
        """,
    ),
    Invariant(
        "the rules of reports of bad leads are as the audit log says last",
        "select count(*) from marketplace where report_rules is not null",
        """
        with told as materialized (
            select seq, new from audit_log where action = 'marketplace.report_rules_changed' order by seq desc limit 1
        )
        select format('the rules of reports are %s, audit entry %s says %s', m.report_rules, t.seq, t.new)
        from marketplace m left join told t on true where m.report_rules is distinct from t.new
        """,
    ),
    Invariant(
        "each version of a form is as the audit log says, and the newest is the niche's",
        "select count(*) from form_schema_versions",
        """
        with newest as materialized (
            select niche_id, max(version) as version from form_schema_versions group by 1
        ), told as materialized (
            select entity_id, seq, new ->> 'version' as version, actor, memo, created_at
            from audit_log where action = 'niche.form_changed'
        )
        select format('niche %s: the versions of its form are not 1 to %s', niche_id, max(version))
        from form_schema_versions group by niche_id having count(*) <> max(version)
        union all
        select format('niche %s: its form is not version %s, the newest', n.slug, v.version)
        from niches n join newest on newest.niche_id = n.id
        join form_schema_versions v on v.niche_id = n.id and v.version = newest.version
        where v.form_schema <> n.form_schema
        union all
        select format('niche %s: version %s of its form is not as audit entry %s says', t.entity_id, t.version, t.seq)
        from told t
        left join form_schema_versions v on v.niche_id::text = t.entity_id and v.version::text = t.version
        where (v.created_by, v.memo, v.created_at) is distinct from (t.actor, t.memo, t.created_at)
        union all
        select format('niche %s: version %s of its form was in no entry of its journal', v.niche_id, v.version)
        from form_schema_versions v
        left join (select niche_id, payload -> 'form_schema' as form_schema from niche_journal where kind = 'niche') j
             on j.niche_id = v.niche_id and j.form_schema = v.form_schema
        where j.niche_id is null
        """,
    ),
)
