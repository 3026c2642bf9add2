"""A template cannot reach into the program, and cannot keep it busy."""

import time

import pytest
from jinja2.exceptions import SecurityError

from fairlead.delivery import template_language
from fairlead.delivery.template_language import TemplateNames, compiled
from fairlead.delivery.template_variables import sample_values
from fairlead.delivery.templates import BadTemplate, Template, check_template, render

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ provider_name|attr('__class__') }}",
    "{{ provider_name['__cl' ~ 'ass__'] }}",
    "{{ assigned_at.__class__ }}",
    "{{ assigned_at.tzinfo }}",
    "{{ provider_name.format(lead_id) }}",
    "{{ '{0.__class__}'.format(provider_name) }}",
    "{{ '{0.__class__}'|format(provider_name) }}",
    "{{ '%s'|format(provider_name) }}",
    "{{ attributes|map('attr', '__class__')|list }}",
    "{{ attributes|map(attribute='__class__')|list }}",
    "{{ attributes.append(1) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ loop.__class__ }}",
    "{% for label, text in attributes %}{{ loop.__init__ }}{% endfor %}",
    "{% for label, text in attributes %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for label, text in attributes %}{{ loop.changed }}{% endfor %}",
    "{{ provider_name['upper'] }}",
    "{{ provider_name.upper }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__ }}",
    "{{ namespace() }}",
    "{{ range(10) }}",
    "{{ dict(a=1) }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ {}.__class__ }}",
    "{{ (1).__class__ }}",
    "{% include 'lead_assigned.html' %}",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'layout.html' %}",
    "{% block x %}{% endblock %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}",
    "{% set x = 1 %}",
    "{% set x %}y{% endset %}",
    "{% with x = 1 %}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% autoescape false %}{{ contact_name }}{% endautoescape %}",
    "{{ contact_name|safe }}",
    "{{ contact_name|escape|striptags|safe }}",
    "{{ contact_name|pprint }}",
    "{{ contact_name|xmlattr }}",
    "{{ provider_name[::-1] }}",
    "{% do attributes.append(1) %}",
]
COSTS = [
    "{{ 'x' * 1000000000 }}",
    "{{ 9 ** 999999999 }}",
    "{{ '%999999999d' % 1 }}",
    "{{ 1 / 0 }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x'|indent(1000000000) }}",
    "{{ provider_name|replace('', provider_name) }}",
    "{{ provider_name|join(provider_name) }}",
    "{{ attributes|batch(1000000000, 'x') }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in attributes %}{% for b in attributes %}{% endfor %}{% endfor %}",
    "{% for a in provider_name %}x{% endfor %}",
    "{% for a in 'xxxx' %}x{% endfor %}",
    "{% for a in [1, 2, 3] %}x{% endfor %}",
    "{% for a in attributes recursive %}{{ loop(attributes) }}{% endfor %}",
    "{% for a in attributes recursive %}x{% endfor %}",
    "{% set lead_id = lead_id ~ lead_id %}" * 30 + "{{ lead_id|length }}",
    "{% set x = 'ab' %}{% set x = x ~ x %}",
    "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "{{ " + "not " * 20_000 + "1 }}",
    "{{ " + "-" * 20_000 + "1 }}",
    "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "{{ " + "9" * 5_000 + " }}",
    "{{ lead_id" + "|upper" * 20_000 + " }}",
    "{{ 1" + " + 1" * 40_000 + " }}",
]

MOST_PROCESSOR_SECONDS = 20
"""Of this thread, however many others the machine is busy with. What is bounded takes a second; the rest, for ever."""


def _with(source: str, part: str) -> Template:
    parts = {"subject": "x", "html": "<p>x</p>", "text": "x", part: source}
    return Template("lead_assigned", parts["subject"], parts["html"], parts["text"])


@pytest.mark.parametrize("part", ["html", "text"])
@pytest.mark.parametrize("source", [*ESCAPES, *COSTS], ids=lambda source: source[:40])
def test_is_refused_when_it_is_saved_and_when_it_is_sent(source: str, part: str) -> None:
    template = _with(source, part)
    began = time.thread_time()
    problems = check_template(template)
    assert time.thread_time() - began < MOST_PROCESSOR_SECONDS
    assert problems
    assert all(problem.startswith(part) for problem in problems)
    with pytest.raises(BadTemplate, match=f"^{part}"):
        render(template, sample_values("lead_assigned"))


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'].__mro__ }}",
        "{{ provider_name.__init__.__globals__ }}",
        "{{ assigned_at.__class__.__subclasses__() }}",
        "{{ attributes.append(1) }}",
        "{{ '{0.__class__.__mro__}'.format(provider_name) }}",
    ],
)
def test_the_second_wall_stands_without_the_first(source: str) -> None:
    environment = template_language._PLAIN  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(SecurityError):
        environment.from_string(source).render(sample_values("lead_assigned"))


def test_there_are_no_names_but_the_declared() -> None:
    for environment in (template_language._HTML, template_language._PLAIN):  # pyright: ignore[reportPrivateUsage]
        assert environment.globals == {}
        assert not {"safe", "attr", "map", "format", "replace", "tojson"} & environment.filters.keys()


def test_a_loop_gives_its_names_to_its_body_only() -> None:
    names = TemplateNames(frozenset({"rows"}), frozenset({"rows"}))
    outside = compiled(
        "{% for row in rows %}{{ row }}{% else %}{{ row }}{% endfor %}{{ row }}{{ loop.index }}", names, is_html=False
    )
    assert isinstance(outside, tuple)
    assert [problem.text for problem in outside] == [
        'unknown variable "row"',
        'attribute "index" is not available in templates',
        'unknown variable "loop"',
    ]


def test_the_largest_template_is_checked_in_bounded_time() -> None:
    template = _with("{{ lead_id }}" * 15_000, "text")
    began = time.thread_time()
    assert check_template(template) == []
    assert time.thread_time() - began < MOST_PROCESSOR_SECONDS
