"""Every kind of message can be sent as it comes, and an edited one is checked before it is sent."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.core.form import MAX_FIELDS, MAX_NAME_CHARS
from fairlead.core.form_field import MAX_TEXT_CHARS
from fairlead.delivery.email import Email, address_of, mime_message, sender_of
from fairlead.delivery.template_variables import KINDS, sample_values, sparse_sample_values, variables_of
from fairlead.delivery.templates import (
    MAX_SUBJECT_CHARACTERS,
    BadTemplate,
    Template,
    check_template,
    default_template,
    languages_of,
    render,
)

OK = Template("lead_assigned", "{{ niche_name }}", "<p>{{ lead_id }}</p>", "{{ lead_id }}")


class Words(HTMLParser):
    """The texts of a page, without its head, and the tags and attributes that carry them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("style", "title"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def _wording(text: str) -> list[str]:
    return re.findall(r"[\w@+-]+(?:[.:/]+[\w@+-]+)*", text.casefold())


DEFAULTS = [(kind, language) for kind in KINDS for language in languages_of(kind)]

# What comes with Fairlead ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "language"), DEFAULTS)
def test_the_default_is_in_order_and_refers_to_nothing_outside(kind: str, language: str) -> None:
    template = default_template(kind, language)
    assert check_template(template) == []
    assert template.language == language
    assert language == "en" or template.subject != default_template(kind).subject
    assert "<!-- " not in template.html
    assert "<img" not in template.html
    assert "url(" not in template.html
    assert "\n" not in template.subject


@pytest.mark.parametrize(("kind", "language"), DEFAULTS)
def test_the_default_is_accessible(kind: str, language: str) -> None:
    words = Words(render(default_template(kind, language), sample_values(kind)).html)
    assert ("html", {"lang": language}) in words.tags
    assert [tag for tag, _ in words.tags].count("h1") == 1
    for tag, attributes in words.tags:
        if tag == "table":
            # A table either only arranges, or holds facts with a heading to each.
            assert attributes.get("role") == "presentation" or attributes.get("class") == "facts"
        if tag == "th":
            assert attributes["scope"] == "row"
    assert all("style" in attributes for tag, attributes in words.tags if tag in ("p", "h1", "th", "td"))


@pytest.mark.parametrize(("kind", "language"), DEFAULTS)
@pytest.mark.parametrize("values_of", [sample_values, sparse_sample_values])
def test_the_text_says_what_the_html_says(kind: str, language: str, values_of: type) -> None:
    rendered = render(default_template(kind, language), values_of(kind))
    # A button's words are the one thing that text cannot have; the address behind it is there.
    shown = re.sub(r"<a [^>]*>[^<]*</a>", "", rendered.html)
    missing = set(_wording(Words(shown).text)) - set(_wording(rendered.text))
    assert missing == set()
    for address in re.findall(r'href="([^"]+)"', rendered.html):
        assert address in rendered.text
    assert "None" not in rendered.html + rendered.text


@pytest.mark.parametrize(("kind", "language"), DEFAULTS)
def test_the_default_tells_everything_that_it_is_given(kind: str, language: str) -> None:
    rendered = render(default_template(kind, language), sample_values(kind))
    for value in sample_values(kind).values():
        if isinstance(value, str) and value not in ("EUR", "Europe/Berlin"):
            assert value in rendered.text
            assert value in rendered.html
        if isinstance(value, list):
            for entry in value:
                for text in entry if isinstance(entry, tuple) else (entry,):
                    assert all(line in rendered.text and line in rendered.html for line in text.splitlines())


@pytest.mark.parametrize(
    ("language", "days_left", "threshold_days", "said"),
    [
        ("en", 0, 7, ("Lasts for: less than a day", "Alert: less than 7 days")),
        ("en", 1, 2, ("Lasts for: 1 day", "Alert: less than 2 days")),
        ("en", 12, 30, ("Lasts for: 12 days", "Pace: 246.90 EUR a day")),
        ("de", 0, 1, ("Reicht für: weniger als einen Tag", "Warnung: weniger als 1 Tag")),
        ("de", 12, 30, ("Reicht für: 12 Tage", "Warnung: weniger als 30 Tage")),
    ],
)
def test_a_low_balance_in_days_says_for_how_long_it_lasts(
    language: str, days_left: int, threshold_days: int, said: tuple[str, ...]
) -> None:
    values = {**sample_values("low_balance"), "days_left": days_left, "threshold_days": threshold_days}
    lines = render(default_template("low_balance", language), values).text.splitlines()
    assert not set(said) - set(lines), lines
    assert not any("1500" in line for line in lines), "the balance of an alert in cents is not this alert's"


# What is checked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "newsletter"}, "kind: must be one of lead_assigned, "),
        ({"subject": ""}, "subject: is empty"),
        ({"html": " \n"}, "html: is empty"),
        ({"text": ""}, "text: is empty"),
        ({"subject": "a\nb"}, "subject: must be one line"),
        ({"subject": "x" * 1_001}, "subject: is longer than 1,000 characters"),
        ({"html": "<p>" + "ä" * 100_000}, "html: is larger than 200 kB"),
        ({"text": "x" * 200_001}, "text: is larger than 200 kB"),
        ({"html": "<p>\n<p>\n{{ oops }}"}, 'html, line 3: unknown variable "oops"'),
        ({"text": "{% if %}"}, "text, line 1: Expected an expression, got 'end of statement block'"),
        ({"text": "\n{% for label, text in attributes %}"}, "text, line 2: Unexpected end of template."),
        ({"text": "{{ lead_id|upercase }}"}, 'text, line 1: unknown filter "upercase"'),
        ({"text": "{% if lead_id is prime %}x{% endif %}"}, 'text, line 1: unknown test "prime"'),
        ({"html": "<p>\n<SCRIPT>x</SCRIPT>"}, "html, line 2: a script does nothing in an email"),
        ({"text": "\n{{ lead_id|money(currency) }}"}, "text, line 2: "),
        (
            {"text": "x\n{{ contact_phone|indented }}"},
            "text, line 2: where nothing optional is given, 'NoneType' object has no attribute 'splitlines'",
        ),
        ({"subject": "{{ contact_name }}"}, "subject: where nothing optional is given, is empty"),
        ({"text": "{{ attributes[0] }}"}, "text, line 1: a list cannot be printed as it is, loop over it"),
        ({"text": "x{% if attributes %}{{ attributes }}{% endif %}"}, "text, line 1: a list cannot be printed"),
        ({"text": "x{{ attributes[0][1] }}"}, "text, line 1: where nothing optional is given, "),
        ({"text": "x{{ attributes[0][7] }}"}, "text, line 1: tuple object has no element 7"),
        ({"subject": "a\x9bb"}, "subject, line 1: holds the control character U+009B"),
        ({"html": "<p>\n\x00</p>"}, "html, line 2: holds the control character U+0000"),
        ({"text": "a\r\n\x1b[31m"}, "text, line 2: holds the control character U+001B"),
        ({"text": "\ud800"}, "text, line 1: holds the control character U+D800"),
        ({"text": "{{ title }}"}, 'text, line 1: unknown variable "title"'),
    ],
)
def test_what_is_wrong_is_said_in_one_line_each(change: dict[str, str], problem: str) -> None:
    problems = check_template(replace(OK, **change))
    assert any(each.startswith(problem) for each in problems), problems
    assert all(len(each.splitlines()) == 1 for each in problems)


