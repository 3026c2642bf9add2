"""The guide to email names what there is, and its example works."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.delivery import templates
from fairlead.delivery.template_language import JINJA_FILTERS, LOOP_ATTRIBUTES, OUR_FILTERS, TESTS
from fairlead.delivery.template_variables import KINDS, PROVIDER_KINDS, variables_of
from fairlead.settings import Settings

GUIDE = (Path(__file__).parents[2] / "docs/guide/email.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", GUIDE))


def _row(kind: str) -> str:
    [row] = [line for line in GUIDE.splitlines() if line.startswith("|") and f"`{kind}`" in line.split("|")[1]]
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_variables_and_no_other(kind: str) -> None:
    general = "" if kind not in PROVIDER_KINDS else _of_every_provider()
    required, _, optional = _row(kind).split("|")[2].partition("optional")
    general_required, _, general_optional = general.partition("optional")
    expected = {(variable.name, variable.is_optional) for variable in variables_of(kind)}
    assert expected == {(name, False) for name in re.findall(r"`(\w+)`", required + general_required)} | {
        (name, True) for name in re.findall(r"`(\w+)`", optional + general_optional)
    }


def _of_every_provider() -> str:
    [row] = [line for line in GUIDE.splitlines() if line.startswith("| every message to a provider")]
    return row.split("|")[2]


def test_each_filter_test_and_loop_attribute_is_named() -> None:
    words = {re.split(r"\W", each.removeprefix("loop."))[0] for each in CODE}
    assert {*OUR_FILTERS, *JINJA_FILTERS, *TESTS, *LOOP_ATTRIBUTES} <= words


def test_each_setting_is_named_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        if name.startswith(("smtp_", "mail_")):
            variable = f"FAIRLEAD_{name.upper()}"
            assert variable in GUIDE
            if field.default is not None and variable != "FAIRLEAD_MAIL_TRANSPORT":
                assert f"| `{variable}` | `{field.default}` |" in GUIDE
    assert f"`{Settings.model_fields['mail_transport'].default}` (default)" in GUIDE


def test_the_limits_are_the_ones_that_hold() -> None:
    for limit in (templates.MAX_SUBJECT_CHARACTERS, templates.MAX_ELEMENTS):
        assert f"{limit:,}" in GUIDE
    assert f"{templates.MAX_BODY_BYTES // 1_000} kB" in GUIDE
    assert f"{templates.MAX_RENDERED_CHARACTERS // 1_000_000} million characters" in GUIDE


def test_the_example_works() -> None:
    [example] = re.findall(r"```html\n(.*?)```", GUIDE, re.DOTALL)
    assert templates.check_template(replace(templates.default_template("lead_assigned"), html=example)) == []
