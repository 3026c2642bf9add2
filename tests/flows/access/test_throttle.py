"""What is kept to slow guessing down tells nothing of who guessed: not even by trying all addresses there are."""

import hashlib

from fairlead.flows.access import throttle
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.password_changes import request_password_reset
from fairlead.flows.access.throttle import Limit, is_let_through, network_digest
from fairlead.store.connection import Database
from tests.flows.access.people import HOME, PASSWORD, add_admin, refusal, rows, value

NAMES = "select name from rate_buckets order by name"
ONE_OF_TWO = Limit("one_of_two", 5, 60)
OTHER_OF_TWO = Limit("other_of_two", 5, 60)


def guess(database: Database) -> list[str]:
    """Ann's password is guessed at, and a reset asked for; the names of the limits that counted it."""
    value(database, "delete from rate_buckets")
    assert refusal(log_in, database, "ann@example.com", "wrong", HOME) == "login_refused"
    request_password_reset(database, "ann@example.com", HOME)
    return rows(database, NAMES)


def test_the_names_of_limits_tell_no_address_without_the_marketplaces_secret(database: Database) -> None:
    add_admin(database)
    [secret] = rows(database, "select secret from intake_secret")
    before = guess(database)
    assert len(before) >= 5
    assert guess(database) == before
    value(database, "update intake_secret set secret = sha256(secret)")
    after = guess(database)
    assert {*before} & {*after} == set()
    # What can be made of the address alone is in none of them.
    tried = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in (HOME.ip, "ann@example.com")]
    assert [name for name in (*before, *after) if any(each in name for each in tried)] == []
    value(database, "update intake_secret set secret = %s", secret)
    assert guess(database) == before


def test_that_two_limits_count_the_same_is_not_told(database: Database) -> None:
    for limit in (ONE_OF_TWO, OTHER_OF_TWO):
        assert database.run(lambda conn, limit=limit: is_let_through(conn, limit, HOME.ip))
    digests = [name.partition(":")[2] for name in rows(database, NAMES)]
    assert len({*digests}) == 2


def test_a_network_that_is_kept_tells_no_address(database: Database) -> None:
    before = network_digest(database, HOME.ip)
    assert before == network_digest(database, HOME.ip) != network_digest(database, "192.0.2.2")
    assert network_digest(database, "2001:db8:1:2::1") == network_digest(database, "2001:db8:1:2::2")
    value(database, "update intake_secret set secret = sha256(secret)")
    assert network_digest(database, HOME.ip) != before


def test_what_cannot_be_encoded_is_counted_too(database: Database) -> None:
    assert database.run(lambda conn: is_let_through(conn, throttle.LOGIN_OF_ACCOUNT, "\ud800@example.com"))


def test_the_right_password_counts_no_attempt(database: Database) -> None:
    add_admin(database)
    for _ in range(throttle.LOGIN_OF_PAIR.capacity + 1):
        assert log_in(database, "ann@example.com", PASSWORD, HOME).token
