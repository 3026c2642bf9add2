"""API keys: what opens and what does not, how far each reaches, and that no other user's is touched."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import authenticate_api_key, create_api_key, list_api_keys, revoke_api_key
from fairlead.flows.access.principal import require
from fairlead.flows.access.throttle import KEY_OF_ADDRESS
from fairlead.flows.access.tokens import new_key
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import (
    AWAY,
    HOME,
    actions,
    add_admin,
    add_provider,
    now,
    provider_user,
    refusal,
    rows,
    value,
)

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def test_a_key_does_what_its_scopes_say(database: Database) -> None:
    user_id = add_admin(database)
    made = create_api_key(database, " website ", ["intake:write", "leads:read"], OPERATOR, user_id=user_id)
    assert made.text.startswith(f"fl_{made.prefix}_")
    assert made.text not in repr(made)
    principal = authenticate_api_key(database, made.text, HOME)
    assert principal.permissions == {Permission.INTAKE_WRITE, Permission.LEADS_READ}
    assert (principal.key_id, principal.session_id, principal.user_id) == (made.key_id, None, user_id)
    assert (principal.actor.name, principal.actor.role) == (f"key:{made.prefix}", "admin")
    require(principal, Permission.LEADS_READ)
    assert refusal(require, principal, Permission.LEADS_WRITE) == "permission_missing"
    assert actions(database)[-1] == "api_key.created"


def test_the_key_of_a_provider_sees_its_own(database: Database) -> None:
    provider_id = add_provider(database)
    made = create_api_key(database, "crm", ["own:read", "own:write"], OPERATOR, provider_id=provider_id)
    principal = authenticate_api_key(database, made.text, HOME)
    assert (principal.provider_id, principal.user_id, principal.actor.role) == (provider_id, None, "provider")
    value(database, "update providers set status = 'suspended'")
    assert authenticate_api_key(database, made.text, HOME).permissions == {Permission.OWN_READ}


def test_the_key_of_a_providers_user_is_about_its_provider(database: Database) -> None:
    provider_id = add_provider(database)
    person = provider_user(database, provider_id)
    made = create_api_key(database, "crm", ["own:read"], OPERATOR, user_id=person.user_id)
    principal = authenticate_api_key(database, made.text, HOME)
    assert (principal.provider_id, principal.permissions) == (provider_id, {Permission.OWN_READ})


@pytest.mark.parametrize("scopes", [[], ["money:write"], ["users:write"], ["keys:write"], ["own:read"], ["nonsense"]])
def test_scopes_that_an_operators_key_cannot_have(database: Database, scopes: list[str]) -> None:
    user_id = add_admin(database)
    with pytest.raises(BadInput, match="scopes"):
        create_api_key(database, "x", scopes, OPERATOR, user_id=user_id)
    assert rows(database, "select id from api_keys") == []


def test_scopes_in_a_row_that_no_key_may_have_give_nothing(database: Database) -> None:
    made = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=add_admin(database))
    value(database, "update api_keys set scopes = array['money:write', 'users:write', 'own:read', 'leads:read']")
    principal = authenticate_api_key(database, made.text, HOME)
    assert principal.permissions == {Permission.LEADS_READ}
    assert refusal(require, principal, Permission.MONEY_WRITE) == "permission_missing"


@pytest.mark.parametrize("case", ["empty", "other", "no secret", "wrong secret", "unknown", "case", "prefix only"])
def test_what_is_no_key(database: Database, case: str) -> None:
    made = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=add_admin(database))
    text = {
        "empty": "",
        "other": "x" * 10_000,
        "no secret": f"fl_{made.prefix}_",
        "wrong secret": f"fl_{made.prefix}_{new_key().secret}",
        "unknown": new_key().text,
        "case": made.text.upper(),
        "prefix only": made.prefix,
    }[case]
    assert refusal(authenticate_api_key, database, text, HOME) == "api_key_invalid"


def test_a_key_runs_out(database: Database) -> None:
    made = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=add_admin(database), lifetime_days=1)
    assert made.expires_at is not None
    assert 86_390 < (made.expires_at - now(database)).total_seconds() <= 86_400
    value(database, "update api_keys set expires_at = clock_timestamp() + interval '5 seconds'")
    assert authenticate_api_key(database, made.text, HOME)
    value(database, "update api_keys set expires_at = clock_timestamp()")
    assert refusal(authenticate_api_key, database, made.text, HOME) == "api_key_invalid"


def test_revoking(database: Database) -> None:
    user_id = add_admin(database)
    made = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=user_id)
    assert [each.prefix for each in list_api_keys(database, user_id=user_id)] == [made.prefix]
    assert revoke_api_key(database, made.key_id, OPERATOR)
    assert not revoke_api_key(database, made.key_id, OPERATOR)
    assert refusal(authenticate_api_key, database, made.text, HOME) == "api_key_invalid"
    assert list_api_keys(database, user_id=user_id) == []
    assert [each.revoked_at is not None for each in list_api_keys(database, show_all=True)] == [True]
    assert actions(database).count("api_key.revoked") == 1


def test_a_provider_reaches_its_own_keys_only(database: Database) -> None:
    anchor, bowline = add_provider(database), add_provider(database, "Bowline")
    made = create_api_key(database, "crm", ["own:read"], OPERATOR, provider_id=anchor)
    of_admin = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=add_admin(database))
    for key_id in (made.key_id, of_admin.key_id, UNKNOWN):
        assert refusal(revoke_api_key, database, key_id, OPERATOR, provider_id=bowline) == "api_key_unknown"
    assert list_api_keys(database, provider_id=bowline) == []
    assert [each.key_id for each in list_api_keys(database, provider_id=anchor)] == [made.key_id]
    assert authenticate_api_key(database, made.text, HOME)


def test_use_is_noted_once_a_minute(database: Database) -> None:
    made = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=add_admin(database))
    authenticate_api_key(database, made.text, HOME)
    first = rows(database, "select last_used_at from api_keys")
    assert first != [None]
    authenticate_api_key(database, made.text, HOME)
    assert rows(database, "select last_used_at from api_keys") == first
    value(database, "update api_keys set last_used_at = last_used_at - interval '61 seconds'")
    authenticate_api_key(database, made.text, HOME)
    assert rows(database, "select last_used_at from api_keys") > first


def test_wrong_keys_are_limited_by_address_and_right_ones_are_not(database: Database) -> None:
    made = create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=add_admin(database))
    codes = [refusal(authenticate_api_key, database, "x", HOME) for _ in range(KEY_OF_ADDRESS.capacity * 2)]
    assert codes.count("too_many_attempts") > KEY_OF_ADDRESS.capacity // 2
    assert authenticate_api_key(database, made.text, HOME)
    assert refusal(authenticate_api_key, database, "x", AWAY) == "api_key_invalid"


def test_what_cannot_be_made(database: Database) -> None:
    user_id, provider_id = add_admin(database), add_provider(database)
    for owner in ((None, None), (user_id, provider_id)):
        with pytest.raises(BadInput, match="owner"):
            create_api_key(database, "x", ["leads:read"], OPERATOR, user_id=owner[0], provider_id=owner[1])
    with pytest.raises(BadInput) as caught:
        create_api_key(database, "", ["leads:read"], OPERATOR, user_id=user_id, lifetime_days=0)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["name", "lifetime_days"]
    assert refusal(create_api_key, database, "x", ["own:read"], OPERATOR, provider_id=UNKNOWN) == "provider_unknown"
    assert refusal(create_api_key, database, "x", ["leads:read"], OPERATOR, user_id=UNKNOWN) == "user_unknown"
    value(database, "update users set status = 'disabled'")
    assert refusal(create_api_key, database, "x", ["leads:read"], OPERATOR, user_id=user_id) == "user_unknown"
