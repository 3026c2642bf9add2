"""The document of the API as this checkout writes it, made once in each process of the tests."""

from functools import cache
from typing import Any

from fairlead.api.openapi import document_of
from fairlead.store.connection import Database
from tests.api.asking import application


@cache
def written_document() -> dict[str, Any]:
    """What `document_of` gives for the whole application, for nearly a second of processor time; to be read only."""
    return document_of(application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead")))