def test_several_problems_are_said_at_once_and_in_order() -> None:
    template = Template("low_balance", "", "{{ a }}\n{{ b }}\n{{ a }}", "{{ balance_cents|wrong }}")
    assert check_template(template) == [
        "subject: is empty",
        'html, line 1: unknown variable "a"',
        'html, line 2: unknown variable "b"',
        'html, line 3: unknown variable "a"',
        'text, line 1: unknown filter "wrong"',
    ]


def test_what_a_template_may_do() -> None:
    text = (
        "{% if contact_name is not none and price_cents >= 100 %}{{ contact_name|upper }}{% else %}-{% endif %} "
        "{% for label, text in attributes if text %}{{ loop.index }}/{{ loop.length }} "
        "{{ label }}={{ text|truncate(9) }};"
        "{% else %}none{% endfor %} {{ (balance_cents - price_cents)|money(currency) }} "
        "{{ 'a' if 'x' in niche_name else 'b' ~ 'c' }} {{ contact_email|default('?', true)|urlencode }} {# hidden #}"
        "{% for pair in attributes %}{{ pair[0] }}{% endfor %}"
    )
    template = replace(OK, text=text)
    assert check_template(template) == []
    rendered = render(template, {**sample_values("lead_assigned"), "attributes": [("A", "one"), ("B", "two")]})
    assert rendered.text == ("SAMPLE CONTACT 1/2 A=one;2/2 B=two; 1,189.50 EUR bc contact%40example.com AB")
    assert "none 1,189.50 EUR" in render(template, sparse_sample_values("lead_assigned")).text


