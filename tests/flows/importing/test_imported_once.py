"""The same file twice adds nothing, whatever became of the niche's form or of the mapping in between."""

from pathlib import Path
from typing import Any

import pytest

from fairlead.flows.importing.import_leads import Imported, ImportOptions, import_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import declare

AGE = '{ key = "age", type = "number" }'
ZIP = '{ key = "zip", type = "text" }'
FILE = "contact_email,age,zip,id\n" + "".join(f"g{n}@example.com,{20 + n},1000{n},{n}\n" for n in range(5))


def _form(database: Database, *fields: str) -> None:
    declare(
        database,
        f"""
[[niche]]
slug = "grow"
name = "Grow"
field = [{", ".join(fields)}]
level = [{{ name = "one", price_cents = 100, max_recipients = 1, order_position = 1 }}]
""",
    )


def _import(database: Database, path: Path, content: str = FILE, written: str = "utf-8", **options: Any) -> Imported:
    path.write_bytes(content.encode(written))
    return import_leads(database, path, ImportOptions("grow", approve=True, **options), OPERATOR)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "leads.csv"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([AGE], [AGE, ZIP], id="a field is gained"),
        pytest.param([AGE, ZIP], [AGE], id="a field is dropped"),
        pytest.param([AGE, ZIP], [ZIP, AGE], id="fields change places"),
        pytest.param([AGE, ZIP], [ZIP.replace("zip", "id"), AGE], id="a field is renamed"),
        pytest.param([ZIP], [ZIP.replace("text", "number")], id="a field changes its type"),
    ],
)
def test_a_form_that_changes_sells_no_lead_again(
    database: Database, path: Path, before: list[str], after: list[str]
) -> None:
    _form(database, *before)
    assert _import(database, path).added == 5
    _form(database, *after)
    again = _import(database, path)
    assert (again.added, again.rejected) == (0, 0)
    assert _import(database, path, FILE + "g9@example.com,44,10009,9\n").added == 1


@pytest.mark.parametrize(
    "options",
    [
        {"mapping": {"id": "utm_campaign"}},
        {"mapping": {"id": "external_id"}},
        {"dedupe": ("contact_email",)},
        {"mapping": {"zip": "utm_source"}},
    ],
)
def test_another_mapping_or_key_sells_no_lead_again(database: Database, path: Path, options: dict[str, Any]) -> None:
    _form(database, AGE, ZIP)
    assert _import(database, path).added == 5
    assert _import(database, path, **options).added == 0


def test_order_of_columns_encoding_and_writing_of_letters_make_no_other_file(database: Database, path: Path) -> None:
    _form(database, ZIP)
    assert _import(database, path, "zip,Ort\n1,Ko\u0308ln\n2,Bonn\n").added == 2
    assert _import(database, path, "zip,Ort\n1,K\u00f6ln\n2,Bonn\n").added == 0
    assert _import(database, path, "\ufeffORT,zip\n K\u00f6ln,1\nBonn ,2\n").added == 0
    assert _import(database, path, "Ort;zip\nBonn;2\nK\u00f6ln;1\n", "latin-1", encoding="latin-1").added == 0


def test_rows_alike_stay_as_many_leads_as_the_file_has_of_them(database: Database, path: Path) -> None:
    _form(database, AGE)
    assert _import(database, path, "age,zip\n30,1\n30,1\n30,2\n").added == 3
    _form(database, AGE, ZIP)
    assert _import(database, path, "age,zip\n30,1\n30,1\n30,2\n").added == 0
    assert _import(database, path, "age,zip\n30,1\n30,1\n30,1\n30,2\n").added == 1
