"""Every text that comes from outside is of a kind of the one room, or stands on a reviewed list with its reason."""

import inspect
import re
from collections.abc import Iterator
from re import _constants as op  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from re import _parser as parser  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from typing import Annotated, Any, get_args, get_origin

import pytest
from fastapi import APIRouter, Query
from fastapi.dependencies.models import Dependant
from fastapi.params import Param
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType

from fairlead.api.openapi import api_routes
from fairlead.api.schemas import values
from fairlead.core.entry import types as kinds
from fairlead.core.entry.contact import LEAD_DETAILS
from fairlead.flows.declaring import tables
from fairlead.flows.importing.lead_columns import EXTERNAL_ID
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import application
from tests.cli.text_parameters import text_parameters, texts_of
from tests.tidy import reviewed_texts as reviewed

ROOM = tuple(value for value in vars(kinds).values() if inspect.isclass(value) and value.__module__ == kinds.__name__)


# What is looked at ---------------------------------------------------------------------------------------------------


def texts(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """What stands beside each `str`, and each value of any type, in the annotation."""
    if annotation in (str, SecretStr, Any):
        yield metadata
    elif get_origin(annotation) is Annotated:
        inner, *beside = get_args(annotation)
        yield from texts(inner, (*beside, *metadata))
    elif isinstance(annotation, TypeAliasType):
        yield metadata
    elif inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return
    else:
        for argument in get_args(annotation):
            yield from texts(argument, metadata)


def flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        yield each
        if isinstance(each, FieldInfo):
            yield from each.metadata


def is_of_a_kind(metadata: tuple[Any, ...]) -> bool:
    beside = list(flat(metadata))
    if any(isinstance(each, ROOM) for each in beside):
        return True
    return any(is_of_ascii(str(each.pattern)) for each in beside if getattr(each, "pattern", None))


def is_of_ascii(pattern: str) -> bool:
    """Whether nothing but characters of ASCII that can be shown fits the whole of it: there is one way to write it."""
    return pattern.startswith("^") and pattern.endswith("$") and all(map(_is_ascii, parser.parse(pattern)))


def _is_ascii(part: Any) -> bool:
    what, value = part
    if what in (op.LITERAL, op.NOT_LITERAL):
        return what is op.LITERAL and 0x20 <= value < 0x7F
    if what is op.RANGE:
        return value[0] >= 0x20 and value[1] < 0x7F
    if what is op.IN:
        return all(map(_is_ascii, value))
    if what in (op.MAX_REPEAT, op.MIN_REPEAT):
        return all(map(_is_ascii, value[2]))
    if what is op.SUBPATTERN:
        return all(map(_is_ascii, value[3]))
    if what is op.BRANCH:
        return all(_is_ascii(each) for branch in value[1] for each in branch)
    return what is op.AT


def models() -> Iterator[type[BaseModel]]:
    assert application
    found = [values.RequestModel]
    for each in found:
        found += [sub for sub in each.__subclasses__() if sub not in found]
    yield from (each for each in found if each.__module__.startswith("fairlead."))
    yield from (
        each
        for each in vars(tables).values()
        if inspect.isclass(each) and issubclass(each, BaseModel) and each.__module__ == tables.__name__
    )


def loose_fields_of(model: type[BaseModel]) -> set[str]:
    """Of those that the model declares itself."""
    return {
        f"{model.__name__}.{name}"
        for name, field in model.model_fields.items()
        if name in vars(model).get("__annotations__", {})
        for metadata in texts(field.annotation, tuple(field.metadata))
        if not is_of_a_kind(metadata)
    }


def loose_parameters_of(dependant: Dependant) -> set[str]:
    found: set[str] = set()
    for each in (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.cookie_params):
        info = each.field_info
        if not all(map(is_of_a_kind, texts(info.annotation, tuple(info.metadata)))):
            assert isinstance(info, Param)
            found.add(f"{info.in_.value} {each.alias}")
    return found.union(*map(loose_parameters_of, dependant.dependencies))


# Where texts come in -------------------------------------------------------------------------------------------------


def test_bodies_and_the_marketplace_file() -> None:
    assert set().union(*map(loose_fields_of, models())) == set(reviewed.FIELDS)


def test_paths_queries_and_headers() -> None:
    app = application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead"))
    routes = list(api_routes(app))
    assert len(routes) > 100
    assert set().union(*(loose_parameters_of(route.dependant) for route in routes)) == set(reviewed.PARAMETERS)


def test_the_command_line() -> None:
    assert set(text_parameters()) == set(reviewed.WORDS)


def test_the_environment() -> None:
    assert {name.partition(".")[2] for name in loose_fields_of(Settings)} == set(reviewed.SETTINGS)


def test_columns_of_files() -> None:
    assert {*LEAD_DETAILS, EXTERNAL_ID} == set(reviewed.COLUMNS)


# Whether it would be seen --------------------------------------------------------------------------------------------


class Loose(values.RequestModel):
    """As a careless engineer would write it."""

    words: str | None = None
    many: tuple[str, ...] = ()
    anything: Any = None


def test_a_text_of_no_kind_is_found() -> None:
    assert loose_fields_of(Loose) == {"Loose.words", "Loose.many", "Loose.anything"}
    router = APIRouter()

    @router.get("/{path}")
    def careless(path: str, query: Annotated[list[str] | None, Query(pattern="^[^x]*$")] = None) -> None:  # pyright: ignore[reportUnusedFunction]
        """Nothing."""

    [route] = router.routes
    assert loose_parameters_of(route.dependant) == {"path path", "query query"}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]

    def verb(number: int, word: str | None, words: list[str]) -> None:
        """Nothing."""

    assert texts_of(verb) == ["word", "words"]


@pytest.mark.parametrize("name", ["Name", "Email", "LedgerMemo", "Memo", "Sought"])
def test_kinds_of_the_room_are_recognised(name: str) -> None:
    assert all(map(is_of_a_kind, texts(getattr(kinds, name))))


@pytest.mark.parametrize(
    ("pattern", "is_closed"),
    [
        ("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", True),
        ('^(\\*|(W/)?"[!#-~]{1,128}")$', True),
        ("^(a|b)c?$", True),
        ("[a-z]", False),
        ("^[^x]$", False),
        ("^.$", False),
        (r"^\w$", False),
        ("^\u00e9$", False),
        ("^[a-\u00ff]$", False),
        ("^(a|.)$", False),
        (r"^\n$", False),
    ],
)
def test_what_is_of_ascii(pattern: str, *, is_closed: bool) -> None:
    assert re.compile(pattern)
    assert is_of_ascii(pattern) == is_closed
