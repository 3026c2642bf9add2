"""Hooks of Schemathesis: who asks. Runs in its process, told by its environment whose session to use, and how much."""

import os
from importlib import import_module
from typing import Any

import schemathesis

from fairlead.api.session_cookie import COOKIE
from tests.api.kept_session import KeptSession

TOKEN = os.environ.get("FAIRLEAD_VISITOR_TOKEN")

if "FAIRLEAD_VISITOR_IS_BRIEF" in os.environ:
    import_module("tests.api.generated.briefly")

if TOKEN is not None:
    _kept = KeptSession(os.environ["FAIRLEAD_VISITOR_DATABASE"], os.environ["FAIRLEAD_VISITOR_SESSION"])

    @schemathesis.auth(refresh_interval=None)
    class Session:
        """A session that is live, however the last request left it."""

        def get(self, case: Any, ctx: Any) -> str:
            """The token, which opens the session again."""
            _kept.restore()
            return TOKEN or ""

        def set(self, case: Any, data: str, ctx: Any) -> None:
            """The request carries it."""
            case.cookies = {**(case.cookies or {}), COOKIE: data}
