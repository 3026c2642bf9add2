"""Every mistake in a marketplace file is told by its key, all of them together, and nothing is written."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, everything

NEW = '[[niche]]\nslug = "new"\nname = "New"\n'
ANCHOR = '[[provider]]\nemail = "anchor@example.com"\n'
AGAIN = '[[provider]]\nemail = "ANCHOR@example.com"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[[niche]\n",
            "this is not valid TOML: Expected ']]' at the end of an array declaration (at line 1",
        ),
        ("a = " + "[" * 3000, "this is not valid TOML: it is nested too deeply"),
        ("[[niches]]\n", "niches: has no meaning here"),
        ("[niche]\n", "niche: must be a list"),
        ('[marketplace]\ncurrency = "eur"', "marketplace.currency: must be a currency code of three capital letters"),
        ("[[niche]]\n", "niche[0].slug: is missing"),
        ('[[niche]]\nslug = "A b"', "niche[0].slug: must be 1 to 63 small letters"),
        ('[[niche]]\nslug = "unheard"', "niche[0].name: is missing, and the niche 'unheard' does not exist yet"),
        (NEW + 'field = [{ key = "x", type = "date" }]', "niche[0].field[0].type: type must be one of select,"),
        (NEW + 'level = [{ name = "a", price_cents = 1, max_recipients = 1 }]', "niche[0].level[0].order_position: is"),
        (NEW + 'level = [{ name = "a", price_cents = 0 }]', "niche[0].level[0].price_cents: must be greater than or"),
        (NEW + 'level = [{ name = "a", price_cents = 1.5 }]', "niche[0].level[0].price_cents: must be a whole number"),
        (NEW + "level = [{ price = 5 }]", "niche[0].level[0].name: is missing"),
        (NEW + NEW, "niche[1].slug: is declared already by niche[0].slug"),
        (ANCHOR + 'timezone = "Moon/Base"', "provider[0].timezone: must be an IANA time zone such as Europe/Berlin"),
        (ANCHOR + 'status = "gone"', "provider[0].status: must be 'pending', 'active' or 'suspended'"),
        (ANCHOR + "credit_limit_cents = -1", "provider[0].credit_limit_cents: must be greater than or equal to 0"),
        (ANCHOR + 'name = "two\\nlines"', "provider[0].name: must be one line of 1 to 200 characters"),
        ('[[provider]]\nemail = "nobody"', "provider[0].email: must be an email address"),
        ('[[provider]]\nemail = "new@example.com"', "provider[0].name: is missing, and the provider new@example.com"),
        (
            ANCHOR + AGAIN,
            "provider[1].email: is declared",
        ),
        (
            ANCHOR + 'deposit = [{ external_id = "opening-anchor", amount_cents = 4999 }]',
            "provider[0].deposit[0].amount_cents: the deposit 'opening-anchor' was credited with 5000 cents before",
        ),
        (
            ANCHOR + 'deposit = [{ external_id = "opening-bowline", amount_cents = 600 }]',
            "provider[0].deposit[0].external_id: the deposit 'opening-bowline' was credited to another provider before",
        ),
        (
            ANCHOR + 'subscription = [{ niche = "hosting\\u0000", level = "gold" }]',
            "provider[0].subscription[0].niche: must be one line of 1 to 200 characters",
        ),
        (
            ANCHOR + 'subscription = [{ niche = "hosting", level = "gold\\u0000", deleted = true }]',
            "provider[0].subscription[0].level: must be one line of 1 to 200 characters",
        ),
        (
            ANCHOR + 'subscription = [{ niche = "nowhere", level = "gold" }]',
            "provider[0].subscription[0].niche: there is no niche 'nowhere'",
        ),
        (
            ANCHOR + 'subscription = [{ niche = "hosting", level = "tin" }]',
            "provider[0].subscription[0].level: the niche 'hosting' has no level 'tin'",
        ),
        (
            ANCHOR + 'subscription = [{ niche = "hosting", level = "gold", filter = [{ field_key = "cores", '
            'operator = "near", value = 1 }] }]',
            "provider[0].subscription[0].filter[0].operator: the operator must be one of eq, neq, gte, lte, between",
        ),
        (
            ANCHOR + 'subscription = [{ niche = "hosting", level = "gold", filter = [{ field_key = "cores", '
            "operator = 'gte', value = 2026-01-01 }] }]",
            "provider[0].subscription[0].filter[0].value: the value must be a number",
        ),
    ],
)
def test_a_mistake_is_named_by_its_key(database: Database, text: str, problem: str) -> None:
    declare(database, HOSTING)
    before = everything(database)
    with pytest.raises(BadInput) as caught:
        declare(database, text)
    assert [found for found in caught.value.problems if found.startswith(problem)], caught.value.problems
    assert everything(database) == before


def test_all_mistakes_are_told_together(database: Database) -> None:
    with pytest.raises(BadInput) as caught:
        declare(database, NEW + "level = [{ name = 'a' }]\n" + ANCHOR + 'subscription = [{ niche = "x", level = "y" }]')
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "niche[0].level[0].price_cents",
        "niche[0].level[0].max_recipients",
        "niche[0].level[0].order_position",
        "provider[0].name",
        "provider[0].subscription[0].niche",
    ]


def test_a_filter_for_a_form_that_cannot_be_read_is_refused(damaged_database: Database) -> None:
    """It cannot be said what it means: it must not be taken for a filter that lets every lead through."""
    declare(damaged_database, HOSTING)
    with damaged_database.transaction() as conn:
        conn.execute("""update niches set form_schema = '{"version": 9, "fields": []}'""")
    before = everything(damaged_database)
    wish = '{ field_key = "cores", operator = "gte", value = 8 }'
    with pytest.raises(BadInput) as caught:
        declare(
            damaged_database, ANCHOR + f'subscription = [{{ niche = "hosting", level = "gold", filter = [{wish}] }}]'
        )
    assert caught.value.problems == (
        "provider[0].subscription[0].filter: the form of the niche 'hosting' cannot be read, so no filter fits it",
    )
    assert everything(damaged_database) == before
