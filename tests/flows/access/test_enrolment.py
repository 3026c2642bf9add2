"""Setting up a second factor: it counts from its first code on, its seed is sealed, all else ends with it."""

from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from fairlead.delivery.secret_box import SecretUnreadable
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment, renew_recovery_codes
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.second_factor import confirm_second_factor
from fairlead.flows.access.session_state import MAX_WRONG_PROOFS
from fairlead.flows.access.sessions import authenticate_session
from fairlead.store.connection import Database
from tests.flows.access.people import (
    AWAY,
    BOX,
    HOME,
    PASSWORD,
    actions,
    add_admin,
    add_provider,
    as_if_long_ago,
    code,
    enrol,
    enrolled_admin,
    provider_user,
    refusal,
    rows,
    value,
)


def test_what_an_app_needs(database: Database) -> None:
    add_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    begun = begin_totp_enrolment(database, BOX, token, HOME)
    uri = urlsplit(begun.uri)
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Fairlead:ann%40example.com")
    assert parse_qs(uri.query)["secret"] == [begun.seed]
    assert len(begun.seed) == 32  # 160 bits
    svg = ElementTree.fromstring(begun.qr_svg)  # noqa: S314
    assert svg.tag == "{http://www.w3.org/2000/svg}svg", "no browser shows one without its namespace as an image"
    assert "<script" not in begun.qr_svg
    assert "style=" not in begun.qr_svg
    assert begun.seed not in repr(begun)


def test_it_counts_from_its_first_code_on(database: Database) -> None:
    add_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    begun = begin_totp_enrolment(database, BOX, token, HOME)
    # Not confirmed: it neither protects nor opens anything.
    assert authenticate_session(database, token).next_step == "enrolment"
    assert refusal(confirm_second_factor, database, BOX, token, code(database, begun.seed), HOME) == (
        "enrolment_required"
    )
    done = confirm_totp_enrolment(database, BOX, token, code(database, begun.seed), HOME)
    principal = authenticate_session(database, done.session.token)
    assert (principal.is_second_factor_done, principal.next_step) == (True, None)
    assert refusal(authenticate_session, database, token) == "session_invalid"
    assert log_in(database, "ann@example.com", PASSWORD, HOME).next_step == "second_factor"
    assert len({*done.recovery_codes}) == 10
    assert all(len(each) == 29 for each in done.recovery_codes)


def test_a_wrong_code_enrols_nothing_and_the_fifth_ends_the_session(database: Database) -> None:
    add_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(confirm_totp_enrolment, database, BOX, token, "123456", HOME) == "enrolment_not_begun"
    begin_totp_enrolment(database, BOX, token, HOME)
    for _ in range(MAX_WRONG_PROOFS):
        assert refusal(confirm_totp_enrolment, database, BOX, token, "no", HOME) == "code_refused"
    assert refusal(begin_totp_enrolment, database, BOX, token, HOME) == "session_invalid"
    assert rows(database, "select totp_seed from users") == [None]


def test_every_other_session_ends(database: Database) -> None:
    add_admin(database)
    other = log_in(database, "ann@example.com", PASSWORD, AWAY).token
    enrol(database, log_in(database, "ann@example.com", PASSWORD, HOME).token, "ann@example.com")
    assert refusal(authenticate_session, database, other) == "session_invalid"
    assert "second_factor_changed" in rows(database, "select ended_why from sessions")


def test_a_password_alone_does_not_replace_a_second_factor(database: Database) -> None:
    enrolled_admin(database)
    token = log_in(database, "ann@example.com", PASSWORD, AWAY).token
    assert refusal(begin_totp_enrolment, database, BOX, token, AWAY) == "second_factor_required"
    assert refusal(confirm_totp_enrolment, database, BOX, token, "123456", AWAY) == "second_factor_required"
    assert refusal(renew_recovery_codes, database, token, AWAY) == "second_factor_required"


def test_another_telephone_takes_a_fresh_proof(database: Database) -> None:
    ann = enrolled_admin(database)
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '601 seconds'")
    assert refusal(begin_totp_enrolment, database, BOX, ann.token, HOME) == "step_up_required"
    value(database, "update sessions set stepped_up_at = clock_timestamp()")
    begun = begin_totp_enrolment(database, BOX, ann.token, HOME)
    # Until the new one is confirmed, the old one is in force.
    as_if_long_ago(database)
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(confirm_second_factor, database, BOX, token, code(database, begun.seed), HOME) == "code_refused"
    assert confirm_second_factor(database, BOX, token, code(database, ann.seed), HOME).next_step is None
    done = confirm_totp_enrolment(database, BOX, ann.token, code(database, begun.seed, 1), HOME)
    assert not {*done.recovery_codes} & {*ann.recovery_codes}
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(confirm_second_factor, database, BOX, token, ann.recovery_codes[0], HOME) == "code_refused"


def test_a_provider_may_have_one_too(database: Database) -> None:
    person = provider_user(database, add_provider(database))
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '601 seconds'")
    assert refusal(begin_totp_enrolment, database, BOX, person.token, HOME) == "step_up_required"
    value(database, "update sessions set stepped_up_at = clock_timestamp()")
    enrol(database, person.token, person.email)
    assert log_in(database, person.email, PASSWORD, HOME).next_step == "second_factor"


def test_renewed_recovery_codes_void_the_old(database: Database) -> None:
    ann = enrolled_admin(database)
    renewed = renew_recovery_codes(database, ann.token, HOME)
    assert len({*renewed, *ann.recovery_codes}) == 20
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    assert refusal(confirm_second_factor, database, BOX, token, ann.recovery_codes[0], HOME) == "code_refused"
    assert confirm_second_factor(database, BOX, token, renewed[0], HOME).next_step is None
    assert "recovery_codes.renewed" in actions(database)


def test_a_seed_in_another_row_is_of_no_use(database: Database) -> None:
    """Writing to the table does not give an admin the second factor of another user whose seed is known."""
    enrolled_admin(database)
    bob = enrolled_admin(database, "bob@example.com")
    value(
        database,
        "update users set totp_last_step = 0, totp_seed = (select totp_seed from users where id = %s)",
        bob.user_id,
    )
    token = log_in(database, "ann@example.com", PASSWORD, HOME).token
    with pytest.raises(SecretUnreadable):
        confirm_second_factor(database, BOX, token, code(database, bob.seed), HOME)
