"""The document is sent compressed and once: a client that has it is told that it did not change."""

import gzip
import json

import pytest
from fastapi import FastAPI

from fairlead.api.application import DOCUMENT_PATH
from fairlead.store.connection import Database
from tests.api.asking import anonymous, application
from tests.api.document import written_document


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application; nothing here asks its database anything."""
    return application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead"))


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.8", "deflate,GZIP", "*"])
def test_who_can_take_it_has_it_compressed(app: FastAPI, accepted: str) -> None:
    with anonymous(app).stream("GET", DOCUMENT_PATH, headers={"Accept-Encoding": accepted}) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert json.loads(gzip.decompress(sent)) == json.loads(json.dumps(written_document()))
    assert len(sent) * 5 < len(gzip.decompress(sent))


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br", "xgzip", "gzip;q=0.000, br"])
def test_who_cannot_has_it_plain(app: FastAPI, accepted: str) -> None:
    answer = anonymous(app).get(DOCUMENT_PATH, headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.json()["openapi"] == "3.1.0"


def test_who_has_it_is_not_sent_it_again(app: FastAPI) -> None:
    first = anonymous(app).get(DOCUMENT_PATH)
    assert first.headers["cache-control"] == "public, max-age=300"
    version = first.headers["etag"]
    for known in (version, version.removeprefix("W/"), f'"another", {version}', "*"):
        again = anonymous(app).get(DOCUMENT_PATH, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == version
    assert anonymous(app).get(DOCUMENT_PATH, headers={"If-None-Match": '"another"'}).status_code == 200


def test_nothing_that_may_hold_a_secret_is_compressed(app: FastAPI) -> None:
    answer = anonymous(app).get("/api/v1/problems", headers={"Accept-Encoding": "gzip"})
    assert len(answer.content) > 1_000
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
