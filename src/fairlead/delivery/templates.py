"""Messages from templates: the ones that come with Fairlead, and what operators make of them."""

import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import css_inline
from jinja2 import UndefinedError

from fairlead.core.entry.types import MailLanguage
from fairlead.delivery.plain_text import one_line
from fairlead.delivery.template_language import TemplateNames, TemplateProblem, compiled
from fairlead.delivery.template_variables import (
    ALERT_KIND,
    KINDS,
    LIST_TYPES,
    PROVIDER_KINDS,
    Values,
    crowded_sample_values,
    sample_values,
    sparse_sample_values,
    variables_of,
)

MAX_SUBJECT_CHARACTERS = 1_000
MAX_BODY_BYTES = 200_000
# Enough for the longest lead that a form lets through, all of it escaped.
MAX_RENDERED_CHARACTERS = 12_000_000
# The inliner follows elements into each other on the stack: some ten thousand of them would end the process. Counted
# is everything that a parser could take for an element, so that no trick of syntax hides one.
MAX_ELEMENTS = 1_500

Part = Literal["subject", "html", "text"]
_PARTS: tuple[Part, ...] = ("subject", "html", "text")
_ELEMENT = re.compile(r"<[a-z]", re.IGNORECASE)
# Marks of direction stay: a template in Arabic or Hebrew needs them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SCRIPT = re.compile(r"<\s*script\b", re.IGNORECASE)
# Nothing is fetched while a message is rendered, neither from the network nor from this machine's files.
_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


class BadTemplate(ValueError):
    """A template cannot be rendered; the message, one line, says which part and why, and repeats no value."""


