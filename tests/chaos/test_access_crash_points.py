"""Struck at every statement of signing in, sessions, users, keys and links: each is done once, whole, and told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from fairlead.core.permissions import Role
from fairlead.flows.access.api_keys import CreatedKey, authenticate_api_key, create_api_key, revoke_api_key
from fairlead.flows.access.enrolment import begin_totp_enrolment, confirm_totp_enrolment, renew_recovery_codes
from fairlead.flows.access.first_operator import admit_setup, create_first_operator, make_setup_link
from fairlead.flows.access.invitations import create_admin, hand_over_invitation, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.one_time import accept_invite
from fairlead.flows.access.own_language import change_own_language
from fairlead.flows.access.password_changes import change_password, request_password_reset
from fairlead.flows.access.principal import Client
from fairlead.flows.access.read_limits import count_from_network, count_own_read, count_read
from fairlead.flows.access.registration import register_provider
from fairlead.flows.access.second_factor import confirm_second_factor, step_up
from fairlead.flows.access.seeing import see_as_provider, stop_seeing
from fairlead.flows.access.sessions import authenticate_session, log_out, revoke_session, revoke_sessions
from fairlead.flows.access.throttle import Limit
from fairlead.flows.access.users import change_role, disable_user, enable_user, find_user, reset_second_factor
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.chaos.proxy import Proxy
from tests.chaos.struck import AT_COMMITS, Flow, Row, in_the_next_run, strike_at_every_statement
from tests.flows.access.people import (
    BOX,
    HOME,
    NEW_PASSWORD,
    PASSWORD,
    Person,
    add_admin,
    add_provider,
    as_if_long_ago,
    code,
    enrol,
    now,
    provider_user,
    reset_password,
    token_for,
)
from tests.flows.sales import query

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

Act = Callable[[Database, Database, str], object]
PEOPLE = dict[str, Person]()
"""Who is signed in, by the name of the target."""
KEYS = dict[str, CreatedKey]()
PROVIDERS = dict[str, str]()


def address(slug: str) -> str:
    return f"{slug}@people.example"


def client(slug: str) -> Client:
    """Each target comes from an address of its own, whose limits no other uses up."""
    return replace(HOME, ip=f"2001:db8:{len(slug):x}:{slug.removeprefix('struck-') if slug != 'calm' else 'ffff'}::1")


def provider(database: Database, slug: str) -> str:
    PROVIDERS[slug] = add_provider(database, slug)
    return slug


def signed_in(database: Database, slug: str) -> str:
    """A provider's user with a session, by its password alone."""
    provider(database, slug)
    PEOPLE[slug] = provider_user(database, PROVIDERS[slug], address(slug))
    return slug


def enrolled(database: Database, slug: str) -> str:
    """And with a second factor, whose codes are good again."""
    signed_in(database, slug)
    PEOPLE[slug] = enrol(database, PEOPLE[slug].token, address(slug))
    as_if_long_ago(database)
    return slug


def at_second_factor(database: Database, slug: str) -> str:
    """It has given the password, and not yet the code."""
    enrolled(database, slug)
    session = log_in(database, address(slug), PASSWORD, HOME)
    PEOPLE[slug] = replace(PEOPLE[slug], token=session.token, session_id=session.session_id)
    return slug


def enrolling(database: Database, slug: str) -> str:
    """It has a seed that does not count yet."""
    signed_in(database, slug)
    begun = begin_totp_enrolment(database, BOX, PEOPLE[slug].token, HOME)
    PEOPLE[slug] = replace(PEOPLE[slug], seed=begun.seed)
    return slug


def operator(database: Database, slug: str) -> str:
    """An operator with an open session."""
    provider(database, slug)
    add_admin(database, address(slug))
    PEOPLE[slug] = enrol(database, log_in(database, address(slug), PASSWORD, HOME).token, address(slug))
    return slug


def seeing(database: Database, slug: str) -> str:
    """It looks at a provider's portal."""
    operator(database, slug)
    see(database, database, slug)
    return slug


def invited(database: Database, slug: str) -> str:
    """A user who never logged in."""
    provider(database, slug)
    invite(database, database, slug)
    return slug


