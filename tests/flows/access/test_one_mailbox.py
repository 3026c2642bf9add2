"""One mailbox is one account, one provider and one balance of attempts, whichever way its address is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.entry.mailbox import canonical_mailbox
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.errors import BadInput
from fairlead.core.permissions import Role
from fairlead.delivery.email import address_of, mailbox
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.password_changes import request_password_reset
from fairlead.flows.access.registration import register_provider
from fairlead.flows.access.throttle import LOGIN_OF_ACCOUNT, LOGIN_OF_PAIR, RESET_OF_ACCOUNT
from fairlead.flows.configuration.providers import ProviderChange, change_provider, create_provider
from fairlead.flows.declaring.declaration import parse_declaration
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import HOME, PASSWORD, add_provider, now, refusal, rows, value

# Letters whose small form, folded form and normal form are different ones.
WRITINGS = {
    "İstanbul@example.com": ["i\u0307stanbul@example.com", "İSTANBUL@EXAMPLE.com", "I\u0307stanbul@example.com"],
    "straße@example.com": ["STRASSE@example.com", "strasse@example.com", "STRAẞE@Example.com"],
    "kelvin@example.com": ["\u212aelvin@example.com", "KELVIN@example.com", "kelvin@\uff45xample.com"],
    "ann@müller.example.com": [
        "ann@xn--mller-kva.example.com",
        "ANN@MU\u0308LLER.example.com",
        " ann@müller.example.com ",
    ],
}


@pytest.mark.parametrize("email", list(WRITINGS))
@pytest.mark.parametrize("is_known", [True, False])
def test_an_account_has_one_balance_of_attempts(database: Database, email: str, is_known: bool) -> None:
    if is_known:
        create_admin(database, email, "Ann", OPERATOR, password=PASSWORD)
    codes = [refusal(log_in, database, each, "wrong", HOME) for _ in range(4) for each in [email, *WRITINGS[email]]]
    assert codes.count("login_refused") == LOGIN_OF_PAIR.capacity
    for each in [email, *WRITINGS[email]] * 2:
        request_password_reset(database, each, HOME)
    asked = rows(database, "select count(*) from audit_log where new ->> 'will_be_sent' = 'true'")
    assert asked == [RESET_OF_ACCOUNT.capacity if is_known else 0]
    names = "select count(*) from rate_buckets where name ~ '^(reset|login)_of_account:'"
    assert rows(database, names) == [2]


@pytest.mark.parametrize("email", list(WRITINGS))
def test_a_mailbox_registers_once(database: Database, email: str) -> None:
    create_provider(database, email, "First", OPERATOR)
    for each in WRITINGS[email]:
        register_provider(database, each, "Another", HOME)
        assert refusal(create_provider, database, each, "Another", OPERATOR) == "email_taken"
    other = create_provider(database, "other@example.com", "Other", OPERATOR).row.provider_id
    for each in WRITINGS[email]:
        taken = ProviderChange(email=each)
        assert refusal(change_provider, database, other, taken, OPERATOR) == "email_taken"
    assert rows(database, "select count(*) from users") == [0]
    assert rows(database, "select count(*) from providers") == [2]


def test_a_mailbox_is_one_user(database: Database) -> None:
    provider_id = add_provider(database)
    for email, others in WRITINGS.items():
        create_admin(database, email, "Ann", OPERATOR, password=PASSWORD)
        for each in others:
            assert refusal(create_admin, database, each, "Eve", OPERATOR) == "email_taken"
            assert refusal(invite_user, database, each, "Eve", Role.PROVIDER, OPERATOR, provider_id=provider_id)
    assert rows(database, "select count(*) from users") == [len(WRITINGS)]


NO_MAILBOXES = [
    "sales@harbour.example,",
    "sales@inlet.example.",
    "mailto:sales@jetty.example",
    "(1)victim@example.com",
    '"victim"@example.com',
    '"v\\ictim"@example.com',
    "victim(1)@example.com",
    "victim@example.com;",
    "Victim <victim@example.com>",
    "victim@[192.0.2.1]",
    "victim@localhost",
    "a@b@example.com",
]


@pytest.mark.parametrize("email", NO_MAILBOXES)
def test_an_address_that_no_mail_reaches_is_refused_wherever_it_is_written(database: Database, email: str) -> None:
    provider_id = create_provider(database, "known@example.com", "Known", OPERATOR).row.provider_id
    quoted = email.replace("\\", "\\\\").replace('"', '\\"')
    for write in (
        lambda: create_provider(database, email, "Harbour", OPERATOR),
        lambda: change_provider(database, provider_id, ProviderChange(email=email), OPERATOR),
        lambda: parse_declaration(f'[[provider]]\nemail = "{quoted}"\nname = "Harbour"\n'),
        lambda: register_provider(database, email, "Harbour", HOME),
        lambda: create_admin(database, email, "Harbour", OPERATOR),
    ):
        with pytest.raises(BadInput, match="email: must be an email address"):
            write()
    assert rows(database, "select count(*) from providers") == [1]


@given(
    st.sampled_from(["ann", "Ann.B", "jörg", "o'neil", "x+y", "山田", "i\u0307", "a/b=c"]),
    st.sampled_from(
        [
            "example.com",
            "müller.de",
            "straße.de",
            "xn--mller-kva.de",
            "\uff25\uff38ample.com",
            "faß.example.com",
            "a.b.c.de",
        ]
    ),
    st.text(max_size=120),
)
def test_what_is_taken_in_is_what_is_sent_to(local: str, domain: str, name: str) -> None:
    try:
        taken = canonical_mailbox(f"{local}@{domain}")
    except EntryRefused:
        return
    found = address_of(mailbox(name, taken.address))
    assert found is not None
    assert (found.username, found.domain) == (taken.local_part, taken.ascii_domain)


def test_a_success_gives_back_what_it_took(database: Database) -> None:
    """While an account is guessed at, its user's own logins give the guessers no further attempt."""
    create_admin(database, "ann@example.com", "Ann", OPERATOR, password=PASSWORD)
    log_in(database, "ann@example.com", PASSWORD, HOME)
    # From here its user came before.
    value(database, "update sessions set state = 'full', ip = %s", HOME.ip)
    full = "select full_at from rate_buckets where starts_with(name, 'login_of_account:')"
    seconds = LOGIN_OF_ACCOUNT.capacity * LOGIN_OF_ACCOUNT.seconds_per_token
    value(
        database,
        "update rate_buckets set full_at = clock_timestamp() + make_interval(secs => %s)"
        " where starts_with(name, 'login_of_account:')",
        seconds + 3_600,
    )
    log_in(database, "ann@example.com", PASSWORD, HOME)
    left = (rows(database, full)[0] - now(database)).total_seconds()
    assert left > seconds - LOGIN_OF_ACCOUNT.seconds_per_token
