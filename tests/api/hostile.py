"""Bodies that are as large as an operation takes, and as costly as their size lets them be: for every operation."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from fairlead.api.bodies import body_model_of
from fairlead.api.openapi import api_routes
from fairlead.api.schemas.values import RequestModel


def body_models(app: FastAPI) -> dict[str, type[RequestModel]]:
    """The model of each body that the application takes, by method and path."""
    found: dict[str, type[RequestModel]] = {}
    for route in api_routes(app):
        assert isinstance(route.original_route, APIRoute)
        model = body_model_of(route.original_route)
        if model is not None:
            [method] = list(route.methods or ())
            found[f"{method} {route.path_format}"] = model
    return found


def hostile_bodies(model: type[RequestModel]) -> Iterator[bytes]:
    """Bodies of as many bytes as the model takes: deep, many members, long lists, long texts, huge numbers."""
    most = model.most_bytes
    yield _filled(b"[", b"[", b"", most)
    yield _filled(b"[", b"{},", b"{}]", most)
    members = (b'"%d":0,' % number for number in range(most))
    yield _joined(members, most)
    for name in _members(model):
        start = json.dumps({name: 0}).encode().removesuffix(b"0}")
        for value in (
            (b"[", b"0,", b"0]"),
            (b"[", b"[],", b"[]]"),
            (b"[", b'{"a":[]},', b"0]"),
            (b"[", b'"a",', b"0]"),
            (b"[", b"1" * 4_000 + b",", b"0]"),
            (b'"', b"a", b'"'),
            (b'"', b"\\u0000", b'"'),
            (b"[", b"[", b""),
        ):
            yield start + _filled(*value, most - len(start) - 1) + b"}"
        spread = (b'"k%d":[%s0],' % (number, b"0," * 2_600) for number in range(most))
        yield start + _joined(spread, most - len(start) - 1) + b"}"


def _members(model: type[RequestModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _filled(first: bytes, again: bytes, last: bytes, most: int) -> bytes:
    return first + again * ((most - len(first) - len(last)) // len(again)) + last


def _joined(members: Iterator[bytes], most: int) -> bytes:
    pieces: list[bytes] = []
    length = len(b'{"z":0}')
    for member in members:
        length += len(member)
        if length > most:
            break
        pieces.append(member)
    return b"{" + b"".join(pieces) + b'"z":0}'


def resolves(pointer: str, body: Any) -> bool:
    """Whether the JSON Pointer leads to something in the body, or to a member that an object there does not have."""
    steps = [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]]
    here = body
    for number, step in enumerate(steps):
        if isinstance(here, Mapping):
            if step not in here:
                return number == len(steps) - 1
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        else:
            return False
    return True