def disabled(database: Database, slug: str) -> str:
    with_key(database, slug)
    disable_user(database, PEOPLE[slug].user_id, OPERATOR)
    return slug


def with_key(database: Database, slug: str) -> str:
    """The user has a key too."""
    signed_in(database, slug)
    KEYS[slug] = key_of(database, slug)
    return slug


def without_operator(database: Database, slug: str) -> str:
    """Operators of before are none any more, and no link is good."""
    provider(database, slug)
    with database.transaction() as conn:
        conn.execute("update users set role = 'provider', provider_id = %s where role = 'admin'", (PROVIDERS[slug],))
        conn.execute("delete from setup_link")
    return slug


def key_of(database: Database, slug: str) -> CreatedKey:
    return create_api_key(database, "of the CRM", ["own:read"], OPERATOR, user_id=PEOPLE[slug].user_id)


def invite(database: Database, _: Database, slug: str) -> None:
    invite_user(database, address(slug), "Sam", Role.PROVIDER, OPERATOR, provider_id=PROVIDERS[slug])


def accept(database: Database, direct: Database, slug: str) -> None:
    token = token_for(direct, find_user(direct, address(slug)).user_id, "invite")
    accept_invite(database, token, PASSWORD, client(slug))


def replace_forgotten(database: Database, direct: Database, slug: str) -> None:
    token = token_for(direct, PEOPLE[slug].user_id, "password_reset")
    reset_password(database, token, NEW_PASSWORD, client(slug))


def see(database: Database, direct: Database, slug: str) -> None:
    see_as_provider(database, PROVIDERS[slug], authenticate_session(direct, PEOPLE[slug].token))


def leave(database: Database, direct: Database, slug: str) -> None:
    stop_seeing(database, authenticate_session(direct, PEOPLE[slug].token))


def confirm(database: Database, direct: Database, slug: str) -> None:
    given = code(direct, PEOPLE[slug].seed)
    session = confirm_second_factor(database, BOX, PEOPLE[slug].token, given, client(slug))
    assert authenticate_session(direct, session.token, touch=False).is_stepped_up


def prove(database: Database, direct: Database, slug: str) -> None:
    session = step_up(database, BOX, PEOPLE[slug].token, code(direct, PEOPLE[slug].seed), client(slug))
    assert authenticate_session(direct, session.token, touch=False).is_stepped_up


def prove_by_recovery_code(database: Database, direct: Database, slug: str) -> None:
    session = step_up(database, BOX, PEOPLE[slug].token, PEOPLE[slug].recovery_codes[0], client(slug))
    assert authenticate_session(direct, session.token, touch=False).is_stepped_up


def prove_by_password(database: Database, direct: Database, slug: str) -> None:
    session = step_up(database, BOX, PEOPLE[slug].token, PASSWORD, client(slug))
    assert authenticate_session(direct, session.token, touch=False).is_stepped_up


def finish_enrolment(database: Database, direct: Database, slug: str) -> None:
    given = code(direct, PEOPLE[slug].seed)
    done = confirm_totp_enrolment(database, BOX, PEOPLE[slug].token, given, client(slug))
    assert authenticate_session(direct, done.session.token, touch=False).is_second_factor_done


def sign_in(database: Database, direct: Database, slug: str) -> None:
    session = log_in(database, address(slug), PASSWORD, client(slug))
    assert authenticate_session(direct, session.token, touch=False).user_id == PEOPLE[slug].user_id


def change_own_password(database: Database, direct: Database, slug: str) -> None:
    session = change_password(database, PEOPLE[slug].token, PASSWORD, NEW_PASSWORD, client(slug))
    assert authenticate_session(direct, session.token, touch=False).user_id == PEOPLE[slug].user_id


def make_key(database: Database, direct: Database, slug: str) -> None:
    made = key_of(database, slug)
    assert authenticate_api_key(direct, made.text, HOME).user_id == PEOPLE[slug].user_id


def of_user(verb: Callable[[Database, str], object]) -> Act:
    return lambda database, _, slug: verb(database, PEOPLE[slug].user_id)