@dataclass(frozen=True, slots=True)
class Template:
    """The three parts of a message, in the language of `template_language`; `language` is that of its readers."""

    kind: str
    subject: str
    html: str
    text: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message that can be sent: a subject of one line, HTML with its styles inlined, and the same as text."""

    subject: str
    html: str
    text: str


LANGUAGES: tuple[str, ...] = get_args(MailLanguage)
"""The languages that messages come in. Those to the operators as a whole, who may speak any, are in the first."""


def languages_of(kind: str) -> tuple[str, ...]:
    """The languages that messages of this kind are written in."""
    return LANGUAGES[:1] if kind == ALERT_KIND else LANGUAGES


@cache
def default_template(kind: str, language: str | None = None) -> Template:
    """The template that comes with Fairlead, whole: nothing in it refers to another file.

    In this language, where there is one for messages of the kind.
    """
    is_of_provider = kind in PROVIDER_KINDS
    spoken = language if language is not None and language in languages_of(kind) else LANGUAGES[0]
    own = "" if spoken == LANGUAGES[0] else f"{spoken}/"
    name = f"{own}{kind}"
    subject = _file(f"{name}.subject.txt").strip()
    html = _file("layout.html").replace('<html lang="en">', f'<html lang="{spoken}">')
    footer = _file(f"{own}footer.html") if is_of_provider else ""
    for place, content in (("title", subject), ("content", _file(f"{name}.html")), ("footer", footer)):
        html = html.replace(f"<!-- {place} -->\n" if place != "title" else "<!-- title -->", content)
    text = _file(f"{name}.txt") + (_file(f"{own}footer.txt") if is_of_provider else "")
    return Template(kind, subject, html, text, spoken)


def check_template(template: Template) -> list[str]:
    """What is wrong with the template, one line each; empty when it can be sent.

    It is read, held against what its kind of message declares, and rendered: with everything given, without anything
    that may be missing, and with lists as long as they get.
    """
    if template.kind not in KINDS:
        return [f"kind: must be one of {', '.join(KINDS)}"]
    problems = [*_problems_of_size(template), *_problems_of_language(template)]
    if not problems:
        problems = [*_problems_of_rendering(template)]
    return problems


def render(template: Template, values: Values) -> Rendered:
    """The message, with these values in it. Values are escaped in HTML and cannot add a line to the subject.

    `values` are those that `variables_of` declares, no more and no less. Raises BadTemplate for a template that
    `check_template` would refuse, for one that fails on these values, and for a part that becomes too large.

    Bounded is the work of the template, by its length times the longest list, and the size of what comes out. Not
    bounded below that is what inlining costs, style rules times elements: a template made to do so takes a second or
    two and a few hundred megabytes.
    """
    declared = {variable.name for variable in variables_of(template.kind)}
    assert values.keys() == declared, f"{template.kind}: other values than declared: {values.keys() ^ declared}"
    parts: dict[Part, str] = {}
    for part in _PARTS:
        try:
            parts[part] = _rendered(template, part, values)
        except BadTemplate:
            raise
        except Exception as error:  # whatever a template does wrong with a value; the text of the error may repeat it
            raise BadTemplate(f"{part}{_line_of(error)}: {type(error).__name__}") from None
    return Rendered(parts["subject"], parts["html"], parts["text"])


def _rendered(template: Template, part: Part, values: Values) -> str:
    ready = compiled(_source(template, part), _names(template.kind), is_html=part == "html")
    if isinstance(ready, tuple):
        raise BadTemplate(_line(part, ready[0]))
    pieces: list[str] = []
    characters = 0
    for piece in ready.generate(values):
        characters += len(piece)
        if characters > MAX_RENDERED_CHARACTERS:
            raise BadTemplate(f"{part}: becomes longer than {MAX_RENDERED_CHARACTERS:,} characters")
        pieces.append(piece)
    text = "".join(pieces)
    if part == "subject":
        return one_line(text)[:MAX_SUBJECT_CHARACTERS]
    return _inlined(text) if part == "html" else text


def _inlined(html: str) -> str:
    if len(_ELEMENT.findall(html)) > MAX_ELEMENTS:
        raise BadTemplate(f"html: becomes more than {MAX_ELEMENTS:,} elements")
    inlined = _inliner.inline(html)
    if len(inlined) > MAX_RENDERED_CHARACTERS:
        raise BadTemplate(f"html: becomes longer than {MAX_RENDERED_CHARACTERS:,} characters with its styles inlined")
    return inlined


def _problems_of_size(template: Template) -> Iterator[str]:
    if len(template.subject) > MAX_SUBJECT_CHARACTERS:
        yield f"subject: is longer than {MAX_SUBJECT_CHARACTERS:,} characters"
    if len(template.subject.splitlines()) > 1:
        yield "subject: must be one line"
    for part in _PARTS:
        source = _source(template, part)
        if not source.strip():
            yield f"{part}: is empty"
        if (control := _CONTROL.search(source)) is not None:
            line = source.count("\n", 0, control.start()) + 1
            yield f"{part}, line {line}: holds the control character U+{ord(control[0]):04X}"
        if part != "subject" and len(source.encode("utf-8", "replace")) > MAX_BODY_BYTES:
            yield f"{part}: is larger than {MAX_BODY_BYTES // 1_000} kB"
    if (script := _SCRIPT.search(template.html)) is not None:
        line = template.html.count("\n", 0, script.start()) + 1
        yield f"html, line {line}: a script does nothing in an email"


def _problems_of_language(template: Template) -> Iterator[str]:
    for part in _PARTS:
        source = _source(template, part)
        if len(source) > MAX_BODY_BYTES:
            continue
        ready = compiled(source, _names(template.kind), is_html=part == "html")
        if isinstance(ready, tuple):
            yield from (_line(part, problem) for problem in ready)


def _problems_of_rendering(template: Template) -> Iterator[str]:
    seen: set[str] = set()
    samples = (
        ("", sample_values(template.kind)),
        ("where nothing optional is given, ", sparse_sample_values(template.kind)),
        ("where lists are long, ", crowded_sample_values(template.kind)),
    )
    for circumstance, values in samples:
        for part in _PARTS:
            problem = _problem_of_rendering(template, part, values)
            if problem is not None and problem[1] not in seen:
                seen.add(problem[1])
                yield f"{part}{problem[0]}: {circumstance}{problem[1]}"


def _problem_of_rendering(template: Template, part: Part, values: Values) -> tuple[str, str] | None:
    """The line, as words, and what goes wrong in it with these samples."""
    try:
        text = _rendered(template, part, values)
    except BadTemplate as error:
        return "", str(error).partition(": ")[2]
    except UndefinedError as error:
        return _line_of(error), one_line(error.message or "something is missing")
    except Exception as error:  # whatever a template does wrong with a value is the template's problem
        return _line_of(error), one_line(str(error)) or type(error).__name__
    return None if text.strip() else ("", "is empty")


def _names(kind: str) -> TemplateNames:
    variables = variables_of(kind)
    return TemplateNames(
        frozenset(variable.name for variable in variables),
        frozenset(variable.name for variable in variables if variable.type in LIST_TYPES),
    )


def _source(template: Template, part: Part) -> str:
    return {"subject": template.subject, "html": template.html, "text": template.text}[part]


def _line(part: Part, problem: TemplateProblem) -> str:
    where = part if problem.line is None else f"{part}, line {problem.line}"
    return f"{where}: {one_line(problem.text)}"


def _line_of(error: BaseException) -> str:
    """Where in the template it happened, which Jinja writes into the traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return f", line {lines[-1]}" if lines else ""


def _file(name: str) -> str:
    return (files("fairlead.delivery") / "templates" / name).read_text(encoding="utf-8")
