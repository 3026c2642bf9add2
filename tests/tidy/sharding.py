"""What a statement may be, so that a marketplace's schema can lie on any node of a Citus cluster (ADR 18).

Read with PostgreSQL's own grammar (`pglast`), in which `%s` and `%(name)s` are `$1` and `:"name"` is an identifier.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.enums import AlterTableType, ConstrType
from pglast.parser import ParseError

APPEND_ONLY_GUARDS = frozenset({"keep_consent", "keep_rows", "refuse_change"})
"""The functions of the triggers that refuse: there are no other triggers."""

BUILT_IN_SCHEMAS = frozenset({"pg_catalog", "information_schema"})
NEEDS_A_SUPERUSER = (
    ast.AlterSystemStmt,
    ast.CreateEventTrigStmt,
    ast.CreateForeignServerStmt,
    ast.CreateFdwStmt,
    ast.CreatePLangStmt,
    ast.CreateTableSpaceStmt,
    ast.LoadStmt,
)
EXTENSIONS = (ast.CreateExtensionStmt, ast.AlterExtensionStmt, ast.AlterExtensionContentsStmt)
WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
IMMUTABLE = frozenset(
    {
        "abs",
        "array_agg",
        "array_length",
        "array_position",
        "cardinality",
        "ceil",
        "count",
        "decode",
        "encode",
        "floor",
        "jsonb_array_elements",
        "jsonb_array_elements_text",
        "jsonb_typeof",
        "least",
        "length",
        "lower",
        "make_interval",
        "max",
        "min",
        "num_nonnulls",
        "octet_length",
        "row_number",
        "string_to_array",
        "sum",
        "unnest",
        "upper",
    }
)
"""Functions that say the same always: the others, also those of the transaction's time, the coordinator carries out."""

VOLATILE = frozenset({"clock_timestamp", "gen_random_uuid", "nextval", "random", "setval", "timeofday"})
"""Functions that no update may call; `statement_timestamp()` is the time that it may ask for."""

TIMES = frozenset({"clock_timestamp", "make_interval", "now", "statement_timestamp"})

SERIAL = frozenset({"serial", "bigserial", "smallserial"})

_PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?[sbt]|%%|:\"\w+\"")


def objections(statement: str, *, has_parameters: bool = True) -> list[str]:
    """What keeps the statement from a sharded schema, one line each; empty when nothing does.

    Raises `ParseError` for what is no whole statement.
    """
    parsed = parse_sql(_as_server_reads_it(statement) if has_parameters else statement)
    found = [f"{len(parsed)} commands in one statement"] if len(parsed) != 1 else []
    for raw in parsed:
        for node in _nodes(raw):
            for kinds, rule in _RULES:
                if isinstance(node, kinds):
                    found += rule(node)
    return found


def _as_server_reads_it(statement: str) -> str:
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        text = match[0]
        if text == "%%":
            return "%"
        if text.startswith(":"):
            return text[1:]
        return f"${numbers.setdefault(match['name'] or str(match.start()), len(numbers) + 1)}"

    return _PLACEHOLDER.sub(number, statement)


def _names(strings: Any) -> list[str]:
    return [each.sval for each in strings or ()]


def _nodes(part: Any) -> Iterator[ast.Node]:
    """The node and all below it."""
    if isinstance(part, tuple):
        for each in part:
            yield from _nodes(each)
    elif isinstance(part, ast.Node):
        yield part
        for name in part:
            yield from _nodes(getattr(part, name))


def _reads_table(part: Any) -> bool:
    own = {each.ctename for each in _nodes(part) if isinstance(each, ast.CommonTableExpr)}
    return any(isinstance(each, ast.RangeVar) and each.relname not in own for each in _nodes(part))