def by_token(verb: Callable[[Database, str, Client], object]) -> Act:
    return lambda database, _, slug: verb(database, PEOPLE[slug].token, client(slug))


def myself(slug: str) -> Actor:
    return Actor(f"user:{PEOPLE[slug].user_id}", "provider")


def ending_of_user(database: Database, slug: str) -> Row:
    """Of the user with that address: what it has, what of it is over, and what was told of it."""
    return query(
        database,
        """
        select u.role, u.status, u.password_hash is not null, u.language, u.totp_seed is not null,
               u.totp_pending_seed is not null, u.totp_last_step > 0, u.last_login_at is not null,
               (select array_agg((s.state, s.ended_why, s.second_factor_at is not null, s.stepped_up_at is not null,
                                  s.wrong_proofs, s.seen_provider_id is not null,
                                  s.last_seen_at >= s.created_at + interval '1 minute') order by s.created_at)
                from sessions s where s.user_id = u.id)::text,
               (select array_agg((t.purpose, t.used_at is not null) order by t.created_at)
                from one_time_tokens t where t.user_id = u.id)::text,
               (select array_agg(c.used_at is not null order by c.used_at)
                from recovery_codes c where c.user_id = u.id),
               (select array_agg((k.scopes, k.revoked_at is not null, k.last_used_at is not null) order by k.created_at)
                from api_keys k where k.user_id = u.id)::text,
               (select array_agg(n.kind order by n.created_at) from notifications n where n.user_id = u.id),
               (select array_agg(a.action order by a.seq) from audit_log a
                where a.entity_id in (u.id::text, u.provider_id::text) or a.new ->> 'user_id' = u.id::text
                   or a.entity_id in (select s.id::text from sessions s where s.user_id = u.id)
                   or a.entity_id in (select k.id::text from api_keys k where k.user_id = u.id))
        from users u where u.email = %s
        """,
        address(slug),
    )


def noted(use: Callable[[Database, str], object]) -> Act:
    """That it is used is noted by the next use, where the row was held at this one."""
    return lambda own, direct, slug: in_the_next_run(lambda own: use(own, slug), ending_of_user)(own, direct, slug)


Case = tuple[Callable[[Database, str], str], Act]
USERS: dict[str, Case] = {
    "register": (
        lambda _, slug: slug,
        lambda own, _, slug: register_provider(own, address(slug), slug, client(slug)),
    ),
    "invite a user": (provider, invite),
    "make an operator": (
        lambda _, slug: slug,
        lambda own, _, slug: create_admin(own, address(slug), "Ann", OPERATOR, password=PASSWORD),
    ),
    "hand an invitation over": (
        invited,
        lambda own, direct, slug: hand_over_invitation(
            own, find_user(direct, address(slug)).user_id, OPERATOR, sends_mail=False
        ),
    ),
    "change a role": (
        with_key,
        of_user(lambda own, each: change_role(own, each, Role.ADMIN, OPERATOR)),
    ),
    "disable a user": (with_key, of_user(lambda own, each: disable_user(own, each, OPERATOR))),
    "enable a user": (disabled, of_user(lambda own, each: enable_user(own, each, OPERATOR))),
    "reset a second factor": (enrolled, of_user(lambda own, each: reset_second_factor(own, each, OPERATOR))),
    "choose a language": (
        signed_in,
        of_user(lambda own, each: change_own_language(own, each, "de", OPERATOR)),
    ),
}
SIGNING_IN: dict[str, Case] = {
    "accept an invitation": (invited, accept),
    "sign in": (signed_in, sign_in),
    "give the second factor": (at_second_factor, confirm),
    "prove by a code": (enrolled, prove),
    "prove by a recovery code": (enrolled, prove_by_recovery_code),
    "prove by the password": (signed_in, prove_by_password),
    "begin to enrol": (signed_in, by_token(lambda own, token, at: begin_totp_enrolment(own, BOX, token, at))),
    "enrol": (enrolling, finish_enrolment),
    "renew recovery codes": (enrolled, by_token(renew_recovery_codes)),
    "ask to reset a password": (
        signed_in,
        lambda own, _, slug: request_password_reset(own, address(slug), client(slug)),
    ),
    "reset a password": (signed_in, replace_forgotten),
    "change a password": (signed_in, change_own_password),
}
SESSIONS_AND_KEYS: dict[str, Case] = {
    "sign out": (signed_in, by_token(log_out)),
    "end a session": (
        signed_in,
        lambda own, _, slug: revoke_session(own, PEOPLE[slug].user_id, PEOPLE[slug].session_id, myself(slug)),
    ),
    "end all sessions": (signed_in, of_user(lambda own, each: revoke_sessions(own, each, OPERATOR))),
    "look at a portal": (operator, see),
    "leave a portal": (seeing, leave),
    "make a key": (signed_in, make_key),
    "revoke a key": (with_key, lambda own, _, slug: revoke_api_key(own, KEYS[slug].key_id, OPERATOR)),
    "use a key": (with_key, noted(lambda own, slug: authenticate_api_key(own, KEYS[slug].text, client(slug)))),
}
UNAUDITED = {"use a key"}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", USERS | SIGNING_IN | SESSIONS_AND_KEYS)
def test_what_breaks_at_any_statement_of_access_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    flow = Flow(*(USERS | SIGNING_IN | SESSIONS_AND_KEYS)[name], ending_of_user, name not in UNAUDITED)
    strike_at_every_statement(flow, how, database, database_url, proxy)


