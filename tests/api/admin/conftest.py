"""What operators look at: a marketplace that sells leads, and Ann, who is logged in to it."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import an_admin, application
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import Sale, sell


@pytest.fixture
def hosting(database: Database) -> None:
    """A niche with levels and providers; no lead yet."""
    declare(database, HOSTING)


@pytest.fixture
def sale(database: Database) -> Sale:
    """The same, and a lead that two providers bought."""
    return sell(database)


@pytest.fixture
def app(database: Database) -> FastAPI:
    """The whole application."""
    return application(database)


@pytest.fixture
def ann(app: FastAPI, database: Database) -> TestClient:
    """An operator, with a second factor that was just given."""
    return an_admin(app, database)
