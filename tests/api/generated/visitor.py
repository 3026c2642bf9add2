"""Hooks of Schemathesis: who asks. Runs in its process, told by its environment whose session to use, and how much."""

import os
from importlib import import_module
from typing import Any

import schemathesis

from fairlead.api.session_cookie import COOKIE
from tests.api.kept_session import KeptSession

CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}
MOST_IN_A_ROW = 10
"""Requests that change nothing, before the session is as it was again: a rate limit counts them, too."""

TOKEN = os.environ.get("FAIRLEAD_VISITOR_TOKEN")

if "FAIRLEAD_VISITOR_IS_BRIEF" in os.environ:
    import_module("tests.api.generated.briefly")

if TOKEN is not None:
    _kept = KeptSession(os.environ["FAIRLEAD_VISITOR_DATABASE"], os.environ["FAIRLEAD_VISITOR_SESSION"])

    @schemathesis.auth(refresh_interval=None)
    class Session:
        """A session that is live, however the last request left it."""

        def __init__(self) -> None:
            self._in_a_row = MOST_IN_A_ROW

        def get(self, case: Any, ctx: Any) -> str:
            """The token, which opens the session again."""
            if self._in_a_row >= MOST_IN_A_ROW:
                _kept.restore()
                self._in_a_row = 0
            self._in_a_row = self._in_a_row + 1 if case.method.upper() in CHANGES_NOTHING else MOST_IN_A_ROW
            return TOKEN or ""

        def set(self, case: Any, data: str, ctx: Any) -> None:
            """The request carries it."""
            case.cookies = {**(case.cookies or {}), COOKIE: data}
