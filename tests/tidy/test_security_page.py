"""Every test that the page on security names as a proof exists, and the limits that it states are those that hold."""

import ast
import re
from pathlib import Path

import pytest

from fairlead.flows.access import throttle

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/reference/security.md").read_text(encoding="utf-8")
NAMED = sorted({*re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)})
ROWS = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ")]
LIMITS = {
    "logins of an account from an address": throttle.LOGIN_OF_PAIR,
    "logins from an address": throttle.LOGIN_OF_ADDRESS,
    "logins of an account from addresses that it never came from": throttle.LOGIN_OF_ACCOUNT,
    "codes of an account from addresses that it never came from": throttle.CODE_OF_ACCOUNT,
    "codes of an account from an address that it came from in the last 30 days": throttle.CODE_OF_PAIR,
    "password resets from an address": throttle.RESET_OF_ADDRESS,
    "password resets of an account (more are let go)": throttle.RESET_OF_ACCOUNT,
    "registrations from an address": throttle.REGISTRATION_OF_ADDRESS,
    "one-time links from an address": throttle.TOKEN_OF_ADDRESS,
    "wrong API keys from an address": throttle.KEY_OF_ADDRESS,
    "reports of payment gateways from an address": throttle.PAYMENT_WEBHOOKS_OF_NETWORK,
    "public leads from an address": throttle.INTAKE_OF_ADDRESS,
    "messages that ask one mailbox to confirm a lead (more are let go)": throttle.CONFIRMATION_OF_MAILBOX,
}


def test_there_are_tests_named() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda each: each)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("words", LIMITS, ids=lambda each: each)
def test_a_limit_is_the_one_that_holds(words: str) -> None:
    [row] = [cells for cells in ROWS if cells[1].strip() == words]
    limit, seconds = LIMITS[words], LIMITS[words].seconds_per_token
    said = f"{seconds:.0f} s" if seconds <= 60 else f"{seconds / 60:.0f} min"
    assert (row[2].strip(), row[3].strip()) == (str(limit.capacity), said)


def test_every_limit_is_on_the_page() -> None:
    there_are = {value for value in vars(throttle).values() if isinstance(value, throttle.Limit)}
    assert there_are == {*LIMITS.values()}
