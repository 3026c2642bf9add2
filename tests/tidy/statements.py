"""The statements that a module of store holds, as far as they can be put together without running it."""

import ast
import re
from collections.abc import Iterator, Mapping

_BEGINNING = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*\(?(?:select|insert|update|delete|with|merge|create|alter|drop|truncate|copy|lock|set|"
    r"grant|revoke|notify|listen|comment)\s",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\{(\w*)\}")


def statements_of(source: str) -> list[tuple[int, str]]:
    """Line and text of each string that begins as a statement does; of one that is joined from parts, the whole.

    What a name or an f-string stands for is filled in where a constant of the module says it; else an identifier is.
    """
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = dict(_constants(tree))
    found: list[tuple[int, str]] = []
    seen: set[int] = set()
    for node in ast.walk(tree):  # from the outside inwards
        if id(node) in seen or id(node) in prose or not isinstance(node, ast.expr):
            continue
        text = _text(node, constants)
        if text is not None:
            seen.update(id(part) for part in ast.walk(node))
            if not isinstance(node, ast.Name) and _BEGINNING.match(text):
                found.append((node.lineno, text))
    return found


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    known: dict[str, str] = {}
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                text = _text(value, known)
                if text is not None:
                    known[name] = text
            case _:
                pass
    yield from known.items()


def _text(node: ast.expr, constants: Mapping[str, str]) -> str | None:
    """The text that the expression is; None where it is none, or nothing of it is known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return constants.get(name)
        case ast.JoinedStr(values=parts):
            return "".join(_part(part, constants) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            sides = (_text(left, constants), _text(right, constants))
            return None if sides == (None, None) else "".join("" if side is None else side for side in sides)
        case ast.IfExp(body=body):
            return _text(body, constants)
        case ast.Call(func=ast.Attribute(attr="SQL"), args=[argument]):
            return _text(argument, constants)
        case ast.Call(func=ast.Name(id="SQL"), args=[argument]):
            return _text(argument, constants)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            text = _text(value, constants)
            return None if text is None else _FIELD.sub(lambda found: found[1] or "x", text)
        case _:
            return None


def _part(part: ast.expr, constants: Mapping[str, str]) -> str:
    if isinstance(part, ast.FormattedValue):
        text = _text(part.value, constants)
        return "x" if text is None else text
    return str(part.value) if isinstance(part, ast.Constant) else ""
