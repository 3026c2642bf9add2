"""Bodies of requests: bounded, checked beside the event loop, and told what is wrong once, at its place, in words."""

import json
import re
import threading
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from fairlead.api import access, bodies
from fairlead.api.application import web_application
from fairlead.api.bodies import BodyRefused, read_body
from fairlead.api.routes.intake import PublicLead
from fairlead.api.routes.session import Login
from fairlead.api.schemas.documents import FilterDocument, FormDocument
from fairlead.api.schemas.form_values import MOST_ITEMS_TOGETHER
from fairlead.api.schemas.values import RequestModel, message_of_pattern
from fairlead.api.violations import Violation
from fairlead.core.form import MAX_FIELDS
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import anonymous, application
from tests.api.document import written_document
from tests.api.hostile import body_models, hostile_bodies, resolves

JSON = {"Content-Type": "application/json"}
FEW = 40
"""More members than any model has, with those that are unknown."""


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application; nothing here asks its database anything."""
    return application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead"))


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts before it is read is tried in test_limits: here is no database to count in."""
    monkeypatch.setattr(access, "count_from_network", lambda *_: None)


def public_lead(**changed: Any) -> dict[str, Any]:
    """A lead from a form, with what is changed."""
    return {"niche": "solar", "attributes": {}, "consent": {"text": "call me"}} | changed


def found_in(body: Any, model: type[RequestModel] = PublicLead) -> list[tuple[str, str]]:
    """Pointer and code of what is wrong with the body."""
    found = read_body(json.dumps(body).encode(), model)
    return [(each.pointer, each.code) for each in found] if isinstance(found, list) else []


