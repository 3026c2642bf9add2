"""Rule of the house: core decides from its arguments alone, in an order that never varies.

An import allow-list, a few names that reach clock, dice, environment or log without an import, and no
iteration over a set, whose order differs from one process to the next.
"""

import ast
from collections.abc import Iterator

# Modules without clock, dice, environment, log, file or network. A pure module may be added. Zones and holidays are
# data that the lock pins; `core/calendar/local_time` keeps zoneinfo from looking for the machine's.
ALLOWED_MODULES = frozenset(
    "__future__ abc array base64 bisect codecs collections contextlib copy csv dataclasses datetime decimal enum "
    "fractions functools hashlib heapq itertools json math numbers operator re string struct types typing unicodedata "
    "ahocorasick_rs uuid email_validator fairlead holidays numpy phonenumbers pydantic pydantic_core pyroaring rfc8785 "
    "tzdata zoneinfo".split()
)
# Builtins with an effect, or (hash, id) with a value that differs from one process to the next. A `__hash__` may call
# hash: what asks for it is a dictionary, which keeps the order of its insertions.
FORBIDDEN_CALLS = frozenset(
    "__import__ breakpoint compile eval exec globals hash id input locals open print vars".split()
)
FORBIDDEN_ATTRIBUTES = frozenset(
    "environ fromfile getenv getnode memmap now random today tofile urandom utcnow "
    "uuid1 uuid4 uuid6 uuid7 uuid8".split()
)
SETS = frozenset("set frozenset Set FrozenSet AbstractSet MutableSet".split())
SET_METHODS = frozenset("copy difference intersection symmetric_difference union".split())
# What turns the order of a set into the order of something else. sorted() is the remedy.
ORDER_KEEPERS = frozenset("dict enumerate filter iter list map next reduce reversed tuple zip".split())


def purity_violations(source: str) -> list[str]:
    """Each breach as "line N: what"; empty if the module is pure."""
    tree = ast.parse(source)
    sets = _names_of_sets(tree)
    found: list[tuple[int, str]] = []
    in_hash = {id(part) for node in ast.walk(tree) if _is_hash(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in in_hash and isinstance(node, ast.Call) and _is_called(node, "hash"):
            continue
        found += [(getattr(node, "lineno", 0), words) for words in _impurities(node)]
        found += [(part.lineno, "iterates a set") for part in _iterated(node) if _is_set(part, sets)]
    return [f"line {line}: {words}" for line, words in sorted(found)]


def _is_hash(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__hash__"


def _is_called(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name


def _impurities(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"imports {name.name}" for name in names if _root(name.name) not in ALLOWED_MODULES)
        case ast.ImportFrom(module=module, names=names):
            if _root(module or "") not in ALLOWED_MODULES:
                yield f"imports {module}"
            yield from (f"names {name.name}" for name in names if name.name in FORBIDDEN_ATTRIBUTES)
        case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
            yield f"calls {name}()"
        case ast.Call(func=ast.Attribute(attr="astimezone"), args=[]):
            yield "asks for the machine's time zone: astimezone()"
        case ast.Call(func=ast.Attribute(attr="fromtimestamp"), args=[_], keywords=[]):
            yield "asks for the machine's time zone: fromtimestamp()"
        case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
            yield f"names {name}"
        case _:
            pass


def _root(module: str) -> str:
    return module.partition(".")[0]


def _iterated(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) | ast.YieldFrom(value=iterated):
            yield iterated
        case ast.Starred(value=iterated):
            yield iterated
        case ast.Assign(targets=[ast.Tuple() | ast.List(), *_], value=iterated):
            yield iterated
        case ast.Call(func=ast.Name(id=name), args=args) if name in ORDER_KEEPERS:
            yield from args
        case ast.Call(func=ast.Attribute(attr="join" | "extend" | "fromkeys" | "reduce"), args=args):
            yield from args
        case ast.Call(func=ast.Attribute(value=popped, attr="pop"), args=[]):
            yield popped
        case _:
            pass


def _names_of_sets(tree: ast.Module) -> frozenset[str]:
    """Names and attributes that the module annotates as, or assigns from, a set."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as kind) if _is_set_type(kind):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=kind) if _is_set_type(
                kind
            ):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value) if _is_set(
                value, frozenset()
            ):
                names.add(name)
            case ast.FunctionDef(name=name, returns=ast.expr() as kind) if _is_set_type(kind):
                names.add(f"{name}()")
            case _:
                pass
    return frozenset(names)


def _is_set_type(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in SETS
        case ast.Name(id=name):
            return name in SETS
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_set_type(left) or _is_set_type(right)
        case _:
            return False


def _is_set(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if f"{name}()" in names:
            return True
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in SET_METHODS:
            return _is_set(value, names)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            return _is_set(left, names) or _is_set(right, names)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in names
        case _:
            return False
