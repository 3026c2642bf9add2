"""Visiting the console without a browser: its pages as text."""

from typing import Any

from fastapi import FastAPI

from fairlead.console.application import console_application
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS, SITE


def console(database: Database, **settings: Any) -> FastAPI:
    """The whole console, on this database; `tests.api.asking` has its visitors."""
    return console_application(
        database, Settings.model_validate({"encryption_keys": SECRET_KEYS, "public_url": SITE} | settings)
    )
