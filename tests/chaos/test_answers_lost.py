"""The answer to a commit is lost, and the caller is told what the call did: never that it was so already.

Each verb goes through a relay that swallows the answer to its commit. It is compared with what the same verb says when
nothing happens to it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.errors import Refused
from fairlead.core.permissions import Role
from fairlead.flows.access.api_keys import create_api_key, revoke_api_key
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.access.users import disable_user
from fairlead.flows.approve_lead import approve_lead, approve_leads, trigger_distribution
from fairlead.flows.assignment_actions import accept_assignment
from fairlead.flows.configuration.levels import create_level
from fairlead.flows.configuration.niches import create_niche
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.providers import create_provider
from fairlead.flows.configuration.subscriptions import pause_subscription
from fairlead.flows.distributor import Distributor
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.importing.import_leads import ImportOptions, import_leads
from fairlead.flows.maintenance.clean_up import forget_calls
from fairlead.flows.money.adjust_balance import Adjusted, adjust_balance
from fairlead.flows.money.bad_leads import mark_lead_bad, report_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import ids_from
from tests.chaos.proxy import Proxy, Session, Strike, swallow_answer
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.marketplaces import declare
from tests.flows.sales import MEMO, PORTAL, Sale, audited, balances, query, sell
from tests.race.processes import opened

pytestmark = pytest.mark.chaos

FUNDED = """
[[provider]]
email = "bowline@example.com"
deposit = [{ external_id = "second-bowline", amount_cents = 5000 }]
"""
RENAMED = '[[niche]]\nslug = "hosting"\nname = "Hosting and housing"\n'

Verb = Callable[[Database, Sale, Any], Any]
Says = Callable[[Any], object]


class FirstAttempts:
    """Chooses the commit of each call's first attempt, where that may have changed something."""

    def __init__(self) -> None:
        self.struck = 0
        self._is_written = False

    def __call__(self, point: str) -> Strike | None:
        """How the session is struck at this point, if it is."""
        if "pg_current_xact_id_if_assigned" in point:
            self._is_written = True
        if point != "query: COMMIT" or not self._is_written:
            return None
        self._is_written = False
        self.struck += 1
        return swallow_answer


def waiting(database: Database) -> str:
    """A lead that waits for its approval."""
    return submit_leads(database, "hosting", [{"cores": 8, "region": "south"}], OPERATOR, approve=False)[0]