# What is rendered --------------------------------------------------------------------------------------------------


def test_a_subject_stays_one_line_with_any_values() -> None:
    values = {**sample_values("lead_assigned"), "niche_name": "a\r\nBcc: eve@example.net\x00\u2028b", "level_name": "x"}
    assert render(default_template("lead_assigned"), values).subject == "New lead: a Bcc: eve@example.net b, x"
    values["niche_name"] = "x" * 5_000
    assert len(render(default_template("lead_assigned"), values).subject) == MAX_SUBJECT_CHARACTERS


def test_styles_are_inlined_and_nothing_is_fetched(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.css"
    sheet.write_text("p { color: red }")
    html = (
        f'<html><head><link rel="stylesheet" href="file://{sheet}"><link rel="stylesheet" href="{sheet}">'
        '<link rel="stylesheet" href="http://127.0.0.1:1/x.css">'
        "<style>p { margin: 0 } @media (max-width: 9px) { p { margin: 1px } }</style></head>"
        "<body><p>x</p></body></html>"
    )
    rendered = render(replace(OK, html=html), sample_values("lead_assigned")).html
    assert '<p style="margin: 0;">' in rendered
    assert "@media" in rendered
    assert "red" not in rendered


def test_other_values_than_declared_are_a_bug() -> None:
    values = sample_values("lead_assigned")
    with pytest.raises(AssertionError, match="contact_name"):
        render(OK, {name: value for name, value in values.items() if name != "contact_name"})
    with pytest.raises(AssertionError, match="more"):
        render(OK, {**values, "more": 1})


def test_a_template_that_fails_on_a_value_repeats_nothing_of_it() -> None:
    values = {**sample_values("lead_assigned"), "contact_name": "Secret Person"}
    with pytest.raises(BadTemplate) as caught:
        render(replace(OK, text="\n{{ contact_name|money(currency) }}"), values)
    assert str(caught.value) == "text, line 2: TypeError"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_template_that_was_never_checked_does_not_run() -> None:
    with pytest.raises(BadTemplate, match=r'^html, line 1: unknown variable "oops"$'):
        render(replace(OK, html="{{ oops }}"), sample_values("lead_assigned"))


def test_what_becomes_too_large_is_stopped() -> None:
    values = {**sample_values("lead_assigned"), "contact_name": "x" * 10_000}
    with pytest.raises(BadTemplate, match=r"^text: becomes longer than 12,000,000 characters$"):
        render(replace(OK, text="{{ contact_name }}" * 1_300), values)
    styled = f"<style>p {{ font-family: {'x' * 100_000} }}</style>" + "<p>x</p>" * 200
    with pytest.raises(BadTemplate, match=r"^html: becomes longer than 12,000,000 characters with its styles inlined$"):
        render(replace(OK, html=styled), sample_values("lead_assigned"))
    assert check_template(replace(OK, html=styled)) != []


@pytest.mark.parametrize("opening", ["", "<!-->", "<svg><style>", "<!-- > -->"])
def test_elements_in_each_other_cannot_end_the_process(opening: str) -> None:
    nested = replace(OK, html=opening + "<div>" * 30_000)
    assert check_template(nested) == ["html: becomes more than 1,500 elements"]
    with pytest.raises(BadTemplate, match=r"^html: becomes more than 1,500 elements$"):
        render(nested, sample_values("lead_assigned"))
    assert check_template(replace(OK, html=opening + "<div>" * 1_400)) == []


def test_a_template_that_only_fails_on_a_long_lead_is_refused() -> None:
    html = "<p>x</p>{% for label, text in attributes %}" + "<i></i>" * 10 + "{% endfor %}"
    assert check_template(replace(OK, html=html)) == ["html: where lists are long, becomes more than 1,500 elements"]


def test_the_longest_lead_that_a_form_lets_through_can_be_told() -> None:
    attributes = [("&" * MAX_NAME_CHARS, "&" * MAX_TEXT_CHARS)] * MAX_FIELDS
    values = {**sample_values("lead_assigned"), "attributes": attributes}
    rendered = render(default_template("lead_assigned"), values)
    assert rendered.text.count("&") == (MAX_NAME_CHARS + MAX_TEXT_CHARS) * MAX_FIELDS
    assert rendered.html.count("&amp;") == (MAX_NAME_CHARS + MAX_TEXT_CHARS) * MAX_FIELDS


HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">\'"&{{ 7*7 }}{% set x = 1 %}'


@pytest.mark.parametrize("kind", KINDS)
def test_values_never_become_markup_or_code(kind: str) -> None:
    harmless = render(default_template(kind), _filled_with(kind, "x"))
    hostile = render(default_template(kind), _filled_with(kind, HOSTILE))

    assert _skeleton(hostile.html) == _skeleton(harmless.html)
    assert HOSTILE in hostile.text
    # Where there is nothing but a link, no text is shown that could be hostile.
    is_shown = any(variable.type == "text" for variable in variables_of(kind))
    assert (HOSTILE in Words(hostile.html).text) == is_shown
    assert "49" not in hostile.html


def _skeleton(html: str) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in Words(html).tags]


