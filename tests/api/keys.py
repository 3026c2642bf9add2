"""Keys that machines come with."""

from fairlead.core.permissions import Permission
from fairlead.flows.access.api_keys import create_api_key
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import add_admin


def operators_key(database: Database, *scopes: Permission, email: str = "ben@example.com") -> str:
    """The text of a new key with these scopes; it belongs to an operator of its own."""
    owner = add_admin(database, email)
    return create_api_key(database, "a machine", [str(scope) for scope in scopes], OPERATOR, user_id=owner).text