def unsold(database: Database) -> str:
    """A lead that was decided, and that no provider bought."""
    lead = {"cores": 1, "region": "south"}
    adjust_balance(database, _provider(database, "Anchor"), "debit", 3000, MEMO, OPERATOR)
    [lead_id] = submit_leads(database, "hosting", [lead], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(_niche(database))
    return lead_id


def _niche(database: Database) -> str:
    return query(database, "select id::text from niches where slug = 'hosting'")[0][0]


def _provider(database: Database, name: str) -> str:
    return query(database, "select id::text from providers where name = %s", name)[0][0]


def _subscription(database: Database, provider_id: str) -> str:
    text = "select id::text from subscriptions where provider_id = %s order by id limit 1"
    return query(database, text, provider_id)[0][0]


def _import(database: Database, folder: Path) -> Any:
    file = folder / "leads.csv"
    file.write_text("cores,region\n4,north\n5,south\n", encoding="utf-8")
    return import_leads(database, file, ImportOptions("hosting", approve=True), OPERATOR)


PREPARED: dict[str, Callable[[Database, Sale], Any]] = {
    "approve": lambda db, _: waiting(db),
    "approve several": lambda db, _: [waiting(db), waiting(db)],
    "reject": lambda db, _: waiting(db),
    "trigger": lambda db, _: unsold(db),
    "revoke key": lambda db, sale: create_api_key(db, "CRM", ["own:read"], OPERATOR, provider_id=sale.anchor_id).key_id,
    "disable user": lambda db, _: invite_user(db, "ada@example.com", "Ada", Role.ADMIN, OPERATOR).user_id,
    "pause": lambda db, sale: _subscription(db, sale.anchor_id),
    "distribute": lambda db, _: (
        submit_leads(db, "hosting", [{"cores": 8, "region": "south"}] * 2, OPERATOR, approve=True),
        _niche(db),
    )[1],
}
"""What a verb is about, where the sale is not all of it. Done before anything is lost."""

VERBS: dict[str, tuple[Verb, Says, object]] = {
    "deposit": (
        lambda db, sale, _: deposit(db, sale.bowline_id, 5000, "bank", "one", OPERATOR),
        lambda said: (said.was_recorded, said.balance_after_cents, len(said.reactivated_subscription_ids)),
        (False, 5100, 2),
    ),
    "credit": (
        lambda db, sale, _: adjust_balance(db, sale.bowline_id, "credit", 5000, MEMO, OPERATOR),
        lambda said: (said.balance_after_cents, len(said.reactivated_subscription_ids)),
        (5100, 2),
    ),
    "debit": (
        lambda db, sale, _: adjust_balance(db, sale.anchor_id, "debit", 2900, MEMO, OPERATOR),
        lambda said: (said.balance_after_cents, len(said.deactivated_subscription_ids)),
        (100, 2),
    ),
    "refund": (
        lambda db, sale, _: refund_assignment(db, sale.bowline, MEMO, OPERATOR),
        lambda said: (said.balance_after_cents, len(said.reactivated_subscription_ids)),
        (600, 1),
    ),
    "apply money": (
        lambda db, _sale, _: declare(db, FUNDED),
        lambda said: [(change.kind, change.entity) for change in said.changes],
        [("create", "deposit"), ("change", "subscription"), ("change", "subscription")],
    ),
    "apply a name": (
        lambda db, _sale, _: declare(db, RENAMED),
        lambda said: [(change.kind, change.entity) for change in said.changes],
        [("change", "niche")],
    ),
    "approve": (lambda db, _sale, lead: approve_lead(db, lead, OPERATOR), lambda said: said.was_already, False),
    "approve several": (
        lambda db, _sale, leads: approve_leads(db, leads, OPERATOR),
        lambda said: (len(said.approved), len(said.already)),
        (2, 0),
    ),
    "reject": (lambda db, _sale, lead: reject_lead(db, lead, "spam", OPERATOR), lambda said: said.was_already, False),
    "trigger": (lambda db, _sale, lead: trigger_distribution(db, lead, OPERATOR), lambda said: said.job_id > 0, True),
    "bad lead": (
        lambda db, sale, _: mark_lead_bad(db, sale.lead_id, MEMO, OPERATOR),
        lambda said: (said.was_already, len(said.refunds)),
        (False, 2),
    ),
    "create niche": (
        lambda db, _sale, _: create_niche(db, "moving", "Moving", OPERATOR),
        lambda said: (said.took_effect, said.row.slug),
        (True, "moving"),
    ),
    "create level": (
        lambda db, _sale, _: create_level(db, _niche(db), "bronze", 100, 3, OPERATOR),
        lambda said: (said.took_effect, said.row.level.name),
        (True, "bronze"),
    ),
    "create provider": (
        lambda db, _sale, _: create_provider(db, "cleat@example.com", "Cleat", OPERATOR),
        lambda said: (said.took_effect, said.row.email),
        (True, "cleat@example.com"),
    ),
    "suspend": (
        lambda db, sale, _: suspend_provider(db, sale.anchor_id, OPERATOR),
        lambda said: said.took_effect,
        True,
    ),
    "pause": (
        lambda db, sale, subscription: pause_subscription(
            db.bound_to(sale.anchor_id), subscription, PORTAL, of_provider_id=sale.anchor_id
        ),
        lambda said: (said.took_effect, said.journal_seq is not None),
        (True, True),
    ),
    "accept assignment": (
        lambda db, sale, _: accept_assignment(db.bound_to(sale.anchor_id), sale.anchor_id, sale.anchor, PORTAL),
        lambda said: (said.status, said.took_effect),
        ("accepted", True),
    ),
    "report": (
        lambda db, sale, _: report_bad_lead(
            db.bound_to(sale.anchor_id), sale.anchor_id, sale.anchor, "spam", None, PORTAL
        ),
        lambda said: said.reason,
        "spam",
    ),
    "invite": (
        lambda db, _sale, _: invite_user(db, "ada@example.com", "Ada", Role.ADMIN, OPERATOR),
        lambda said: (said.status, said.invite),
        ("invited", None),
    ),
    "revoke key": (lambda db, _sale, key: revoke_api_key(db, key, OPERATOR), bool, True),
    "disable user": (lambda db, _sale, user: disable_user(db, user, OPERATOR), lambda said: said.took_effect, True),
    "distribute": (
        lambda db, _sale, niche: Distributor(db).distribute_waiting(niche),
        lambda said: len(said.decisions),
        2,
    ),
}


@pytest.mark.parametrize("name", VERBS)
def test_a_caller_is_told_what_its_call_did(name: str, database: Database, database_url: str, proxy: Proxy) -> None:
    verb, says, expected = VERBS[name]
    sale = sell(database)
    about = PREPARED[name](database, sale) if name in PREPARED else None
    with opened(proxy.url(database_url)) as relayed:
        chosen = FirstAttempts()
        proxy.strike_where(chosen)
        said = verb(relayed, sale, about)
        proxy.strike_where(None)
    assert chosen.struck
    assert says(said) == expected


def test_what_was_invited_once_gets_one_message(database: Database, database_url: str, proxy: Proxy) -> None:
    with opened(proxy.url(database_url)) as relayed:
        proxy.strike_where(FirstAttempts())
        invite_user(relayed, "ada@example.com", "Ada", Role.ADMIN, OPERATOR)
        proxy.strike_where(None)
    assert query(database, "select count(*) from notifications where kind = 'user_invited'") == [(1,)]
    assert len(audited(database, "user.created")) == 1
    assert audited(database, "user.invited_again") == []


def test_an_import_counts_the_rows_that_it_stored(
    database: Database, database_url: str, proxy: Proxy, tmp_path: Path
) -> None:
    sell(database)
    with opened(proxy.url(database_url)) as relayed:
        proxy.strike_where(FirstAttempts())
        done = _import(relayed, tmp_path)
        proxy.strike_where(None)
        again = _import(relayed, tmp_path)
    assert (done.added, done.already_there) == (2, 0)
    assert (again.added, again.already_there) == (0, 2)


def test_the_first_request_with_a_key_is_no_replay(database: Database, database_url: str, proxy: Proxy) -> None:
    sale = sell(database)
    replays: list[str] = []
    once = replace(
        idempotency_key_for("operator", "k-1", "POST /it", None), on_replay=lambda: replays.append("replayed")
    )

    def credit(asked: Database) -> Adjusted:
        return adjust_balance(asked, sale.bowline_id, "credit", 5000, MEMO, OPERATOR, once)

    with opened(proxy.url(database_url)) as relayed:
        proxy.strike_where(FirstAttempts())
        first = credit(relayed)
        proxy.strike_where(None)
        assert replays == []
        assert credit(relayed) == first
        assert replays == ["replayed"]
    assert balances(database)["Bowline"] == 5100


def test_what_another_did_meanwhile_is_still_told(database: Database, database_url: str, proxy: Proxy) -> None:
    """The commit never reached the server, and another call did the same before the second attempt."""
    sale = sell(database)
    struck: list[str] = []

    def choose(point: str) -> Strike | None:
        if point != "query: COMMIT" or struck:
            return None
        struck.append(point)
        return overtaken

    def overtaken(session: Session, deliver: Callable[[], None]) -> None:
        session.cut()
        deposit(database, sale.bowline_id, 5000, "bank", "one", OPERATOR)

    with opened(proxy.url(database_url)) as relayed:
        proxy.strike_where(choose)
        said = deposit(relayed, sale.bowline_id, 5000, "bank", "one", OPERATOR)
        proxy.strike_where(None)
    assert struck
    assert (said.was_recorded, said.reactivated_subscription_ids) == (True, ())


def test_a_refusal_after_a_lost_commit_that_never_happened_is_told(
    database: Database, database_url: str, proxy: Proxy
) -> None:
    struck: list[str] = []

    def choose(point: str) -> Strike | None:
        if point != "query: COMMIT" or struck:
            return None
        struck.append(point)
        return overtaken

    def overtaken(session: Session, deliver: Callable[[], None]) -> None:
        session.cut()
        create_niche(database, "moving", "Moving house", OPERATOR)

    with opened(proxy.url(database_url)) as relayed:
        proxy.strike_where(choose)
        with pytest.raises(Refused, match="there is a niche 'moving' already"):
            create_niche(relayed, "moving", "Moving", OPERATOR)
        proxy.strike_where(None)
    assert struck


def test_what_only_reads_leaves_no_trace(database: Database) -> None:
    sell(database)
    before = query(database, "select count(*) from committed_calls")
    database.read(lambda conn: conn.execute("select from niches").fetchall())
    database.run(lambda conn: conn.execute("select from niches").fetchall())
    assert query(database, "select count(*) from committed_calls") == before


def test_calls_are_forgotten_after_an_hour(database: Database) -> None:
    sell(database)
    maintenance = maintenance_of(database)
    forget_calls(maintenance)
    assert query(database, "select count(*) > 0 from committed_calls") == [(True,)]
    old, young = (ids_from(datetime.now(UTC), -timedelta(minutes=minutes)) for minutes in (61, 59))
    query(database, "insert into committed_calls values (%s), (%s) returning 1", old, young)
    forget_calls(maintenance)
    kept = query(database, "select call_id from committed_calls where call_id in (%s, %s)", old, young)
    assert kept == [(young,)]
