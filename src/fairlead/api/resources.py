"""What the routes work with: the marketplace's database, the settings, the keys that seal secrets."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from fairlead.core.errors import Refused
from fairlead.delivery.secret_box import SecretBox
from fairlead.settings import Settings
from fairlead.store.connection import Database


@dataclass(frozen=True, slots=True)
class Resources:
    """One process's. `box` is None where no FAIRLEAD_ENCRYPTION_KEYS are set:

    then no user can enrol a second factor.
    """

    database: Database
    settings: Settings
    box: SecretBox | None


def resources_of(connection: HTTPConnection) -> Resources:
    """Those of the application that the request or WebSocket came to."""
    return cast("Resources", connection.app.state.resources)


# Coroutines, because they wait for nothing: others take a thread each.
async def _database(connection: HTTPConnection) -> Database:
    return resources_of(connection).database


async def _settings(connection: HTTPConnection) -> Settings:
    return resources_of(connection).settings


async def _box(connection: HTTPConnection) -> SecretBox:
    box = resources_of(connection).box
    if box is None:
        raise Refused("encryption_keys_missing", "this needs FAIRLEAD_ENCRYPTION_KEYS, which the server does not have")
    return box


MarketplaceDatabase = Annotated[Database, Depends(_database, scope="function")]
ServerSettings = Annotated[Settings, Depends(_settings, scope="function")]
SecretBoxResource = Annotated[SecretBox, Depends(_box, scope="function")]
