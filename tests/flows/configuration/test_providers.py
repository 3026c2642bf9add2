"""Providers are taken in, changed, let in and shut out by verbs."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.provider_notes import add_provider_note, provider_notes
from fairlead.flows.configuration.provider_status import approve_provider, reactivate_provider, suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider, create_provider
from fairlead.flows.configuration.reading import read_provider
from fairlead.flows.configuration.subscriptions import subscribe, unsubscribe
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import (
    UNKNOWN,
    changes_nothing,
    distribute,
    events,
    head,
    journal,
    open_market,
    refusal,
)
from tests.flows.marketplaces import HOSTING, activity, count, declare, everything, notices
from tests.flows.sales import query

LEAD: dict[str, object] = {"cores": 8, "region": "north"}


def test_a_provider_is_created_once_by_its_email(database: Database) -> None:
    def create(email: str = "cleat@example.com", name: str = "Cleat") -> Any:
        return create_provider(
            database, email, name, OPERATOR, status="pending", timezone="Europe/Berlin", credit_limit_cents=100
        )

    created = create()
    [(action, old, new, _), limit] = events(database)
    assert (action, old) == ("provider.created", None)
    assert new == {"status": "pending", "timezone": "Europe/Berlin", "low_balance_threshold_cents": None}
    assert limit[:3] == ("credit_limit.changed", {"credit_limit_cents": 0}, {"credit_limit_cents": 100})
    assert query(database, "select email, name, status, balance_cents from providers") == [
        ("cleat@example.com", "Cleat", "pending", 0)
    ]
    again = changes_nothing(database, lambda: create("CLEAT@example.com"))
    assert (again.took_effect, again.row) == (False, created.row)
    assert changes_nothing(database, lambda: refusal(lambda: create(name="Other"))) == "email_taken"


def test_what_a_provider_cannot_be(database: Database) -> None:
    with pytest.raises(BadInput) as caught:
        create_provider(database, "nobody", "", OPERATOR, timezone="Mars/Phobos", credit_limit_cents=-1)
    names = [problem.split(":")[0] for problem in caught.value.problems]
    assert names == ["email", "name", "timezone", "credit_limit_cents"]
    # What a machine keeps beside its zones is none of them.
    for timezone in ("localtime", "Factory", "posixrules"):
        with pytest.raises(BadInput, match="timezone: must be an IANA time zone"):
            create_provider(database, "a@b.example", "A", OPERATOR, timezone=timezone)
    with pytest.raises(BadInput, match=r"^status: must be pending or active"):
        create_provider(database, "cleat@example.com", "Cleat", OPERATOR, status="suspended")  # pyright: ignore


def test_a_provider_changes_and_its_words_stay_out_of_the_audit_log(database: Database) -> None:
    market = open_market(database)
    seen, at, logged = read_provider(database, market.anchor).version, head(database), len(events(database))
    change = ProviderChange("Anchor Ltd", "desk@anchor.example", "Europe/Berlin", low_balance_threshold_cents=900)
    done = change_provider(database, market.anchor, change, OPERATOR, memo="they moved", expected_version=seen)
    assert (done.row.name, done.row.email, done.row.timezone) == ("Anchor Ltd", "desk@anchor.example", "Europe/Berlin")
    assert query(database, "select name, email from providers where id = %s", market.anchor) == [
        ("Anchor Ltd", "desk@anchor.example")
    ]
    assert events(database, logged) == [
        (
            "provider.changed",
            {"timezone": "UTC", "low_balance_threshold_cents": None},
            {
                "timezone": "Europe/Berlin",
                "low_balance_threshold_cents": 900,
                "changed": ["email", "low_balance_threshold_cents", "name", "timezone"],
            },
            "they moved",
        )
    ]
    assert head(database) == at
    assert "anchor.example" not in str(everything(database)["audit_log"])
    without = change_provider(database, market.anchor, ProviderChange(low_balance_threshold_cents=None), OPERATOR)
    assert without.row.low_balance_threshold_cents is None
    assert without.row.name == "Anchor Ltd"


def test_an_email_belongs_to_one_provider(database: Database) -> None:
    market = open_market(database)
    taken = ProviderChange(email="Bowline@Example.com")
    assert refusal(lambda: change_provider(database, market.anchor, taken, OPERATOR)) == "email_taken"
    own = ProviderChange(email="Anchor@Example.com")
    assert change_provider(database, market.anchor, own, OPERATOR).row.email == "Anchor@example.com"


def test_a_credit_limit_moves_subscriptions_in_all_niches(database: Database) -> None:
    market = open_market(database)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    logged = len(events(database))
    more = change_provider(database, market.bowline, ProviderChange(credit_limit_cents=1400), OPERATOR)
    assert len(more.reactivated_subscription_ids) == 2
    less = change_provider(database, market.bowline, ProviderChange(credit_limit_cents=1399), OPERATOR)
    assert sorted(less.deactivated_subscription_ids) == sorted(more.reactivated_subscription_ids)
    assert sorted(notices(database)) == ["subscription_deactivated bowline gold"] * 2
    assert [event[:3] for event in events(database, logged)] == [
        ("credit_limit.changed", {"credit_limit_cents": 0}, {"credit_limit_cents": 1400}),
        ("credit_limit.changed", {"credit_limit_cents": 1400}, {"credit_limit_cents": 1399}),
    ]


def test_credit_that_is_in_use_stays(database: Database) -> None:
    market = open_market(database)
    change_provider(database, market.bowline, ProviderChange(credit_limit_cents=1500), OPERATOR)
    distribute(database, market, [LEAD, {"cores": 9, "region": "north"}])
    [(balance,)] = query(database, "select balance_cents from providers where id = %s", market.bowline)
    assert balance < 0

    def limit(cents: int) -> Any:
        return change_provider(database, market.bowline, ProviderChange(credit_limit_cents=cents), OPERATOR)

    assert changes_nothing(database, lambda: refusal(lambda: limit(-balance - 1))) == "credit_in_use"
    limit(-balance)


def test_a_version_knows_nothing_of_money(database: Database) -> None:
    market = open_market(database)
    seen = read_provider(database, market.anchor).version
    adjust_balance(database, market.anchor, "debit", 100, "a test of versions", OPERATOR)
    change = ProviderChange(timezone="Asia/Tokyo")
    assert change_provider(database, market.anchor, change, OPERATOR, expected_version=seen).took_effect

    def again(change: ProviderChange) -> Any:
        return change_provider(database, market.anchor, change, OPERATOR, expected_version=seen)

    assert changes_nothing(database, lambda: refusal(lambda: again(ProviderChange(timezone="UTC")))) == (
        "version_conflict"
    )
    assert not changes_nothing(database, lambda: again(change)).took_effect
    assert refusal(lambda: suspend_provider(database, market.anchor, OPERATOR, expected_version=seen)) == (
        "version_conflict"
    )


def test_a_suspended_provider_receives_nothing_until_it_is_back(database: Database) -> None:
    market = open_market(database)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    unsubscribe(database, market.subscriptions["anchor gold"], OPERATOR, of_provider_id=None)
    before, at, logged = activity(database), head(database), len(events(database))
    suspend_provider(database, market.anchor, OPERATOR, memo="unpaid bills")
    # Each niche is told once, also where only an ended subscription is left.
    told = query(database, "select niche_id::text, seq from niche_journal where payload ->> 'status' = 'suspended'")
    assert head(database) == at + 2
    assert len({niche_id for niche_id, _ in told}) == 2
    [(action, old, new, memo)] = events(database, logged)
    assert (action, old, memo) == ("provider.suspended", {"status": "active"}, "unpaid bills")
    assert (new["status"], new["journal_seqs"]) == ("suspended", dict(told))
    assert activity(database) == before
    assert distribute(database, market, [LEAD]) == [[market.bowline]]

    assert not changes_nothing(database, lambda: suspend_provider(database, market.anchor, OPERATOR)).took_effect
    assert reactivate_provider(database, market.anchor, OPERATOR).row.status == "active"
    [bought] = distribute(database, market, [{"cores": 9, "region": "south"}])
    assert bought == [market.anchor]


def test_a_pending_provider_waits_for_its_approval(database: Database) -> None:
    market = open_market(database)
    cleat = create_provider(database, "cleat@example.com", "Cleat", OPERATOR, status="pending").row.provider_id
    adjust_balance(database, cleat, "credit", 10_000, "an opening credit", OPERATOR)
    subscribe(database, cleat, market.silver, OPERATOR)
    assert cleat not in distribute(database, market, [LEAD])[0]
    assert refusal(lambda: reactivate_provider(database, cleat, OPERATOR)) == "provider_status"
    assert approve_provider(database, cleat, OPERATOR).took_effect
    assert not approve_provider(database, cleat, OPERATOR).took_effect
    assert cleat in distribute(database, market, [{"cores": 9, "region": "north"}])[0]
    suspend_provider(database, cleat, OPERATOR)
    assert refusal(lambda: approve_provider(database, cleat, OPERATOR)) == "provider_status"


def test_an_unknown_provider_is_refused(database: Database) -> None:
    assert refusal(lambda: change_provider(database, UNKNOWN, ProviderChange(), OPERATOR)) == "provider_unknown"
    limit = ProviderChange(credit_limit_cents=5)
    assert refusal(lambda: change_provider(database, UNKNOWN, limit, OPERATOR)) == "provider_unknown"
    for verb in (approve_provider, suspend_provider, reactivate_provider):
        assert refusal(lambda verb=verb: verb(database, UNKNOWN, OPERATOR)) == "provider_unknown"
    assert refusal(lambda: add_provider_note(database, UNKNOWN, "hello", OPERATOR)) == "provider_unknown"
    assert refusal(lambda: provider_notes(database, UNKNOWN)) == "provider_unknown"


def test_notes_are_kept_for_operators_alone(database: Database) -> None:
    market = open_market(database)
    notes = [add_provider_note(database, market.anchor, f"call {n}\nabout gold", OPERATOR) for n in range(3)]
    add_provider_note(database, market.bowline, "another story", OPERATOR)
    listed = provider_notes(database, market.anchor, limit=2)
    assert [note.note for note in listed] == ["call 2\nabout gold", "call 1\nabout gold"]
    assert listed[0].author == "operator"
    rest = provider_notes(database, market.anchor, before_note_id=listed[-1].note_id)
    assert [note.note_id for note in rest] == [notes[0].note_id]
    told = everything(database)
    assert "about gold" not in str(told["audit_log"])
    assert "about gold" not in repr(listed)
    assert [event[0] for event in events(database)[-4:]] == ["provider.note_added"] * 4


def test_a_note_that_is_sent_twice_is_one(database: Database) -> None:
    market = open_market(database)
    once = idempotency_key_for("operator", "key-1", "POST notes", "call them")
    first = add_provider_note(database, market.anchor, "call them", OPERATOR, once)
    assert changes_nothing(
        database, lambda: add_provider_note(database, market.anchor, "call them", OPERATOR, once)
    ) == (first)
    assert count(database, "provider_notes") == 1
    assert "call them" not in str(everything(database)["idempotency_keys"])
    for words in ("", "x" * 4001):
        with pytest.raises(BadInput, match=r"^note: "):
            add_provider_note(database, market.anchor, words, OPERATOR)


def test_versions_and_notes_are_never_rewritten(database: Database) -> None:
    market = open_market(database)
    add_provider_note(database, market.anchor, "call them", OPERATOR)
    for statement in ("update provider_notes set note = 'x'", "delete from form_schema_versions"):
        with pytest.raises(Exception, match="append-only"):
            query(database, statement)
    assert journal(database)
