"""What the tables and the journal say of a marketplace, in the words of the model; and what the model says."""

from collections import Counter
from typing import Any

from fairlead.store.connection import Database
from tests.model.model import Closed, Decision, Model, Subscription

CLOSED = ("outside_schedule", "cap_reached")
PASS_OF_A_LEAD = 61_261_200
"""What the tables have where the model has 1: a lead at a weight of 1."""


def as_tables_say(database: Database, lead_ids: list[str]) -> dict[str, Any]:
    """Everything that the model knows, read in one snapshot. Leads go by their place in `lead_ids`."""
    number_of = {lead_id: number for number, lead_id in enumerate(lead_ids)}
    with database.snapshot() as conn:

        def rows(query: str) -> list[Any]:
            return conn.execute(query).fetchall()  # type: ignore[call-overload]

        slugs = dict(rows("select id::text, slug from niches"))
        levels = dict(rows("select id::text, name from competition_levels"))
        names = dict(rows("select id::text, name from providers"))
        decisions: dict[str, list[Decision]] = {slug: [] for slug in slugs.values()}
        for niche_id, payload in rows(
            "select niche_id::text, payload from niche_journal where kind = 'decision' order by niche_id, seq"
        ):
            decisions[slugs[niche_id]].append(_decision(payload, number_of, levels, names))
        leads = {
            lead_id: tuple(state)
            for lead_id, *state in rows(
                "select id::text, status, awaits_decision, distribution_attempts, last_outcome from leads"
            )
        }
        return {
            "niches": {
                slug: tuple(state)
                for slug, *state in rows(
                    "select slug, next_start_level_order_position, last_served_seq, is_active from niches"
                )
            },
            "providers": {
                name: tuple(state)
                for name, *state in rows("select name, status, balance_cents, credit_limit_cents from providers")
            },
            "subscriptions": {
                (names[provider_id], levels[level_id]): tuple(state)
                for provider_id, level_id, *state in rows(
                    """
                    select provider_id::text, competition_level_id::text, deactivation_reason, filter_is_valid,
                           served_seq, weight, pass
                    from subscriptions where deleted_at is null
                    """
                )
            },
            "levels": {
                name: (order == "weighted", highest, longest)
                for name, order, highest, longest in rows(
                    "select name, queue_order, global_pass, longest_stride from competition_levels"
                    " where deleted_at is null"
                )
            },
            "payments": dict(
                rows(
                    """
                    select p.name, array_agg((r.amount_cents, r.state, r.method_reference is not null)::text
                                             order by r.id)
                    from payment_requests r join providers p on p.id = r.provider_id group by 1
                    """
                )
            ),
            "doubts": sorted(
                rows("select kind, amount_cents, coalesce(resolution, 'open') from payment_doubts"),
            ),
            "top-ups": {
                name: tuple(state)
                for name, *state in rows(
                    """
                    select p.name, t.is_on, t.off_reason, t.refusal_count, t.due_at is not null
                    from auto_top_ups t join providers p on p.id = t.provider_id
                    """
                )
            },
            "leads": [leads[lead_id] for lead_id in lead_ids],
            "decisions": decisions,
            "reports": {
                (number_of[lead_id], names[provider_id]): decision or "open"
                for lead_id, provider_id, decision in rows(
                    """
                    select lead_id::text, provider_id::text, bad_lead_decision
                    from assignments where bad_lead_reported_at is not null
                    """
                )
            },
            "erased": sorted(
                number_of[lead_id] for (lead_id,) in rows("select id::text from leads where erased_at is not null")
            ),
            "assignments": sorted(
                (number_of[lead_id], levels[level_id], names[provider_id], price_cents, status == "refunded")
                for lead_id, level_id, provider_id, price_cents, status in rows(
                    """
                    select lead_id::text, competition_level_id::text, provider_id::text, price_cents, status
                    from assignments
                    """
                )
            ),
        }