def _filled_with(kind: str, text: str) -> dict[str, object]:
    values = sample_values(kind)
    for variable in variables_of(kind):
        if variable.type in ("text", "address of a page"):
            values[variable.name] = text
        if variable.type == "list of pairs":
            values[variable.name] = [(text, text)]
        if variable.type == "list of texts":
            values[variable.name] = [text]
    return values


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=60)


@settings(max_examples=60)
@given(
    contact=st.tuples(st.none() | WORDS, st.none() | WORDS, st.none() | WORDS),
    attributes=st.lists(st.tuples(WORDS, WORDS), max_size=3),
    names=st.tuples(WORDS, WORDS, WORDS),
    cents=st.integers(-(10**12), 10**12),
)
def test_a_sent_message_holds_every_value(
    contact: tuple[str | None, str | None, str | None],
    attributes: list[tuple[str, str]],
    names: tuple[str, str, str],
    cents: int,
) -> None:
    values = sample_values("lead_assigned") | {
        "contact_name": contact[0],
        "contact_email": contact[1],
        "contact_phone": contact[2],
        "attributes": attributes,
        "provider_name": names[0],
        "niche_name": names[1],
        "level_name": names[2],
        "balance_cents": cents,
    }
    rendered = render(default_template("lead_assigned"), values)
    recipient = address_of("ann@example.com")
    assert recipient is not None
    email = Email("<m@example.com>", "ann@example.com", rendered.subject, rendered.html, rendered.text)
    content = mime_message(email, sender_of("Leads <leads@example.com>"), recipient, datetime(2026, 1, 1, tzinfo=UTC))
    message = cast(EmailMessage, message_from_bytes(content, policy=policy.default))
    plain, rich = message.iter_parts()
    text, html = _flat(plain.get_content()), _flat(Words(rich.get_content()).text)

    for value in (*contact, *names, *(each for pair in attributes for each in pair)):
        assert _flat(value or "") in text
        assert _flat(value or "") in html
    assert f"{abs(cents) % 100:02d}EUR" in text


def _flat(text: str) -> str:
    """The letters alone: where lines break and how spaces are kept is the format's business."""
    return "".join(text.split())
