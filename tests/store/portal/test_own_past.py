"""How far back a subscription's past is looked up: so many states, and before that it is said to be not known."""

import sys

import pytest

from fairlead.flows.configuration.subscriptions import pause_subscription, resume_subscription
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.portal import activity
from tests.flows.sales import query, sell


@pytest.mark.parametrize(("states", "entries", "known"), [(200, 2_000, 5), (3, 2_000, 3), (200, 2, 0), (200, 5, 5)])
def test_what_lies_further_back_is_not_known(
    database: Database, monkeypatch: pytest.MonkeyPatch, states: int, entries: int, known: int
) -> None:
    """The filter stands in the first of five states alone: without that, none of them says what it was."""
    monkeypatch.setattr(activity, "MOST_STATES", states)
    monkeypatch.setattr(activity, "MOST_ENTRIES", entries)
    sale = sell(database)
    [(subscription_id, niche_id)] = query(
        database,
        "select s.id::text, s.niche_id::text from subscriptions s join competition_levels l"
        " on l.id = s.competition_level_id where s.provider_id = %s and l.name = 'silver'",
        sale.anchor_id,
    )
    for _ in range(2):
        pause_subscription(database, subscription_id, OPERATOR, of_provider_id=None)
        resume_subscription(database, subscription_id, OPERATOR, of_provider_id=None)
    seqs = [
        seq
        for (seq,) in query(
            database,
            "select seq from niche_journal where payload ->> 'subscription_id' = %s order by seq",
            subscription_id,
        )
    ]
    assert len(seqs) == 5
    past = database.read(lambda conn: activity.own_past(conn, niche_id, sale.anchor_id, subscription_id))
    assert [seq for seq, _, _ in past.states] == seqs[len(seqs) - known :]
    assert past.known_from_seq == (0 if known == 5 else seqs[-3] if known == 3 else sys.maxsize)
    assert all(state.filter_rules == {"version": 1, "rules": []} for _, state, _ in past.states)
