"""Postcode tables in the marketplace file: with their versions, once each, in the file or beside it."""

import tomllib
from collections.abc import Callable, Generator, Mapping
from uuid import uuid4

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.postcode_tables import list_postcode_tables, load_postcode_table
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.declaring.apply_marketplace import Applied, apply_marketplace, parse_declaration
from fairlead.flows.declaring.export_marketplace import export_marketplace
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.schema import migrate
from tests.closing_sweep import sweep
from tests.flows.marketplaces import declare, everything
from tests.flows.sales import query

FIRST = "zip;lat;lon\n10115;52.5337;13.3872\n14467;52.3988;13.0657\n80331;48.1372;11.5755\n"
SECOND = "10115,52.5337,13.3872\n80331,48.1372,11.5755\n"
THIRD = "10115,52.5337,13.3872\n20095,53.55,10.0\n"

MARKET = """
[[niche]]
slug = "solar"
name = "Solar"
field = [{ key = "zip", label = "Postcode", type = "text" }]
level = [{ name = "gold", price_cents = 100, max_recipients = 3, order_position = 1 }]
"""
PROVIDER = """
[[provider]]
email = "anchor@example.com"
name = "Anchor"

[[provider.subscription]]
niche = "solar"
level = "gold"
filter_version = 2
filter = [{ field_key = "zip", operator = "within_km", value = { table = "de", postcode = "10 115", km = 40 } }]
"""


def table(name: str = "de", **keys: object) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in {"name": name, **keys}.items()]
    return "\n".join(["[[postcode_table]]", *lines, ""])


def _toml(value: object) -> str:
    return f'"""{value}"""' if isinstance(value, str) else str(value)


def loaded(database: Database) -> list[tuple[str, int, int]]:
    return [(each.name, each.version, each.postcode_count) for each in list_postcode_tables(database)]


def decided_by(database: Database) -> list[tuple[str, str]]:
    circle = "jsonb_path_query_first(filter_rules, '$.rules.**.value ? (exists (@.table))')"
    return query(database, f"select {circle} ->> 'version', {circle} ->> 'postcodes' from subscriptions order by 1")


def applied(database: Database, text: str, files: Mapping[str, str]) -> Applied:
    return apply_marketplace(database, parse_declaration(text, files.__getitem__), OPERATOR)


def problems_of(do: Callable[[], object]) -> list[str]:
    with pytest.raises(BadInput) as refused:
        do()
    return list(refused.value.problems)


@pytest.fixture
def empty_database(server_url: str) -> Generator[Database]:
    with Database(server_url, f"other_{uuid4().hex[:8]}") as other:
        migrate(other)
        yield other
        sweep(other)
        with other.transaction() as conn:
            conn.execute(f"drop schema {other.schema_name} cascade".encode())


def test_a_table_and_the_filters_by_it_are_applied_to_an_empty_marketplace(database: Database) -> None:
    text = table(content=FIRST) + MARKET + PROVIDER
    changes = declare(database, text, dry_run=True).changes
    assert [each.line[:42] for each in changes if each.entity == "postcode_table"] == [
        "+ postcode_table de/1: postcode_count 3, c"
    ]
    assert loaded(database) == []
    assert declare(database, text).changes == changes
    assert (loaded(database), decided_by(database)) == ([("de", 1, 3)], [("1", '["10115", "14467"]')])
    before = everything(database)
    assert declare(database, text).changes == ()
    assert everything(database) == before
    told = "select entity_id, memo like 'marketplace file %%' from audit_log where action = 'postcode_table.loaded'"
    assert query(database, told) == [("de/1", True)]


def test_only_other_content_is_another_version_and_a_filter_that_is_not_written_again_stays(database: Database) -> None:
    declare(database, table(content=FIRST) + MARKET + PROVIDER)
    assert declare(database, table(content=FIRST.replace(";", "\t"))).changes == ()
    assert [each.name for each in declare(database, table(content=SECOND)).changes] == ["de/2"]
    assert (loaded(database), decided_by(database)[0][0]) == ([("de", 2, 2), ("de", 1, 3)], "1")
    # Written without a version it asks the newest, by the file as by hand.
    changes = declare(database, PROVIDER).changes
    assert [each.entity for each in changes] == ["subscription"]
    assert decided_by(database) == [("2", '["10115"]')]


def test_a_version_is_loaded_once_and_never_changed(database: Database) -> None:
    declare(database, MARKET)
    numbered = table(version=2, content=FIRST) + table(version=5, content=SECOND)
    assert [each.name for each in declare(database, numbered).changes] == ["de/2", "de/5"]
    assert declare(database, numbered).changes == ()
    assert declare(database, table(version=5)).changes == ()
    assert problems_of(lambda: declare(database, table(version=2, content=THIRD))) == [
        "postcode_table[0].version: version 2 of 'de' is there with other postcodes, and a version never changes"
    ]
    assert problems_of(lambda: declare(database, table(version=3, content=THIRD))) == [
        "postcode_table[0].version: version 5 of 'de' is there, so 3 cannot be added before it"
    ]
    assert problems_of(lambda: declare(database, table(version=4) + table("at"))) == [
        "postcode_table[0].name: there is no postcode table 'de', version 4: give its file or content",
        "postcode_table[1].name: there is no postcode table 'at': give its file or content",
    ]
    assert loaded(database) == [("de", 5, 2), ("de", 2, 3)]
    # The same content under a later number is that version: filters may go by both.
    assert [each.name for each in declare(database, table(version=6, content=SECOND)).changes] == ["de/6"]


