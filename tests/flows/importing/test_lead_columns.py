"""Which column fills what: by name, by number, left out; and what is a file of rejected rows."""

from collections.abc import Mapping, Sequence

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.form import parse_form_schema
from fairlead.flows.importing.lead_columns import Columns, map_columns

AGE = {"key": "age", "label": "Age", "type": "number"}
REASON = {"key": "reason", "label": "Reason", "type": "text"}


def mapped(
    header: str,
    mapping: Mapping[str, str] | None = None,
    dedupe: Sequence[str] = (),
    ignore: Sequence[str] = (),
    form: Sequence[Mapping[str, object]] = (AGE,),
) -> Columns:
    schema = parse_form_schema({"version": 1, "fields": [dict(each) for each in form]})
    return map_columns(header.split(","), schema, mapping or {}, dedupe, ignore)


def filled(columns: Columns) -> dict[str, int]:
    """What is filled, and by which column, counted from 1."""
    fields = {each.key: position + 1 for position, each in columns.fields}
    return fields | {name: position + 1 for position, name in columns.details}


@pytest.mark.parametrize("number", [3, 4])
def test_one_of_two_columns_of_a_name_is_named_by_its_number(number: int) -> None:
    header = "Name,Email,Phone,Phone,age"
    columns = mapped(header, {"Email": "contact_email", f"#{number}": "contact_phone"})
    assert filled(columns) == {"age": 5, "contact_email": 2, "contact_phone": number}
    assert columns.ignored == ("Name", "Phone")
    with pytest.raises(BadInput, match=r"--map Phone=contact_phone: .* 2 columns 'Phone': say #3 or #4 instead"):
        mapped(header, {"Phone": "contact_phone"})
    with pytest.raises(BadInput, match=r"--dedupe phone: .* say #3 or #4 instead"):
        mapped(header, dedupe=["phone"])
    with pytest.raises(BadInput, match=r"--ignore PHONE: .* say #3 or #4 instead"):
        mapped(header, ignore=["PHONE"])
    # Without the other one, the name says which.
    other = {3: "#4", 4: "#3"}[number]
    assert filled(mapped(header, {"phone": "contact_phone"}, ignore=[other])) == {"age": 5, "contact_phone": number}
    assert mapped(header, dedupe=["phone"], ignore=[other]).key_rule.parts == ((f"column phone #{number}", number - 1),)


def test_a_column_without_a_name_and_one_that_is_called_like_a_number() -> None:
    assert filled(mapped(",,age", {"#2": "contact_name"})) == {"age": 3, "contact_name": 2}
    # What a column is called comes first.
    assert filled(mapped("#2,b,age", {"#2": "contact_name"})) == {"age": 3, "contact_name": 1}
    for wrong in ("#0", "#4", "#x", "#", "# 1"):
        with pytest.raises(BadInput, match=f"the file has no column '{wrong}'"):
            mapped("a,b,age", {wrong: "contact_name"})


def test_what_is_mapped_wins_over_a_column_of_the_same_name() -> None:
    header = "contact_name,Contact_Name,age"
    with pytest.raises(BadInput, match="are for 'contact_name': leave one out with --ignore '#1' or --ignore '#2'"):
        mapped(header)
    assert filled(mapped(header, {"#2": "contact_name"})) == {"age": 3, "contact_name": 2}
    assert filled(mapped(header, ignore=["#2"])) == {"age": 3, "contact_name": 1}
    assert filled(mapped(header, ignore=["contact_name"])) == {"age": 3, "contact_name": 2}
    assert filled(mapped("age,Years", {"Years": "age"})) == {"age": 2}
    assert mapped("age,Years", {"Years": "age"}).ignored == ("age",)
    with pytest.raises(BadInput, match="two columns, 'a' and 'b', are for 'age'"):
        mapped("a,b,age", {"a": "age", "b": "age"})


def test_what_is_left_out_fills_nothing_and_is_told_of_no_more() -> None:
    columns = mapped("age,utm_source,note", ignore=["utm_source"])
    assert (filled(columns), columns.ignored) == ({"age": 1}, ("note",))
    with pytest.raises(BadInput, match="the form requires 'age'"):
        mapped("age,note", {"note": "contact_name"}, ignore=["age"], form=[{**AGE, "required": True}])


def test_columns_that_tell_leads_apart_by_number_or_by_name_are_the_same_key() -> None:
    by_name, by_number = (mapped("age,Mail,Id", dedupe=[column]).key_rule for column in ("mail", "#2"))
    assert by_name == by_number
    assert by_name.parts == (("column mail", 1),)
    both = mapped("age,Phone,phone", dedupe=["#2", "#3"]).key_rule.parts
    assert both == (("column phone #2", 1), ("column phone #3", 2))


def test_what_was_added_to_rejected_rows_is_not_the_leads_own() -> None:
    columns = mapped("age,note,line,reason")
    assert (columns.width, columns.own) == (4, 2)
    assert columns.headings == (("age", 0), ("note", 1))
    assert columns.ignored == ("note",)
    # The two are the file's own where it says so, and where they stand elsewhere.
    assert mapped("age,note,line,reason", dedupe=["line"]).own == 4
    assert mapped("age,note,line,reason", {"#4": "contact_name"}).own == 4
    for header in ("line,reason,age", "age,reason,line", "age,Line,Reason", "age,reason"):
        assert mapped(header).own == header.count(",") + 1


def test_a_form_that_asks_for_a_reason_is_not_answered_with_ours() -> None:
    form = [AGE, REASON]
    with pytest.raises(BadInput) as caught:
        mapped("age,line,reason", form=form)
    assert caught.value.problems == (
        "is the column 'reason' the file's own, or was it added to rejected rows? "
        "Say --map '#3=reason' or --ignore '#3'",
    )
    assert filled(mapped("age,line,reason", {"#3": "reason"}, form=form)) == {"age": 1, "reason": 3}
    assert filled(mapped("age,line,reason", ignore=["#3"], form=form)) == {"age": 1}
    assert mapped("age,line,reason", ignore=["#3"], form=form).own == 1
    # Where the leads have a reason of their own, the second one is ours.
    assert filled(mapped("age,reason,line,reason", form=form)) == {"age": 1, "reason": 2}
    assert filled(mapped("age,why,line,reason", {"why": "reason"}, form=form)) == {"age": 1, "reason": 2}
