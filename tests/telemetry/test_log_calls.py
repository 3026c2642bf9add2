"""Every line of code that logs: a fixed event, and fields that are listed."""

import ast
from pathlib import Path

import pytest

from fairlead.telemetry.logs import LOG_FIELDS

SOURCES = Path(__file__).parents[2] / "src" / "fairlead"


def test_every_log_call_has_a_fixed_event_and_listed_fields() -> None:
    """What is not listed would be dropped without a word; what is put together beforehand might hold anything."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES.rglob("*.py")}
    calls = [
        (path, node)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _is_log_call(node)
    ]
    assert calls
    for path, node in calls:
        place = f"{path.name}:{node.lineno}"
        assert _is_fixed(node.args[0], trees[path]), f"{place}: the event is not a fixed text"
        fields = {keyword.arg for keyword in node.keywords if keyword.arg}
        assert fields <= LOG_FIELDS | {"exc_info"}, f"{place}: {fields - LOG_FIELDS} would be dropped"


@pytest.mark.parametrize(
    ("source", "is_fixed"),
    [
        ("log.info('a')", True),
        ("log.info('a' if x else 'b')", True),
        ("event = 'a' if x else 'b'\nlog.info(event)", True),
        ("log.info(f'a {x}')", False),
        ("log.info('a' + x)", False),
        ("event = f'a {x}'\nlog.info(event)", False),
        ("def f(event): log.info(event)", False),
    ],
)
def test_an_event_that_is_put_together_is_found(source: str, is_fixed: bool) -> None:
    tree = ast.parse(source)
    [call] = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert _is_log_call(call)
    assert _is_fixed(call.args[0], tree) is is_fixed


def _is_fixed(event: ast.expr, module: ast.Module) -> bool:
    match event:
        case ast.Constant():
            return True
        case ast.IfExp(body=body, orelse=otherwise):
            return _is_fixed(body, module) and _is_fixed(otherwise, module)
        case ast.Name(id=name):
            given = [
                node.value
                for node in ast.walk(module)
                if isinstance(node, ast.Assign)
                and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
            ]
            return bool(given) and all(_is_fixed(value, module) for value in given)
        case _:
            return False


def _is_log_call(node: ast.Call) -> bool:
    match node.func:
        case ast.Attribute(value=ast.Name(id="log" | "_log" | "logger"), attr=attribute):
            return attribute in {"debug", "info", "warning", "error", "exception", "critical"}
        case ast.Attribute(value=ast.Call(func=ast.Name(id="get_logger")), attr=_):
            return True
        case _:
            return False