def test_mistakes_name_their_place_and_nothing_is_applied(database: Database) -> None:
    text = table(content="10115,52.5,13.4\n???,1,2\n") + table("at", content="") + MARKET
    assert problems_of(lambda: declare(database, text)) == [
        "postcode_table[0].content: line 2: must be a postcode, its latitude and its longitude in degrees",
        "postcode_table[1].content: a table has at least one postcode, and takes at most 8 MB",
    ]
    assert problems_of(lambda: declare(database, table(file="de.csv"))) == [
        "postcode_table[0].file: de.csv cannot be read, since this text lies beside no files: give content"
    ]
    assert problems_of(lambda: parse_declaration(table(file="a.csv", content=FIRST))) == [
        "postcode_table[0]: has file or content, not both"
    ]
    assert problems_of(lambda: parse_declaration(table("De") + table(version=0))) == [
        "postcode_table[0].name: must be 1 to 50 small letters, digits and hyphens, beginning with a letter or digit",
        "postcode_table[1].version: must be greater than or equal to 1",
    ]
    # Without a number, which of the two is newest would go on changing with every time that the file is applied.
    for second in (table(content=SECOND), table(version=3, content=SECOND)):
        assert problems_of(lambda second=second: parse_declaration(table(content=FIRST) + second)) == [
            "postcode_table[1].name: is declared already by postcode_table[0].name"
        ]
    assert loaded(database) == []


def test_the_file_has_the_versions_that_filters_go_by_and_the_newest(
    database: Database, empty_database: Database
) -> None:
    second = PROVIDER.replace("anchor", "bowline").replace("Anchor", "Bowline")
    third = PROVIDER.replace("anchor", "capstan").replace("Anchor", "Capstan")
    declare(database, table(content=FIRST) + MARKET + PROVIDER)
    load_postcode_table(database, "de", SECOND, OPERATOR)  # no filter goes by it
    load_postcode_table(database, "de", FIRST, OPERATOR)
    declare(database, second)
    load_postcode_table(database, "de", THIRD, OPERATOR)
    load_postcode_table(database, "at", THIRD, OPERATOR)
    declare(database, third)
    file = export_marketplace(database, OPERATOR, tables_in="market.postcodes")
    said = tomllib.loads(file.text)
    assert [(each["name"], each["version"], each["file"]) for each in said["postcode_table"]] == [
        ("at", 1, "market.postcodes/at-1.csv"),
        ("de", 1, "market.postcodes/de-1.csv"),
        ("de", 3, "market.postcodes/de-3.csv"),
        ("de", 4, "market.postcodes/de-4.csv"),
    ]
    assert file.beside.keys() == {each["file"] for each in said["postcode_table"]}
    assert "postcodes = [" not in file.text, "what a distance came to is not in the file"
    assert applied(database, file.text, file.beside).changes == ()
    applied(empty_database, file.text, file.beside)
    assert decided_by(empty_database) == decided_by(database)
    assert {version for version, _ in decided_by(database)} == {"1", "3", "4"}
    assert applied(empty_database, file.text, file.beside).changes == ()
    assert export_marketplace(empty_database, OPERATOR, tables_in="market.postcodes") == file
    # What was declared there goes on as it would have here.
    assert load_postcode_table(empty_database, "de", SECOND, OPERATOR).row.version == 5


def test_without_a_directory_the_lines_stand_in_the_file(database: Database, empty_database: Database) -> None:
    declare(database, table(content=FIRST) + MARKET + PROVIDER)
    file = export_marketplace(database, OPERATOR)
    assert file.beside == {}
    assert 'content = """\npostcode,latitude,longitude\n10115,52.5337,13.3872\n' in file.text
    assert declare(database, file.text).changes == ()
    declare(empty_database, file.text)
    assert export_marketplace(empty_database, OPERATOR) == file


def test_filters_by_a_loaded_table_need_no_content(database: Database) -> None:
    declare(database, MARKET + PROVIDER.replace(PROVIDER[PROVIDER.index("filter_version") :], ""))
    load_postcode_table(database, "de", FIRST, OPERATOR)
    declare(database, table(version=1) + PROVIDER)
    [(subscription_id,)] = query(database, "select id::text from subscriptions")
    wanted = {"table": "de", "postcode": "10115", "km": 40}
    rules = {"version": 2, "rules": [{"field_key": "zip", "operator": "within_km", "value": wanted}]}
    assert not set_filter(database, subscription_id, rules, OPERATOR, of_provider_id=None).took_effect
