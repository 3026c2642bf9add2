"""What the operators and a provider of the showcase have set: limits and hours, price rules, weights, days in which
personal data is kept, billing details, postcodes, a conflict group; and what became of it.
"""

from fairlead.core.money.report_rules import ReportRules
from fairlead.core.retention import RetentionPolicy
from fairlead.flows.configuration.billing_details import WantedDetails, change_billing_details
from fairlead.flows.configuration.conflict_groups import create_conflict_group, set_conflict_group
from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.configuration.local_time import (
    set_provider_limits,
    set_provider_schedule,
    set_subscription_limits,
    set_subscription_schedule,
)
from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.configuration.report_rules import change_report_rules
from fairlead.flows.configuration.weights import set_subscription_weight
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.erasure.retention import change_retention
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.close_months import close_months
from fairlead.flows.money.receipts import issue_credit_note
from fairlead.flows.proving.verifications import request_verification, verify_requested
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import rows, value

_PRICE_RULES = {
    "version": 1,
    "rules": [
        {
            "name": "Large servers",
            "price_cents": 3600,
            "filter": {"version": 1, "rules": [{"field_key": "cores", "operator": "gte", "value": 16}]},
        },
        {"name": "Older leads", "price_cents": 1200, "lead_age_minutes": {"from": 2880}},
    ],
}
_WEEK = {
    "weekly": [
        {"days": ["mon", "tue", "wed"], "opens": "08:00", "closes": "18:00"},
        {"days": ["thu"], "opens": "08:00", "closes": "12:00"},
        {"days": ["thu"], "opens": "14:00", "closes": "20:30"},
        {"days": ["fri"], "opens": "08:00", "closes": "13:00"},
    ],
    "holidays": {"country": "IE"},
}
_WEEKDAYS = {"weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "00:00", "closes": "24:00"}]}
_POSTCODES = "10115,52.5337,13.3872\n14467,52.3988,13.0657\n20095,53.5503,10.0006\n80331,48.1345,11.5710\n"


def set_terms(database: Database, provider_id: str) -> None:
    """Before the last leads are distributed: what decides who receives them, and for how much."""
    level_of = dict(
        rows(
            database,
            "select n.slug || ':' || l.name, l.id::text from competition_levels l join niches n on n.id = l.niche_id",
        )
    )
    set_price_rules(database, level_of["vps-hosting:exclusive"], _PRICE_RULES, OPERATOR)
    change_level(database, level_of["dedicated-servers:shared"], LevelChange(order="weighted"), OPERATOR)
    own = dict(
        rows(
            database,
            "select s.competition_level_id::text, s.id::text from subscriptions s where s.provider_id = %s",
            provider_id,
        )
    )
    shared, standard = own[level_of["dedicated-servers:shared"]], own[level_of["vps-hosting:standard"]]
    set_subscription_weight(database, shared, 3, OPERATOR)
    limits = {"leads_per_day": 20, "spend_cents_per_week": 40_000}
    set_subscription_limits(database, standard, limits, OPERATOR, of_provider_id=None)
    set_subscription_schedule(database, standard, _WEEK, OPERATOR, of_provider_id=None)
    set_provider_limits(database, provider_id, {"leads_per_month": 200}, OPERATOR)
    set_provider_schedule(database, provider_id, _WEEKDAYS, OPERATOR)


def add_records(database: Database, provider_id: str) -> None:
    """Afterwards: what is on record of personal data, of papers and of proofs."""
    change_report_rules(database, ReportRules(most_a_day=5, decision_days=3), OPERATOR)
    change_provider(database, provider_id, ProviderChange(low_balance_days=7), OPERATOR)
    group = create_conflict_group(database, "Anchor brands", OPERATOR).row
    set_conflict_group(database, provider_id, group.group_id, OPERATOR)
    change_billing_details(
        database,
        provider_id,
        WantedDetails("Anchor Cloud Ltd", "1 Harbour Street\nDublin D01 X2Y3", "IE", "IE1234567T"),
        OPERATOR,
    )
    load_postcode_table(database, "de", _POSTCODES, OPERATOR)
    niche_id = value(database, "select id::text from niches where slug = 'vps-hosting'")
    change_retention(database, niche_id, RetentionPolicy(45, 365, 90, 30), OPERATOR)
    rejected = value(database, "select id::text from leads where status = 'rejected' order by id limit 1")
    erase_lead(database, rejected, "consumer_request", OPERATOR)
    number = value(
        database,
        "select min(number)::text from receipts where provider_id = %s and kind = 'receipt'",
        provider_id,
    )
    issue_credit_note(database, int(number), "paid twice by mistake", OPERATOR)
    close_months(database)
    request_verification(database, OPERATOR)
    verify_requested(Maintenance(database, Settings()))