def _decision(
    payload: dict[str, Any], number_of: dict[str, int], levels: dict[str, str], names: dict[str, str]
) -> Decision:
    def each(part: str, value: str) -> tuple[Any, ...]:
        return tuple(
            (levels[level["level_id"]], names[one["provider_id"]], one[value])
            for level in payload["levels"]
            for one in level[part]
        )

    def counted(reason: str) -> tuple[tuple[str, int], ...]:
        return tuple(
            (levels[level["level_id"]], level["counts"][reason])
            for level in payload["levels"]
            if reason in level["counts"]
        )

    named = each("refused", "reason")
    shut = Counter[str]()
    for reason in CLOSED:
        shut.update(dict(counted(reason)))
    return Decision(
        number_of[payload["lead_id"]],
        payload["start_order_position"],
        payload["next_start_order_position"],
        payload["outcome"],
        each("recipients", "price_cents"),
        tuple(one for one in named if one[2] not in CLOSED),
        counted("already_recipient"),
        counted("conflict_group"),
        counted("lead_full"),
        counted("price_above_limit"),
        tuple(
            Closed(name, tuple((one, why) for at, one, why in named if at == name and why in CLOSED), shut[name])
            for name in (levels[level["level_id"]] for level in payload["levels"])
        ),
    )


def agree(ours: list[Decision], theirs: list[Decision]) -> None:
    """The decisions are the model's; of those whom limits and schedules keep out, none is missing and none invented."""
    assert len(ours) == len(theirs)
    for own, told in zip(ours, theirs, strict=True):
        hidden = {each.level for each in own.closed if each.behind}
        assert told.where_told(hidden) == own.where_told(hidden), (told, own)
        expected = {each.level: each for each in own.closed}
        for each in told.closed:
            closed = expected.pop(each.level, Closed(each.level, (), 0))
            assert {*each.passed} <= {*closed.passed}, (own, told)
            count = len(each.passed) + each.behind
            assert len(closed.passed) <= count <= len(closed.passed) + closed.behind, (own, told)
        assert not expected, (own, told)


def as_model_says(model: Model) -> dict[str, Any]:
    """The model in the shape of `as_tables_say`."""

    def decisions_of(niche: str) -> list[Decision]:
        return [each for each in model.decisions if model.leads[each.lead].niche == niche]

    def row(each: Subscription) -> tuple[object, ...]:
        return (each.inactive, model.is_valid(each), each.place, each.weight, each.passed * PASS_OF_A_LEAD)

    def payments_of(provider: str) -> list[str]:
        own = [each for each in model.top_ups.payments if each.provider == provider]
        return [f"({each.cents},{each.state},{'t' if each.is_automatic else 'f'})" for each in own]

    return {
        "niches": {each.name: (each.pointer, each.served, each.is_active) for each in model.niches.values()},
        "providers": {name: (each.status, each.balance, each.credit) for name, each in model.providers.items()},
        "subscriptions": {(each.provider, each.level.name): row(each) for each in model.living()},
        "levels": {
            name: (
                each.is_weighted,
                *(part * PASS_OF_A_LEAD for part in (each.standing.highest, each.standing.longest)),
            )
            for name, each in model.levels.items()
        },
        "payments": {each.provider: payments_of(each.provider) for each in model.top_ups.payments},
        "doubts": sorted((each.kind, each.cents, each.resolution or "open") for each in model.doubts),
        "top-ups": {
            name: (each.is_on, each.off_reason, each.refusals, each.due is not None)
            for name, each in model.top_ups.by_provider.items()
        },
        "leads": [(each.status, each.is_waiting, each.attempts, each.outcome) for each in model.leads],
        "decisions": {niche: decisions_of(niche) for niche in model.niches},
        "reports": model.reports,
        "erased": [number for number, each in enumerate(model.leads) if each.is_erased],
        "assignments": sorted(
            (each.lead, *pick, (each.lead, pick[1]) in model.refunded)
            for each in model.decisions
            for pick in each.received
        ),
    }