@pytest.mark.parametrize("how", AT_COMMITS)
def test_what_breaks_at_any_statement_of_using_a_session_notes_its_use(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """Some minutes after it was begun."""
    later = now(database) + timedelta(minutes=5)
    seeds = count()
    flow = Flow(
        signed_in,
        noted(lambda own, slug: authenticate_session(own, PEOPLE[slug].token)),
        ending_of_user,
        is_audited=False,
        clock=lambda _: SimulatedClock(later, next(seeds)),
    )
    strike_at_every_statement(flow, how, database, database_url, proxy)


# Before there is an operator ----------------------------------------------------------------------------------------


def make_link(database: Database, direct: Database, slug: str) -> None:
    link = make_setup_link(database)
    assert link is not None
    admit_setup(direct, link.token, client(slug))


def set_up(database: Database, direct: Database, slug: str) -> None:
    link = make_setup_link(direct)
    assert link is not None
    admit_setup(database, link.token, client(slug))
    create_first_operator(database, link.token, address(slug), "Ann", PASSWORD, client(slug))


def ending_of_setup(database: Database, slug: str) -> Row:
    [(links,)] = query(database, "select count(*) from setup_link")
    return [(links,), *ending_of_user(database, slug)]


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("act", [make_link, set_up])
def test_what_breaks_at_any_statement_lets_the_first_operator_in_once(
    act: Act, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    flow = Flow(without_operator, act, ending_of_setup, is_audited=act is set_up)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# Limits -------------------------------------------------------------------------------------------------------------

SLOW = Limit("slow_of_test", 10, 1_000_000)
"""Nothing of it comes back while a test runs, so that what was taken can be told."""
COUNTS: dict[str, Act] = {
    "of a caller": lambda own, _, slug: count_read(own, SLOW, Actor(slug, "admin")),
    "of a provider": lambda own, _, slug: count_own_read(own, SLOW, slug),
    "of a network": lambda own, _, slug: count_from_network(own, SLOW, client(slug).ip),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", COUNTS)
def test_what_breaks_at_any_statement_of_a_limit_is_counted_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    def used_once(own: Database, slug: str) -> str:
        """It alone has anything taken of it."""
        with own.transaction() as conn:
            conn.execute("delete from rate_buckets")
        COUNTS[name](own, own, slug)
        return slug

    def ending(own: Database, _: str) -> Row:
        """How much is taken."""
        return query(
            own,
            "select round(extract(epoch from full_at - clock_timestamp()) / 1000000) from rate_buckets",
        )

    flow = Flow(used_once, COUNTS[name], ending, is_audited=False)
    strike_at_every_statement(flow, how, database, database_url, proxy)
