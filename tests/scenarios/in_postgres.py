"""Scenarios in PostgreSQL: marketplace files, submitted leads, the distributor; told from the tables and journal."""

import json
from collections.abc import Callable
from typing import Any

from fairlead.core.messages import Names
from fairlead.core.refusals import Refusal
from fairlead.flows.approve_lead import trigger_distribution
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.explain import explain_provider
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.scenarios.story import Given, GivenProvider, Refund, Step, SubscriptionChange, Told

NICHE = "loans"


def as_toml(value: object) -> str:
    """A JSON value as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {as_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def email_of(name: str) -> str:
    return f"{name}@providers.test"


class PostgresWorld:
    """A fresh marketplace."""

    def __init__(self, given: Given, database: Database, clock: SimulatedClock) -> None:
        self._database = database
        self._clock = clock
        self._distributor = Distributor(database)
        self._lead_ids: list[str] = []
        self._deposits = 0
        levels = [
            {
                "name": level.name,
                "price_cents": level.price_cents,
                "max_recipients": level.max_recipients,
                "order_position": level.position,
                "active": level.active,
                "exclusive": level.exclusive,
                "order": level.order,
                **({"price_rules": level.price_rules} if level.price_rules else {}),
            }
            for level in given.level
        ]
        self._apply(
            {
                "slug": NICHE,
                "name": "Loans",
                "field": given.field,
                "max_recipients_per_lead": given.max_recipients_per_lead or 0,
                "refunds": given.refunds,
                "level": levels,
            },
            [self._declared(provider) for provider in given.provider],
        )
        emails = [email_of(provider.name) for provider in given.provider]
        by_id = [email for (email,) in self._rows("select email from providers order by id")]
        assert by_id == emails, "the ids of providers do not rise in the order of the file"
        [(self._niche_id,)] = self._rows("select id::text from niches")

    def _declared(self, provider: GivenProvider) -> dict[str, Any]:
        return {
            "email": email_of(provider.name),
            "name": provider.name,
            "status": provider.status,
            "credit_limit_cents": provider.credit_limit_cents,
            "timezone": provider.timezone,
            "limits": provider.limits,
            "schedule": provider.schedule,
            "conflict_group": provider.conflict_group or "",
            "deposit": self._deposit(provider.balance_cents) if provider.balance_cents else [],
            "subscription": [
                {
                    "niche": NICHE,
                    "level": level,
                    "filter": provider.filters.get(level, []),
                    "filter_version": provider.filter_version,
                    "limits": provider.limits_at.get(level, {}),
                    "schedule": provider.schedules_at.get(level, {}),
                    "max_price_cents": provider.max_prices_at.get(level, 0),
                    "weight": provider.weights_at.get(level, 1),
                }
                for level in provider.levels
            ],
        }

    def _deposit(self, cents: int) -> list[dict[str, Any]]:
        self._deposits += 1
        return [{"external_id": f"payment-{self._deposits}", "amount_cents": cents}]

    # What happens ---------------------------------------------------------------------------------------------

    def change(self, step: Step) -> None:
        if step.at is not None:
            self._clock.set(step.at)
        if step.form is not None:
            self._apply({"slug": NICHE, "field": step.form})
        if step.max_recipients_per_lead is not None:
            self._apply({"slug": NICHE, "max_recipients_per_lead": step.max_recipients_per_lead})
        if step.level is not None:
            told = step.level.model_dump(exclude_none=True)
            if "position" in told:
                told["order_position"] = told.pop("position")
            self._apply({"slug": NICHE, "level": [told]})
        if step.provider is not None:
            told = step.provider.model_dump(exclude_none=True, exclude={"name"})
            self._apply(None, [{"email": email_of(step.provider.name), **told}])
        if step.deposit is not None:
            provider = {"email": email_of(step.deposit.provider), "deposit": self._deposit(step.deposit.cents)}
            self._apply(None, [provider])
        if step.spent_elsewhere is not None:
            self._spend_elsewhere(email_of(step.spent_elsewhere.provider), step.spent_elsewhere.cents)
        if step.subscription is not None:
            self._subscribe(step.subscription)
        if step.refunds is not None:
            self._apply({"slug": NICHE, "refunds": step.refunds})
        if step.refund is not None:
            self._refund(step.refund)

    def _refund(self, refund: Refund) -> None:
        """The lead's price goes back to this provider, by an operator."""
        [(assignment_id,)] = self._rows(
            "select a.id::text from assignments a join providers p on p.id = a.provider_id"
            " where a.lead_id = %s and p.name = %s",
            self._lead_ids[refund.lead - 1],
            refund.provider,
        )
        refund_assignment(self._database, assignment_id, "the consumer is not known there", OPERATOR)

    def _spend_elsewhere(self, email: str, cents: int) -> None:
        """A lead of another niche is sold to this provider alone, at this price."""
        level = {"name": f"only {email}", "price_cents": cents, "max_recipients": 1, "order_position": 1}
        subscription = {"niche": "elsewhere", "level": level["name"]}
        niche = {"slug": "elsewhere", "name": "Elsewhere", "field": []}
        self._apply({**niche, "level": [level]}, [{"email": email, "subscription": [subscription]}])
        submit_leads(self._database, "elsewhere", [{}], OPERATOR, approve=True)
        [(niche_id,)] = self._rows("select id::text from niches where slug = 'elsewhere'")
        [decision] = self._distributor.distribute_waiting(niche_id).decisions
        assert [recipient.price_cents for recipient in decision.recipients] == [cents]
        self._apply({"slug": "elsewhere", "level": [{"name": level["name"], "deleted": True}]})

    def _subscribe(self, change: SubscriptionChange) -> None:
        told = change.model_dump(exclude_none=True, exclude={"provider"})
        self._apply(None, [{"email": email_of(change.provider), "subscription": [{"niche": NICHE, **told}]}])

    def _apply(self, niche: dict[str, Any] | None, providers: list[dict[str, Any]] | None = None) -> None:
        text = f"niche = {as_toml([niche] if niche else [])}\nprovider = {as_toml(providers or [])}\n"
        applied = apply_marketplace(self._database, parse_declaration(text), OPERATOR)
        assert applied.changes, f"nothing changed by {text}"

    def distribute(self, attributes: dict[str, Any]) -> Told:
        [lead_id] = submit_leads(self._database, NICHE, [attributes], OPERATOR, approve=True)
        self._lead_ids.append(lead_id)
        told = self._decide(lead_id)
        assert told is not None
        return told

    def distribute_again(self, number: int) -> Told | None:
        lead_id = self._lead_ids[number - 1]
        trigger_distribution(self._database, lead_id, OPERATOR)
        return self._decide(lead_id)

    def _decide(self, lead_id: str) -> Told | None:
        result = self._distributor.distribute_waiting(self._niche_id)
        assert not result.failures
        if not result.decisions:
            return None
        [(payload,)] = self._rows(
            "select payload from niche_journal where kind = 'decision' and niche_id = %s order by seq desc limit 1",
            self._niche_id,
        )
        [(outcome, status)] = self._rows("select last_outcome, status from leads where id = %s", lead_id)
        [(pointer,)] = self._rows("select next_start_level_order_position from niches where id = %s", self._niche_id)
        assert (status == "distributed") == (outcome != "no_eligible")
        assert payload["lead_id"] == lead_id
        assert (payload["outcome"], payload["next_start_order_position"]) == (outcome, pointer)
        return Told(
            payload["start_order_position"],
            pointer,
            outcome,
            self._received(lead_id, payload),
            self._told(lead_id, lambda refusal, _: refusal.reason),
            self._told(lead_id, Refusal.sentence),
        )

    def _received(self, lead_id: str, payload: dict[str, Any]) -> list[list[str]]:
        level_names = dict(self._rows("select id::text, name from competition_levels"))
        received = {level["level_id"]: [level_names[level["level_id"]]] for level in payload["levels"]}
        for level_id, name in self._rows(
            """
            select a.competition_level_id::text, p.name from assignments a join providers p on p.id = a.provider_id
            where a.lead_id = %s order by a.served_seq
            """,
            lead_id,
        ):
            received[level_id].append(name)
        return list(received.values())

    def _told(self, lead_id: str, tell: Callable[[Refusal, Names], str]) -> dict[tuple[str, str], str]:
        stories = {
            name: explain_provider(self._database, lead_id, email_of(name))
            for (name,) in self._rows("select name from providers order by id")
        }
        return {
            (level.name, name): tell(standing.refusal, story.names)
            for name, story in stories.items()
            for level, standing in story.standings
            if standing.refusal is not None
        }

    # What is told ---------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, int]:
        return dict(self._rows("select name, balance_cents from providers"))

    def inactive(self) -> list[tuple[str, str, str]]:
        return self._rows(
            """
            select p.name, l.name, s.deactivation_reason
            from subscriptions s join providers p on p.id = s.provider_id
            join competition_levels l on l.id = s.competition_level_id
            where not s.is_active and s.deleted_at is null and s.niche_id = %s
            """,
            self._niche_id,
        )

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._database.transaction() as conn:
            return conn.execute(query, values).fetchall()  # type: ignore[call-overload]
