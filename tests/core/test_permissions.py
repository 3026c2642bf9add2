"""What each role may do, as a table that a person reviewed; and what no key can ever reach."""

import pytest

from fairlead.core.permissions import (
    KEY_SCOPES,
    ROLE_PERMISSIONS,
    STEP_UP_PERMISSIONS,
    Permission,
    Role,
    needs_step_up,
    permissions_of,
    permissions_of_key,
    scope_problems,
)

# permission: admin, provider, needs a step-up, key of an admin, key of a provider
TABLE = """
leads:read           A . . a .
leads:write          A . . a .
leads:approve        A . . a .
distribution:write   A . . a .
niches:read          A . . a .
niches:write         A . . a .
providers:read       A . . a .
providers:write      A . . a .
money:read           A . . a .
money:write          A . S . .
payments:record      A . . a .
reports:read         A . . a .
audit:read           A . . a .
exports:read         A . . a .
exports:write        A . . a .
jobs:read            A . . a .
jobs:write           A . . a .
notifications:read   A . . a .
notifications:write  A . . a .
settings:read        A . . a .
settings:write       A . . . .
users:read           A . . . .
users:write          A . S . .
keys:read            A . . . .
keys:write           A . S . .
intake:write         A . . a .
privacy:write        A . S . .
portal:read          A . . . .
own:read             . P . . p
own:write            . P . . p
own:keys             . P S . .
"""


def test_the_table_is_what_the_code_says() -> None:
    said = [
        f"{permission.value:<20} {marks}"
        for permission in Permission
        for marks in [
            " ".join(
                (
                    "A" if permission in ROLE_PERMISSIONS[Role.ADMIN] else ".",
                    "P" if permission in ROLE_PERMISSIONS[Role.PROVIDER] else ".",
                    "S" if permission in STEP_UP_PERMISSIONS else ".",
                    "a" if permission in KEY_SCOPES[Role.ADMIN] else ".",
                    "p" if permission in KEY_SCOPES[Role.PROVIDER] else ".",
                )
            )
        ]
    ]
    assert said == TABLE.strip().splitlines()


def test_the_system_role_has_no_permissions() -> None:
    assert permissions_of(Role.SYSTEM) == frozenset()
    assert KEY_SCOPES[Role.SYSTEM] == frozenset()


def test_operators_and_providers_share_nothing() -> None:
    assert not permissions_of(Role.ADMIN) & permissions_of(Role.PROVIDER)


def test_a_provider_that_is_not_active_only_looks() -> None:
    assert permissions_of(Role.PROVIDER, provider_is_active=False) == {Permission.OWN_READ}
    scopes = ["own:read", "own:write"]
    assert permissions_of_key(scopes, Role.PROVIDER, provider_is_active=False) == {Permission.OWN_READ}
    assert permissions_of(Role.ADMIN, provider_is_active=False) == permissions_of(Role.ADMIN)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.PROVIDER])
def test_a_key_never_reaches_what_needs_a_step_up(role: Role) -> None:
    everything = [permission.value for permission in Permission]
    assert not permissions_of_key(everything, role) & STEP_UP_PERMISSIONS
    assert permissions_of_key(everything, role) == KEY_SCOPES[role]


def test_a_person_proves_itself_for_what_a_key_was_made_for() -> None:
    assert needs_step_up(Permission.PAYMENTS_RECORD, is_key=False)
    assert not needs_step_up(Permission.PAYMENTS_RECORD, is_key=True)
    assert all(needs_step_up(each, is_key=True) for each in STEP_UP_PERMISSIONS)


def test_a_key_does_no_more_than_its_scopes() -> None:
    assert permissions_of_key(["leads:read"], Role.ADMIN) == {Permission.LEADS_READ}
    assert permissions_of_key(["leads:read"], Role.PROVIDER) == frozenset()


@pytest.mark.parametrize(
    ("scopes", "role", "expected"),
    [
        (["leads:read", "intake:write"], Role.ADMIN, 0),
        (["own:read"], Role.ADMIN, 1),
        (["money:write", "users:write"], Role.ADMIN, 2),
        (["leads:read", "own:keys"], Role.PROVIDER, 2),
        ([], Role.ADMIN, 1),
        (["x" * 1000], Role.ADMIN, 1),
    ],
)
def test_which_scopes_are_refused(scopes: list[str], role: Role, expected: int) -> None:
    problems = scope_problems(scopes, role)
    assert len(problems) == expected
    assert all(len(problem) < 600 for problem in problems)
