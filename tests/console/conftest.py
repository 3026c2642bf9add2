"""The console on a database of its own, an operator who looks at it, and a lead that was sold."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.console.visiting import console
from tests.flows.sales import Sale, sell


@pytest.fixture
def app(database: Database) -> FastAPI:
    """The console."""
    return console(database)


@pytest.fixture
def ann(app: FastAPI, database: Database) -> TestClient:
    """An operator, who may do everything."""
    return an_admin(app, database)


@pytest.fixture
def sale(database: Database) -> Sale:
    """A lead that Anchor and Bowline bought."""
    return sell(database)