def test_hostile_bodies_build_few_errors(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    real = bodies.violations_of_body

    def counted(errors: Any, body: Any) -> list[Violation]:
        built.append(len(errors))
        found = real(errors, body)
        assert all(resolves(each.pointer, body) for each in found)
        return found

    monkeypatch.setattr(bodies, "violations_of_body", counted)
    for operation, model in body_models(app).items():
        # Their bounds are alike: large ones would only take longer.
        monkeypatch.setattr(model, "most_bytes", 16_384)
        for body in hostile_bodies(model):
            assert len(body) <= 16_384
            with suppress(BodyRefused):
                read_body(body, model)
        assert max(built) <= FEW, operation


def test_the_count_would_tell() -> None:
    class Trusting(RequestModel):
        """As a list of ours would be, if nothing stopped at its first error."""

        numbers: list[bool]

    with pytest.raises(ValidationError) as refused:
        Trusting.model_validate({"numbers": ["neither"] * 5_000})
    assert refused.value.error_count() == 1
    with pytest.raises(TypeError, match="max_length"):
        type("Unbounded", (RequestModel,), {"__annotations__": {"names": dict[str, int]}})


def test_no_body_has_a_choice_of_types_that_tells_one_mistake_several_times(app: FastAPI) -> None:
    def kinds(schema: Any) -> set[str]:
        if isinstance(schema, dict):
            parts = (part for name, part in schema.items() if name not in ("metadata", "serialization"))
            return {str(schema.get("type"))}.union(*map(kinds, parts))
        return set().union(*map(kinds, schema)) if isinstance(schema, list | tuple) else set()

    for operation, model in body_models(app).items():
        assert "union" not in kinds(model.__pydantic_core_schema__), operation


@pytest.mark.parametrize("size", [10, 60_000])
def test_what_is_not_short_is_read_beside_the_loop_and_one_at_a_time(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    threads: list[str] = []
    real = bodies.read_body

    def seen(body: bytes, model: type[RequestModel]) -> Any:
        threads.append(threading.current_thread().name)
        return real(body, model)

    monkeypatch.setattr(bodies, "read_body", seen)
    answer = anonymous(app).post("/api/v1/session", content=b'{"a": "' + b"a" * size + b'"}', headers=JSON)
    assert answer.status_code == 422
    assert [name.startswith("AnyIO worker") for name in threads] == [size > bodies.SHORT_BODY_BYTES]
    assert app.state.body_turns.total_tokens == 1


def test_every_operation_says_how_large_a_body_it_takes_and_takes_no_larger(app: FastAPI) -> None:
    document = written_document()
    for operation, model in body_models(app).items():
        method, path = operation.split(" ")
        said = document["paths"][path][method.lower()]["requestBody"]["description"]
        assert said == f"At most {model.most_bytes:,} bytes."
        address = re.sub(r"\{[^}]*\}", "01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f", path)
        answer = anonymous(app).request(method, address, content=b" " * (model.most_bytes + 1), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), operation
    assert PublicLead.most_bytes == 262_144
    assert Login.most_bytes == 65_536


@pytest.mark.parametrize("again", [b"[],", b"{},", b'{"a":[]},', b"[[0]],"])
def test_many_small_parts_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch, again: bytes) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(BodyRefused) as refused:
        read_body(b"[" + again * (bodies.MOST_BRACKETS) + b"0]", FormDocument)
    assert refused.value.code == "body_malformed"


def test_a_body_without_a_length_is_bounded_too(app: FastAPI) -> None:
    def pieces() -> Any:
        for _ in range(100):
            yield b" " * 1_000

    assert anonymous(app).post("/api/v1/session", content=pieces(), headers=JSON).status_code == 413


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "?"])
def test_a_body_that_is_not_said_to_be_json_is_415_and_says_so(app: FastAPI, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = anonymous(app).post("/api/v1/public/leads", content=json.dumps(public_lead()).encode(), headers=headers)
    found = answer.json()
    assert (answer.status_code, found["code"]) == (415, "content_type_unsupported")
    assert "Content-Type" in found["detail"]
    assert "application/json" in found["detail"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"attributes": {"note": "x" * 10_001}}, [("/attributes/note", "text_too_long")]),
        ({"attributes": {"note": 2**53}}, [("/attributes/note", "number_out_of_range")]),
        ({"attributes": {"note": 1e300}}, [("/attributes/note", "number_out_of_range")]),
        ({"attributes": {"note": {"a": 1}}}, [("/attributes/note", "not_a_value")]),
        ({"attributes": {"note": ["a", 5, 6]}}, [("/attributes/note/1", "not_text")]),
        ({"attributes": {"note": "\0"}}, [("/attributes/note", "unstorable_text")]),
        ({"attributes": {"a b": 1}}, [("/attributes/a b", "key_malformed")]),
        ({"attributes": []}, [("/attributes", "dict_type")]),
        ({"attributes": None}, [("/attributes", "dict_type")]),
        (
            {"attributes": {"a": ["x"] * (MOST_ITEMS_TOGETHER // 2), "b": ["x"] * (MOST_ITEMS_TOGETHER // 2 + 1)}},
            [("/attributes", "too_long")],
        ),
        ({"attributes": {f"k{each}": 1 for each in range(MAX_FIELDS + 1)}}, [("/attributes", "too_long")]),
        ({"consent": {}}, [("/consent/text", "missing")]),
        ({"consent": 5}, [("/consent", "model_type")]),
        ({"consent": {"text": "x", "consented_at": "now"}}, [("/consent/consented_at", "datetime_format")]),
        ({"surprise": 1}, [("/surprise", "extra_forbidden")]),
    ],
)
def test_one_mistake_is_one_entry_at_its_place(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found_in(public_lead(**changed)) == expected


def test_mistakes_in_documents_are_told_so_too() -> None:
    rule = {"field_key": "cores", "operator": "gte"}
    for value in ({"a": 1}, None, "x" * 10_001, [[]]):
        [(pointer, _)] = found_in(
            {"version": 1, "rules": [{**rule, "value": 4}, {**rule, "value": value}]}, FilterDocument
        )
        assert pointer.startswith("/rules/1/value")
    field = {"key": "a", "label": "A", "type": "select", "options": ["x", 5]}
    assert found_in({"version": 1, "fields": [field]}, FormDocument) == [("/fields/0/options/1", "string_type")]
    assert found_in([], FormDocument) == [("", "model_type")]


def test_what_fits_is_what_was_sent() -> None:
    answers = {"a": 1, "b": 1.5, "c": True, "d": "text", "e": ["x", "y"], "f": None}
    made = read_body(json.dumps(public_lead(attributes=answers)).encode(), PublicLead)
    assert isinstance(made, PublicLead)
    assert made.attributes == answers
    assert made.model_dump(mode="json")["attributes"] == answers


def test_every_pattern_of_a_request_has_words_and_none_is_a_reason(app: FastAPI) -> None:
    patterns: set[str] = set()

    def look(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("pattern"), str):
                patterns.add(part["pattern"])
            for name, each in part.items():
                if name != "responses":
                    look(each)
        elif isinstance(part, list):
            for each in part:
                look(each)

    look(written_document())
    without_words = [each for each in patterns if message_of_pattern(each).startswith("Input does not have")]
    assert without_words == []
    assert len(patterns) > 10


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v1/problems/Nothing", "a-z"),
        ("/api/v1/problems/" + "a" * 100, "a-z"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_in_words(app: FastAPI, path: str, words: str) -> None:
    [error] = anonymous(app).get(path).json()["errors"]
    assert words in error["detail"]
    assert "^" not in error["detail"]


def test_an_address_that_does_not_fit_is_told_in_words_and_by_its_name(app: FastAPI) -> None:
    body = public_lead(niche="No Slug", consent={"text": " ", "source_url": "javascript:1"})
    errors = anonymous(app).post("/api/v1/public/leads", json=body).json()["errors"]
    assert [each["pointer"] for each in errors] == ["/niche", "/consent/text", "/consent/source_url"]
    assert not [each for each in errors if re.search(r"\^|\\|pattern", each["detail"])]


def test_unfit_bodies_do_not_tell_who_may_not_ask(app: FastAPI) -> None:
    """As before anything was read in a thread: the right comes first."""
    database = Database("postgresql://app@127.0.0.1:1/nothing", "fairlead")
    client = anonymous(web_application(database, Settings()))
    assert client.post("/api/v1/admin/niches", json={"no": 1}, headers={"Sec-Fetch-Site": "none"}).status_code == 401


@pytest.mark.parametrize("more", [{"limit": 5}, {"limit": 7, "page": 1}])
def test_a_parameter_or_header_that_comes_twice_is_refused(app: FastAPI, more: dict[str, int]) -> None:
    name = next(iter(more))
    client = anonymous(app)
    [error] = client.get("/api/v1/problems", params=[(name, 1), (name, 2)]).json()["errors"][:1]
    assert (error["location"], error["pointer"]) == ("query", f"/{name}")
    asked = client.post("/api/v1/leads", json={}, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert asked.json()["errors"][0]["code"] == "header_repeated"
    listed = client.get("/api/v1/admin/leads", params=[("status", "approved"), ("status", "rejected")])
    assert [(each["pointer"], each["code"]) for each in listed.json()["errors"]] == [("/status", "parameter_repeated")]
    many = client.get("/api/v1/problems?" + "&".join(["a=1"] * 10_000))
    assert len(many.json()["errors"]) == 1
