"""What a marketplace file does: all of it or nothing, once, and told in the journal."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.roster import Roster
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.distribution.rosters import head_of, load_roster
from fairlead.store.history import niches_of, past_entries
from tests.flows.marketplaces import HOSTING, activity, count, declare, everything, notices
from tests.flows.sales import told


def test_a_file_makes_a_marketplace(database: Database) -> None:
    applied = declare(database, HOSTING)
    assert [change.entity for change in applied.changes] == (
        ["marketplace", "niche", "level", "level"] + ["provider", "deposit"] * 2 + ["subscription"] * 4
    )
    assert {change.kind for change in applied.changes} == {"create"}
    assert applied.currency == "EUR"
    assert activity(database) == {
        "anchor gold": "active",
        "anchor silver": "active",
        "bowline gold": "insufficient_funds",
        "bowline silver": "active",
    }
    assert notices(database) == []


def test_a_second_time_changes_nothing(database: Database) -> None:
    declare(database, HOSTING)
    before = everything(database)
    assert declare(database, HOSTING).changes == ()
    assert declare(database, HOSTING.replace("anchor@example.com", "ANCHOR@example.com")).changes == ()
    assert everything(database) == before


def test_a_dry_run_says_the_same_and_writes_nothing(database: Database) -> None:
    empty = everything(database)
    tried = declare(database, HOSTING, dry_run=True)
    assert everything(database) == empty
    assert tried.is_dry_run
    assert [change.line for change in tried.changes] == [change.line for change in declare(database, HOSTING).changes]
    before = everything(database)
    (change,) = declare(database, '[[niche]]\nslug = "hosting"\nname = "Servers"', dry_run=True).changes
    assert change.line == "~ niche hosting: name Hosting -> Servers"
    assert everything(database) == before


def test_one_mistake_at_the_end_keeps_everything_out(database: Database) -> None:
    declare(database, HOSTING)
    before = everything(database)
    wrong = HOSTING.replace("price_cents = 500", "price_cents = 700").replace("opening-", "second-")
    wrong = wrong.replace('value = ["north"]', 'value = ["west"]')
    with pytest.raises(BadInput) as caught:
        declare(database, wrong)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "provider[1].subscription[1].filter[0].value[0]"
    ]
    assert everything(database) == before


def test_the_journal_says_what_the_tables_say(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, '[[provider]]\nemail = "anchor@example.com"\nstatus = "suspended"')
    with database.snapshot() as conn:
        (niche,) = niches_of(conn, "hosting")
        folded = Roster(niche.niche_id)
        for past in past_entries(conn, niche.niche_id):
            folded.fold(past.entry)
        loaded = load_roster(conn, niche)
    assert len(folded) == 4
    assert folded.head == head_of(niche)
    assert folded.subscriptions == loaded.subscriptions
    assert folded.levels == loaded.levels
    assert folded.schema == loaded.schema
    anchor = next(s.provider_id for s in folded.subscriptions.values() if s.is_active)
    assert {folded.provider_status(s.provider_id) for s in folded.subscriptions.values()} == {"active", "suspended"}
    assert folded.provider_status(anchor) == loaded.provider_status(anchor)


def test_a_price_decides_who_can_pay(database: Database) -> None:
    declare(database, HOSTING)
    price = '[[niche]]\nslug = "hosting"\nlevel = [{{ name = "silver", price_cents = {} }}]'
    raised = declare(database, price.format(601))
    assert [change.line for change in raised.changes] == [
        "~ level hosting/silver: price_cents 500 -> 601",
        "~ subscription bowline@example.com hosting/silver: active true -> false, "
        "deactivation_reason none -> insufficient_funds",
    ]
    assert activity(database)["anchor silver"] == "active"
    declare(database, price.format(600))
    assert activity(database)["bowline silver"] == "active"
    assert notices(database) == [
        "subscription_deactivated bowline silver",
        "subscription_reactivated bowline silver",
    ]


def test_money_brings_back_what_lacked_money_and_nothing_else(database: Database) -> None:
    declare(database, HOSTING)
    provider = '[[provider]]\nemail = "bowline@example.com"\n'
    declare(database, provider + 'subscription = [{ niche = "hosting", level = "silver", active = false }]')
    assert activity(database)["bowline silver"] == "paused"
    declare(database, provider + 'deposit = [{ external_id = "more", amount_cents = 1400 }]')
    assert activity(database)["bowline gold"] == "active"
    assert activity(database)["bowline silver"] == "paused"
    assert notices(database) == []


def test_several_deposits_of_one_provider_add_up(database: Database) -> None:
    declare(database, HOSTING)
    deposits = 'deposit = [{ external_id = "b", amount_cents = 500 }, { external_id = "a", amount_cents = 900 }]'
    declare(database, '[[provider]]\nemail = "bowline@example.com"\n' + deposits)
    with database.snapshot() as conn:
        row = conn.execute("select balance_cents, ledger_seq from providers where name = 'Bowline'").fetchone()
    assert row == (2000, 3)
    assert activity(database)["bowline gold"] == "active"


def test_paused_wins_over_a_lack_of_money(database: Database) -> None:
    declare(database, HOSTING)
    gold = '[[provider]]\nemail = "bowline@example.com"\nsubscription = [{{ niche = "hosting", level = "gold", {} }}]'
    declare(database, gold.format("active = false"))
    assert activity(database)["bowline gold"] == "paused"
    declare(database, gold.format("active = true"))
    assert activity(database)["bowline gold"] == "insufficient_funds"
    assert notices(database) == []


def test_credit_counts_as_money_and_is_not_taken_away_while_in_use(database: Database) -> None:
    declare(database, HOSTING)
    provider = '[[provider]]\nemail = "bowline@example.com"\ncredit_limit_cents = {}\n'
    declare(database, provider.format(1400))
    assert activity(database)["bowline gold"] == "active"
    with database.snapshot() as conn:
        niche_id = niches_of(conn, "hosting")[0].niche_id
    submit_leads(database, "hosting", [{"cores": 1, "region": "north"}], OPERATOR, approve=True)
    assert len(Distributor(database).distribute_waiting(niche_id).decisions[0].recipients) == 2
    before = everything(database)
    with pytest.raises(BadInput, match=r"provider\[0\].credit_limit_cents: 1399 is too low: 1400 cents of credit"):
        declare(database, provider.format(1399))
    assert everything(database) == before
    paid = 'deposit = [{ external_id = "pays-it-back", amount_cents = 1400 }]'
    declare(database, provider.format(0) + paid)
    assert activity(database)["bowline gold"] == "insufficient_funds"


def test_a_new_form_invalidates_filters_until_they_fit_again(database: Database) -> None:
    declare(database, HOSTING)
    region = '{ key = "region", label = "Region", type = "select", options = ["north", "south"] }'
    cores = '{ key = "cores", label = "Cores", type = "number" }'
    form = '[[niche]]\nslug = "hosting"\nfield = [{}]'
    changed = declare(database, form.format(region))
    assert [change.line for change in changed.changes] == [
        "~ niche hosting: field 2 entries -> 1 entry",
        "~ subscription anchor@example.com hosting/gold: filter_is_valid true -> false",
    ]
    assert notices(database) == ["filter_invalidated anchor gold"]
    declare(database, form.format(f"{region}, {cores}"))
    with database.snapshot() as conn:
        valid = conn.execute("select bool_and(filter_is_valid) from subscriptions").fetchone()
    assert valid == (True,)
    assert len(notices(database)) == 1


def test_a_dearer_level_warns_of_whom_it_leaves_out_and_tells_them_once(database: Database) -> None:
    declare(database, HOSTING)
    own = '[[provider]]\nemail = "{}@example.com"\nsubscription = [{{ niche = "hosting", level = "gold", {} }}]\n'
    declare(database, own.format("anchor", "max_price_cents = 2400") + own.format("bowline", "max_price_cents = 2000"))
    dearer = '[[niche]]\nslug = "hosting"\nlevel = [{{ name = "gold", price_cents = {} }}]\n'
    words = (
        "hosting/gold: no lead comes to {} of its subscriptions any more: it asks {} cents at the least, and {} less"
    )
    both = words.format(2, 2500, "anchor@example.com, bowline@example.com pay")
    assert declare(database, dearer.format(2500), dry_run=True).warnings == (both,)
    assert told(database, "price_limit_passed") == []
    assert declare(database, dearer.format(2001)).warnings == (words.format(1, 2001, "bowline@example.com pays"),)
    limits = {"lowest_price_cents": 2001, "max_price_cents": 2000}
    assert told(database, "price_limit_passed") == [("Bowline", limits)]
    assert declare(database, dearer.format(2001)).warnings == ()
    # A limit that the file sets with the price is warned of by its key alone.
    raised = dearer.format(2500) + own.format("anchor", "max_price_cents = 2450")
    [warning] = declare(database, raised).warnings
    assert warning.startswith("provider[0].subscription[0].max_price_cents: no lead comes")
    assert told(database, "price_limit_passed") == [("Bowline", limits)]


def test_who_comes_back_stands_where_it_stood(database: Database) -> None:
    declare(database, HOSTING)
    with database.snapshot() as conn:
        niche_id = niches_of(conn, "hosting")[0].niche_id
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)
    served = "select id, served_seq, deleted_at is null from subscriptions where served_seq is not null order by 1"
    with database.snapshot() as conn:
        before = conn.execute(served).fetchall()
    silver = '[[provider]]\nemail = "{}"\nsubscription = [{{ niche = "hosting", level = "{}", deleted = {} }}]'
    gone = "\n".join(
        silver.format(f"{n}@example.com", level, "true") for n, level in (("anchor", "gold"), ("bowline", "silver"))
    )
    assert {change.kind for change in declare(database, gone).changes} == {"delete"}
    assert declare(database, gone).changes == ()
    with database.snapshot() as conn:
        assert {row[2] for row in conn.execute(served)} == {False}
    assert {change.kind for change in declare(database, gone.replace("true", "false")).changes} == {"create"}
    with database.snapshot() as conn:
        assert conn.execute(served).fetchall() == before
    assert len(before) == 2


def test_a_deleted_level_takes_its_subscriptions_with_it(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, '[[niche]]\nslug = "hosting"\nlevel = [{ name = "gold", deleted = true }]')
    assert activity(database) == {
        "anchor gold": "deleted",
        "anchor silver": "active",
        "bowline gold": "deleted",
        "bowline silver": "active",
    }
    gold = '{ name = "gold", price_cents = 100, max_recipients = 1, order_position = 1 }'
    declare(database, f'[[niche]]\nslug = "hosting"\nlevel = [{gold}]')
    assert list(activity(database).values()).count("deleted") == 2


def test_levels_can_swap_their_positions(database: Database) -> None:
    declare(database, HOSTING)
    swap = '{ name = "gold", order_position = 2 }, { name = "silver", order_position = 1 }'
    assert len(declare(database, f'[[niche]]\nslug = "hosting"\nlevel = [{swap}]').changes) == 2
    with pytest.raises(BadInput, match=r"niche\[0\].level\[0\].order_position: the level 'silver' has the position 1"):
        declare(database, '[[niche]]\nslug = "hosting"\nlevel = [{ name = "gold", order_position = 1 }]')


def test_a_status_is_told_in_every_niche_ever_subscribed_in(database: Database) -> None:
    declare(database, HOSTING)
    other = HOSTING.replace('"hosting"', '"storage"').replace("opening-", "other-")
    declare(database, other)
    # The file names no niche: the flow finds out which are concerned.
    changed = declare(database, '[[provider]]\nemail = "Anchor@Example.com"\nstatus = "suspended"')
    assert [change.line for change in changed.changes] == ["~ provider anchor@example.com: status active -> suspended"]
    with database.snapshot() as conn:
        last = conn.execute(
            "select kind, payload ->> 'status' from niche_journal join niches on (id, journal_seq) = (niche_id, seq)"
        ).fetchall()
    assert last == [("provider", "suspended")] * 2


def test_the_currency_is_free_until_money_moved(database: Database) -> None:
    declare(database, "")
    assert count(database, "marketplace") == 1
    dollars = '[marketplace]\ncurrency = "USD"\n'
    (change,) = declare(database, dollars).changes
    assert change.line == "~ marketplace settings: currency EUR -> USD"
    declare(database, HOSTING)
    assert declare(database, dollars).changes == ()
    with pytest.raises(BadInput, match=r"marketplace.currency: money was moved in USD already"):
        declare(database, dollars.replace("USD", "EUR"))


def test_the_audit_log_counts_and_names_no_provider(database: Database) -> None:
    declare(database, HOSTING)
    log = everything(database)["audit_log"]
    assert len(log) == 5 + 2 + 2
    assert sum("provider.created" in row for row in log) == 2
    assert sum("deposit.credited" in row for row in log) == 2
    assert not any("example.com" in row or "Anchor" in row for row in log)


def test_the_same_file_twice_at_once(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(declare, database, HOSTING) for _ in range(4)]
        changes = sorted(len(result.result().changes) for result in results)
    assert changes == [0, 0, 0, 12]
    assert count(database, "ledger_entries") == 2


NEW = '[[niche]]\nslug = "new"\nname = "New"\n'
LEVEL = 'level = [{ name = "a", price_cents = 1, max_recipients = 1, order_position = 1 }]\n'


@pytest.mark.scale
def test_a_large_file_takes_few_statements(database: Database) -> None:
    providers = [
        f'[[provider]]\nemail = "p{n}@example.com"\nname = "P{n}"\n'
        f'deposit = [{{ external_id = "d{n}", amount_cents = {n + 1} }}]\n'
        'subscription = [{ niche = "new", level = "a" }]\n'
        for n in range(1000)
    ]
    statements: list[object] = []
    text = NEW + LEVEL + "".join(providers)
    with database.transaction() as conn:
        kind = type(conn)
    original = kind.execute

    def counted(self, query, *args, **kwargs):
        statements.append(query)
        return original(self, query, *args, **kwargs)

    kind.execute = counted  # type: ignore[method-assign]
    try:
        declare(database, text)
    finally:
        kind.execute = original  # type: ignore[method-assign]
    assert count(database, "subscriptions") == 1000
    assert len(statements) < 45
