"""The small part of Jinja that message templates are written in, and the machine that runs it.

Operators edit templates, and a worker renders them: a template must neither reach into the program nor keep it busy.
Two walls stand behind each other. The first is the list of what may be written at all, checked before anything runs:
values, conditions, one loop over a declared list, a handful of filters. There is no call, no assignment, no
multiplication and no loop in a loop, so the work is bounded by the template's length times the longest list. The
second is Jinja's own immutable sandbox, with no global name in it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from jinja2 import Environment, StrictUndefined, TemplateRuntimeError, TemplateSyntaxError, nodes
from jinja2 import Template as CompiledTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fairlead.core.money.currency import money
from fairlead.delivery.template_filters import indented, local_time

OUR_FILTERS = {"money": money, "local_time": local_time, "indented": indented}
# None of them can make much out of little, as replace, join, center and format can; safe would undo the escaping.
JINJA_FILTERS = tuple("capitalize default e escape first last length lower title trim truncate upper urlencode".split())
TESTS = tuple("none defined odd even".split())
# What the operators of a comparison are called where they are compiled.
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "in")
LOOP_ATTRIBUTES = ("first", "last", "index", "index0", "length")

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.Tuple,
    nodes.List,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Add,
    nodes.Sub,
    nodes.Concat,
    nodes.Getattr,
    nodes.Getitem,
)
_WORDS: Mapping[type[nodes.Node], str] = {
    nodes.Call: "a call",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
    nodes.Pow: "**",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.ScopedEvalContextModifier: "autoescape",
    nodes.FilterBlock: "a filter block",
    nodes.CallBlock: "call",
    nodes.FromImport: "import",
}


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with a template, and in which line, where that is known."""

    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class TemplateNames:
    """What a template may name: all variables, and those of them that are lists and may be looped over."""

    variables: frozenset[str]
    lists: frozenset[str]


@lru_cache(maxsize=64)
def compiled(source: str, names: TemplateNames, *, is_html: bool) -> CompiledTemplate | tuple[TemplateProblem, ...]:
    """The template ready to run, or what is wrong with it, in the order of its lines; never both."""
    environment = _HTML if is_html else _PLAIN
    try:
        tree = environment.parse(source)
        problems = tuple(dict.fromkeys(sorted(_problems(tree, names), key=lambda problem: problem.line or 0)))
        return problems or environment.from_string(tree)
    except TemplateSyntaxError as error:
        return (TemplateProblem(error.lineno, error.message or "cannot be read"),)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        # From Python's compiler, which the template ends in: nested too deeply, or a number with too many digits.
        return (TemplateProblem(None, "is nested too deeply, or holds a number that is too long"),)


def _problems(tree: nodes.Template, names: TemplateNames) -> Iterator[TemplateProblem]:
    for child in tree.iter_child_nodes():
        yield from _problems_below(child, names, frozenset())


def _problems_below(node: nodes.Node, names: TemplateNames, loop_names: frozenset[str]) -> Iterator[TemplateProblem]:
    """What is wrong with the node and what is below it. `loop_names` are those that a loop around it has given."""
    complaint = _complaint(node, names, loop_names)
    if complaint is not None:
        yield TemplateProblem(node.lineno, complaint)
    if isinstance(node, nodes.For):
        yield from _problems_below(node.iter, names, loop_names)
        inside = loop_names | {"loop"} | {name.name for name in node.target.find_all(nodes.Name)}
        if isinstance(node.target, nodes.Name):
            inside |= {node.target.name}
        for child in (*node.body, *([node.test] if node.test is not None else [])):
            yield from _problems_below(child, names, inside)
        for child in node.else_:
            yield from _problems_below(child, names, loop_names)
        return
    if isinstance(node, _ALLOWED):
        for child in node.iter_child_nodes():
            yield from _problems_below(child, names, loop_names)


def _complaint(node: nodes.Node, names: TemplateNames, loop_names: frozenset[str]) -> str | None:
    if not isinstance(node, _ALLOWED):
        return f"{_WORDS.get(type(node), type(node).__name__.lower())} is not available in templates"
    if isinstance(node, nodes.Name) and node.name not in names.variables | loop_names:
        return f'unknown variable "{node.name}"'
    if isinstance(node, nodes.Filter) and node.name not in OUR_FILTERS and node.name not in JINJA_FILTERS:
        return f'unknown filter "{node.name}"'
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f'unknown test "{node.name}"'
    if isinstance(node, nodes.Getattr) and not _is_of_loop(node, loop_names):
        return f'attribute "{node.attr}" is not available in templates'
    if isinstance(node, nodes.Getitem) and not (isinstance(node.arg, nodes.Const) and type(node.arg.value) is int):
        return "only a number may stand in [ ]"
    if isinstance(node, nodes.For):
        return _complaint_of_loop(node, names, loop_names)
    return None


def _is_of_loop(node: nodes.Getattr, loop_names: frozenset[str]) -> bool:
    return (
        isinstance(node.node, nodes.Name)
        and node.node.name == "loop"
        and "loop" in loop_names
        and node.attr in LOOP_ATTRIBUTES
    )


def _complaint_of_loop(node: nodes.For, names: TemplateNames, loop_names: frozenset[str]) -> str | None:
    if loop_names:
        return "a loop in a loop is not available in templates"
    if node.recursive:
        return "a recursive loop is not available in templates"
    if not (isinstance(node.iter, nodes.Name) and node.iter.name in names.lists):
        among = ", ".join(sorted(names.lists)) or "none in this kind of message"
        return f"only a list may be looped over: {among}"
    return None


def _printed(value: object) -> object:
    """Nothing for none; a list is no text. Undefined passes: it complains by itself."""
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        raise TemplateRuntimeError("a list cannot be printed as it is, loop over it")
    return value


def _environment(*, is_html: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=is_html,
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals = {}
    environment.filters = {**_chosen(environment, "filters", JINJA_FILTERS), **OUR_FILTERS}
    environment.tests = _chosen(environment, "tests", (*TESTS, *_COMPARISONS))
    return environment


def _chosen(environment: Environment, table: str, names: tuple[str, ...]) -> dict[str, Callable[..., object]]:
    everything = cast(Mapping[str, Callable[..., object]], vars(environment)[table])
    return {name: everything[name] for name in names}


_HTML = _environment(is_html=True)
_PLAIN = _environment(is_html=False)
