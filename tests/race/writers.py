"""The others that write while leads are distributed: depositors and people who edit the marketplace, as processes.

Each releases the semaphore `ready` whenever it has written.
"""

import random
from collections.abc import Sequence
from typing import Any

from fairlead.core.errors import BadInput
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.money.deposit import deposit
from fairlead.store.audit.log import OPERATOR
from tests.race.processes import Report, opened


def deposit_now_and_then(url: str, provider_ids: Sequence[str], cents: int, seed: int, ready: Any, stop: Any) -> Report:
    """Deposits to providers at random until told to stop, each of them announced twice as gateways do."""
    dice, count = random.Random(seed), 0
    with opened(url) as database:
        while not stop.wait(dice.uniform(0, 0.02)):
            external_id, provider_id = f"gateway {seed} {count}", dice.choice(provider_ids)
            first = deposit(database, provider_id, cents, "test", external_id, OPERATOR)
            again = deposit(database, provider_id, cents, "test", external_id, OPERATOR)
            assert (first.was_recorded, again.was_recorded) == (False, True)
            count += 1
            ready.release()
    return Report(writes=count)


def edit_now_and_then(
    url: str, slugs: Sequence[str], emails: Sequence[str], seed: int, ready: Any, stop: Any
) -> Report:
    """Edits at random until told to stop: prices, activity of levels, pauses, filters, suspensions, unsubscribing."""
    dice, count = random.Random(seed), 0
    with opened(url) as database:
        while not stop.wait(dice.uniform(0, 0.03)):
            declaration = parse_declaration(random_edit(dice, slugs, emails))
            try:
                count += bool(apply_marketplace(database, declaration, OPERATOR).changes)
            except BadInput as refused:
                if "cents of credit are in use" not in str(refused):
                    raise
            ready.release()
    return Report(writes=count)


def random_edit(dice: random.Random, slugs: Sequence[str], emails: Sequence[str]) -> str:
    """A marketplace file that changes one thing."""
    slug, email = dice.choice(slugs), dice.choice(emails)
    position = dice.choice((1, 2, 5))
    level = f'[[niche]]\nslug = "{slug}"\n[[niche.level]]\nname = "L{position}"\n'
    provider = f'[[provider]]\nemail = "{email}"\n'
    subscription = f'{provider}[[provider.subscription]]\nniche = "{slug}"\nlevel = "L{position}"\n'
    flag = dice.choice(("true", "false"))
    rule = f'{{field_key = "age", operator = "gte", value = {dice.choice((18, 45))}}}'
    return dice.choice(
        (
            f"{level}price_cents = {dice.choice((900, 1000, 1100, 2000, 2500))}\n",
            f"{level}active = {flag}\n",
            f"{level}max_recipients = {dice.choice((1, 2, 3))}\n",
            f"{subscription}active = {flag}\n",
            f"{subscription}filter = [{rule}]\n",
            f"{subscription}deleted = {flag}\n",
            f'{provider}status = "{dice.choice(("active", "active", "suspended"))}"\n',
            f"{provider}credit_limit_cents = {dice.choice((5_000, 6_000))}\n",
        )
    )
