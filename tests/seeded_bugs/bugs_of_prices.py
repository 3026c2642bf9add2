"""Mistakes about price rules: another rule decides, another price is charged, another price switches off."""

from tests.seeded_bugs.bug import Bug, Edit

PRICES = "tests/core/test_prices.py"
SCENARIOS = "tests/scenarios"

BUGS_OF_PRICES = (
    Bug(
        "left out again by each dearer price",
        "what a level asks above a limit is told to its provider",
        (
            Edit(
                "core/prices.py",
                "most_cents is not None and lowest_before_cents <= most_cents < lowest_after_cents",
                "most_cents is not None and most_cents < lowest_after_cents",
            ),
        ),
        ("tests/api/admin/test_price_rules.py",),
        is_quick=True,
    ),
    Bug(
        "the last price rule wins",
        "each rule that holds replaces the one before",
        (Edit("core/prices.py", "        if holds:\n            break\n    else:\n", "    else:\n"),),
        (PRICES,),
        is_quick=True,
    ),
    Bug(
        "a lead is old a minute late",
        "it has to be older than the rule says",
        (
            Edit(
                "core/prices.py",
                "self.from_minutes is not None and age < self.from_minutes * _MINUTE",
                "self.from_minutes is not None and age <= self.from_minutes * _MINUTE",
            ),
        ),
        (PRICES,),
        is_quick=True,
    ),
    Bug(
        "funds are held against the highest price",
        "who cannot pay the dearest lead is switched off",
        (
            Edit(
                "core/prices.py",
                "return price_cents if text is None else min((price_cents, *_prices(text)))",
                "return price_cents if text is None else max((price_cents, *_prices(text)))",
            ),
        ),
        (PRICES,),
        is_quick=True,
    ),
    Bug(
        "the level's own price is charged",
        "the rule is recorded, and the price is that of the level",
        (
            Edit(
                "core/decide.py",
                "return priced.at[0 if rule is None else rule.number], rule",
                "return priced.at[0], rule",
            ),
        ),
        (PRICES,),
        is_quick=True,
    ),
    Bug(
        "a price limit is one below what is paid",
        "a lead at the limit is refused",
        (
            Edit(
                "core/slots.py",
                "return slots[self._max_prices[slots] >= level.price_cents]",
                "return slots[self._max_prices[slots] > level.price_cents]",
            ),
        ),
        (PRICES, SCENARIOS),
        is_quick=True,
    ),
    Bug(
        "a spending limit that a dear lead reaches shuts the subscription",
        "whatever lead comes, it is not asked until the window closes",
        (
            Edit(
                "core/refusals.py",
                "return None if self.is_for_price_only else self.reopens_at",
                "return self.reopens_at",
            ),
        ),
        (PRICES,),
        is_quick=True,
    ),
    Bug(
        "the recorded rule is believed",
        "of an erased lead, or by other zones, whatever rule is on record decided",
        (
            Edit(
                "core/prices.py",
                "number = recorded if recorded in possible else possible[-1]",
                "number = recorded or possible[-1]",
            ),
        ),
        (PRICES,),
        is_quick=True,
    ),
)
