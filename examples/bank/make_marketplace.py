"""Writes marketplace.toml: a niche for the bank contacts, its levels, and 320 providers with varied filters.

The numbers come from a fixed seed, so running it again gives the same file:

    python examples/bank/make_marketplace.py > examples/bank/marketplace.toml
"""

import random

PROVIDERS = 320
LEVELS = {"exclusive": 5000, "premium": 2000, "standard": 1000}

JOBS = (
    "admin. blue-collar entrepreneur housemaid management retired self-employed services student technician unemployed"
).split()

HEAD = """\
# A marketplace for people who were called by a bank: who they are decides which provider wants to talk to them.
# Written by make_marketplace.py; apply it with `fairlead apply examples/bank/marketplace.toml`.

[marketplace]
currency = "EUR"

[[niche]]
slug = "bank-deposits"
name = "Bank deposits"

field = [
    { key = "age", label = "Age in years", type = "number", required = true },
    { key = "job", label = "Job", type = "select", required = true, options = [%s] },
    { key = "marital", label = "Marital status", type = "radio", required = true, options = ["divorced", "married", "single"] },
    { key = "education", label = "Education", type = "select", required = true, options = ["primary", "secondary", "tertiary"] },
    { key = "default", label = "Has credit in default", type = "boolean", required = true },
    { key = "balance", label = "Yearly balance in EUR", type = "number", required = true },
    { key = "housing", label = "Has a housing loan", type = "boolean", required = true },
    { key = "loan", label = "Has a personal loan", type = "boolean", required = true },
    { key = "poutcome", label = "Outcome of the last campaign", type = "select", required = true, options = ["failure", "other", "success", "unknown"] },
    { key = "y", label = "Subscribed a term deposit", type = "boolean", required = true },
]

level = [
    { name = "exclusive", price_cents = 5000, max_recipients = 1, order_position = 1 },
    { name = "premium", price_cents = 2000, max_recipients = 3, order_position = 2 },
    { name = "standard", price_cents = 1000, max_recipients = 5, order_position = 3 },
]
"""


def rule(field_key: str, operator: str, value: str) -> str:
    return f'{{ field_key = "{field_key}", operator = "{operator}", value = {value} }}'


def texts(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def age_rule(dice: random.Random) -> str:
    youngest = dice.randrange(18, 56)
    return rule("age", "between", f"[{youngest}, {youngest + dice.randrange(10, 41)}]")


def balance_rule(dice: random.Random) -> str:
    return rule("balance", "gte", str(dice.choice([0, 200, 500, 1000, 1500, 2500])))


def job_rule(dice: random.Random) -> str:
    if dice.random() < 0.2:
        return rule("job", "not_in", texts(sorted(dice.sample(JOBS, dice.randrange(1, 4)))))
    return rule("job", "in", texts(sorted(dice.sample(JOBS, dice.randrange(2, 8)))))


def no_loan_rule(dice: random.Random) -> str:
    return rule(dice.choice(["loan", "housing"]), "eq", "false")


def education_rule(dice: random.Random) -> str:
    return rule(
        "education",
        "in",
        texts(dice.choice([["tertiary"], ["secondary", "tertiary"], ["primary", "secondary"]])),
    )


def marital_rule(dice: random.Random) -> str:
    return rule("marital", "eq", f'"{dice.choice(["divorced", "married", "single"])}"')


def interest_rule(_: random.Random) -> str:
    return rule("y", "eq", "true")


def solvent_rule(_: random.Random) -> str:
    return rule("default", "eq", "false")


MAKERS = (
    age_rule,
    balance_rule,
    job_rule,
    no_loan_rule,
    education_rule,
    marital_rule,
    interest_rule,
    solvent_rule,
)
WEIGHTS = (8, 5, 6, 4, 4, 2, 1, 4)


def filter_of(dice: random.Random) -> list[str]:
    """Up to four rules on different fields; one provider in ten takes every lead."""
    if dice.random() < 0.1:
        return []
    makers = dict.fromkeys(dice.choices(MAKERS, WEIGHTS, k=dice.randrange(1, 5)))
    return [make(dice) for make in makers]


def main() -> None:
    dice = random.Random(2014)
    print(HEAD % ", ".join(f'"{job}"' for job in JOBS), end="")
    for number in range(1, PROVIDERS + 1):
        # From some hundred to some hundred thousand EUR: the small ones run out on the way.
        deposit_cents = round(min(max(dice.lognormvariate(10.2, 1.3), 100), 200_000)) * 100
        levels = dice.sample(list(LEVELS), dice.choice([1, 2, 2, 3]))
        print(f'\n[[provider]]\nemail = "provider-{number:03}@example.com"\nname = "Provider {number:03}"')
        print(f'deposit = [{{ external_id = "opening-{number:03}", amount_cents = {deposit_cents} }}]')
        print("subscription = [")
        for level in sorted(levels, key=list(LEVELS).index):
            rules = ", ".join(filter_of(dice))
            print(f'    {{ niche = "bank-deposits", level = "{level}", filter = [{rules}] }},')
        print("]")


if __name__ == "__main__":
    main()