def _moves_a_time(sum_: ast.A_Expr) -> bool:
    """Whether an interval, or the time, is on one side of it and a column on the other: what depends on the session's
    time zone is carried out by the coordinator, which has no row."""
    sides = [list(_nodes(sum_.lexpr)), list(_nodes(sum_.rexpr))]
    times = [
        any(isinstance(n, ast.TypeName) and _names(n.names)[-1] == "interval" for n in side)
        or bool(_called(tuple(side)) & TIMES)
        for side in sides
    ]
    columns = [any(isinstance(n, ast.ColumnRef) for n in side) for side in sides]
    return (times[0] and columns[1]) or (times[1] and columns[0])


def _called(part: Any) -> set[str]:
    """The functions that are called, and those that SQL calls by a word of its own."""
    words = {"current_user" for each in _nodes(part) if isinstance(each, ast.SQLValueFunction)}
    return words | {_names(each.funcname)[-1] for each in _nodes(part) if isinstance(each, ast.FuncCall)}


def _tables_of_body(body: str, language: str) -> Iterator[ast.RangeVar]:
    if language == "sql":
        for each in _nodes(parse_sql(body)):
            if isinstance(each, ast.RangeVar):
                yield each
        return
    function = f"create function f() returns trigger language plpgsql as $body$ {body} $body$"
    for text in re.findall(r'"query": ("(?:[^"\\]|\\.)*")', json.dumps(parse_plpgsql(function))):
        query = json.loads(text)
        for form in (query, f"select {query}"):
            try:
                parsed = parse_sql(form)
            except ParseError:
                continue
            yield from (each for each in _nodes(parsed) if isinstance(each, ast.RangeVar))
            break


def _of_superusers(node: ast.Node) -> Iterator[str]:
    yield f"{type(node).__name__} needs a superuser"


def _of_extensions(node: ast.Node) -> Iterator[str]:
    yield "extension"


def _of_tables(node: ast.RangeVar) -> Iterator[str]:
    """Tables are found by search_path."""
    if node.schemaname is not None and node.schemaname not in BUILT_IN_SCHEMAS:
        yield f"schema name: {node.schemaname}.{node.relname}"


def _of_calls(node: ast.FuncCall) -> Iterator[str]:
    """So are functions."""
    names = _names(node.funcname)
    if len(names) > 1 and names[0] not in BUILT_IN_SCHEMAS:
        yield f"schema name: {'.'.join(names)}()"


def _of_ctes(node: ast.CommonTableExpr) -> Iterator[str]:
    """A statement writes at its top, or not at all: what reaches the node is wrong otherwise."""
    if isinstance(node.ctequery, WRITES):
        yield f"writing CTE: {node.ctename}"


def _of_inserts(node: ast.InsertStmt) -> Iterator[str]:
    """What reads a table is carried out by the node, unless the coordinator has a function to call in it: then it is
    put together anew there, wrongly. `clock_timestamp()` and the like would give each row another value."""
    if any(isinstance(each, ast.SubLink) for each in _nodes(getattr(node.selectStmt, "valuesLists", None))):
        yield "insert ... values with a subquery"
    elif _reads_table(node.selectStmt) or _reads_table(node.withClause):
        for name in sorted((_called(node.selectStmt) | _called(node.withClause)) - IMMUTABLE):
            yield f"insert ... select from a table calls {name}()"
    for name in sorted(_called(node.onConflictClause) - IMMUTABLE):
        yield f"on conflict do update calls {name}()"


def _of_changes(node: ast.UpdateStmt | ast.DeleteStmt) -> Iterator[str]:
    """Each copy of a row would get another value, if there were several."""
    kind = "update" if isinstance(node, ast.UpdateStmt) else "delete"
    for name in sorted(_called(node) & VOLATILE):
        yield f"{kind} calls {name}()"
    for each in _nodes(node):
        if isinstance(each, ast.CaseExpr | ast.CoalesceExpr):
            for name in sorted(_called(each) - IMMUTABLE - VOLATILE):
                yield f"{kind} calls {name}() in a case or coalesce"
    for target in getattr(node, "targetList", ()):
        for each in _nodes(target.val):
            if isinstance(each, ast.A_Expr) and _names(each.name)[-1] in {"+", "-"} and _moves_a_time(each):
                yield f"{kind} adds to a time of the row: {target.name}"


