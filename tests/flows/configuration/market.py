"""The marketplace `HOSTING` with the ids of its things, and what the journal and the audit log say of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fairlead.core.errors import Refused
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, everything
from tests.flows.sales import query

Result = TypeVar("Result")

UNKNOWN = "01900000-0000-7000-8000-000000000000"
PORTAL = Actor("anchor", "provider")


@dataclass(frozen=True)
class Market:
    """Anchor can pay for gold and silver, Bowline for silver alone. Subscriptions by "provider level"."""

    niche: str
    gold: str
    silver: str
    anchor: str
    bowline: str
    subscriptions: dict[str, str]


def open_market(database: Database) -> Market:
    """The marketplace is there."""
    declare(database, HOSTING)
    [(niche,)] = query(database, "select id::text from niches")
    levels = dict(query(database, "select name, id::text from competition_levels"))
    providers = dict(query(database, "select name, id::text from providers"))
    subscriptions = dict(
        query(
            database,
            "select lower(p.name) || ' ' || l.name, s.id::text from subscriptions s "
            "join providers p on p.id = s.provider_id join competition_levels l on l.id = s.competition_level_id",
        )
    )
    return Market(niche, levels["gold"], levels["silver"], providers["Anchor"], providers["Bowline"], subscriptions)


def journal(database: Database, after_seq: int = 0) -> list[tuple[str, dict[str, Any]]]:
    """Kind and payload of the journal's entries after that one, in order."""
    return query(database, "select kind, payload from niche_journal where seq > %s order by niche_id, seq", after_seq)


def head(database: Database) -> int:
    """How long the journal is."""
    return len(journal(database))


def events(database: Database, after_seq: int = 0) -> list[tuple[Any, ...]]:
    """Action, old, new and memo of the audit log's entries after that one, in order."""
    return query(database, "select action, old, new, memo from audit_log where seq > %s order by seq", after_seq)


def refusal(attempt: Callable[[], object]) -> str:
    """The code with which it is refused."""
    try:
        attempt()
    except Refused as refused:
        return refused.code
    return "not refused"


def changes_nothing(database: Database, attempt: Callable[[], Result]) -> Result:
    """The result of something that leaves every row of every table as it was."""
    before = everything(database)
    result = attempt()
    assert everything(database) == before
    return result


def distribute(database: Database, market: Market, leads: Sequence[dict[str, object]]) -> list[list[str]]:
    """The leads come in and are decided one by one; by lead, the providers who got it, in order."""
    decided: list[list[str]] = []
    for lead in leads:
        submit_leads(database, "hosting", [lead], OPERATOR, approve=True)
        for decision in Distributor(database).distribute_waiting(market.niche).decisions:
            decided.append([recipient.provider_id for recipient in decision.recipients])
    return decided