def _of_policies(node: ast.CreatePolicyStmt) -> Iterator[str]:
    """A policy is copied to the nodes as text, put together anew by what knows no subquery."""
    for each in (*_nodes(node.qual), *_nodes(node.with_check)):
        if isinstance(each, ast.SubLink):
            yield f"policy with a subquery: {node.policy_name}"
        elif isinstance(each, ast.NullTest) and isinstance(each.arg, ast.FuncCall):
            yield f"policy that asks whether a function is null: {node.policy_name}"


def _of_triggers(node: ast.CreateTrigStmt) -> Iterator[str]:
    """A trigger runs on the node, where search_path is another."""
    name = _names(node.funcname)[-1]
    if name not in APPEND_ONLY_GUARDS:
        yield f"trigger that is no append-only guard: {name}"


def _of_functions(node: ast.CreateFunctionStmt) -> Iterator[str]:
    """A function, too, may run on the node, so that it must not look for a table there."""
    options: dict[str, Any] = {str(option.defname): option.arg for option in node.options or ()}
    language = options["language"].sval if "language" in options else "sql"
    if language not in {"sql", "plpgsql"}:
        yield f"function in {language} needs a superuser"
        return
    for body in options.get("as", ()):
        for table in sorted({str(each.relname) for each in _tables_of_body(body.sval, language)}):
            yield f"function that names a table: {_names(node.funcname)[-1]} ({table})"


SHARDED_ALTERATIONS = frozenset(
    getattr(AlterTableType, f"AT_{name}")
    for name in (
        "AddColumn DropColumn SetNotNull DropNotNull ColumnDefault AlterColumnType AddConstraint DropConstraint "
        "ValidateConstraint SetRelOptions ResetRelOptions EnableRowSecurity DisableRowSecurity ForceRowSecurity "
        "NoForceRowSecurity AttachPartition DetachPartition AddIdentity"
    ).split()
)
"""What a cluster of Citus 13 carries out on a sharded table; an identity has a complaint of its own."""


def _of_alterations(node: ast.AlterTableCmd) -> Iterator[str]:
    """An identity is of the table from the beginning, since adding one rewrites it."""
    if node.subtype not in SHARDED_ALTERATIONS:
        yield f"alteration that no cluster carries out: {AlterTableType(node.subtype).name}"
    below = list(_nodes(node.def_))
    kinds = {each.contype for each in below if isinstance(each, ast.Constraint)}
    types = {name for each in below if isinstance(each, ast.TypeName) for name in _names(each.names)}
    is_identity = node.subtype == AlterTableType.AT_AddIdentity or ConstrType.CONSTR_IDENTITY in kinds
    if is_identity or types & SERIAL:
        yield f"identity added to a table: {node.name or getattr(node.def_, 'colname', '')}"


def _of_copies(node: ast.CopyStmt) -> Iterator[str]:
    """Files of the server's machine are the superuser's."""
    if node.filename is not None:
        yield "copy from or to the server's machine needs a superuser"


_RULES: tuple[tuple[type | tuple[type, ...], Callable[[Any], Iterator[str]]], ...] = (
    (NEEDS_A_SUPERUSER, _of_superusers),
    (EXTENSIONS, _of_extensions),
    (ast.RangeVar, _of_tables),
    (ast.FuncCall, _of_calls),
    (ast.CommonTableExpr, _of_ctes),
    (ast.InsertStmt, _of_inserts),
    ((ast.UpdateStmt, ast.DeleteStmt), _of_changes),
    (ast.CreatePolicyStmt, _of_policies),
    (ast.CreateTrigStmt, _of_triggers),
    (ast.CreateFunctionStmt, _of_functions),
    (ast.AlterTableCmd, _of_alterations),
    (ast.CopyStmt, _of_copies),
)
