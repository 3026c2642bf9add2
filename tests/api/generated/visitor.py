"""Hooks of Schemathesis: who asks. Runs in its process, told by its environment whose session to use.

Generated requests also log out, change passwords, disable users, and are many. So before each one the session is what
it was, and no earlier attempt counts against a rate limit.
"""

import os
from typing import Any

import psycopg
import schemathesis

TOKEN = os.environ.get("FAIRLEAD_VISITOR_TOKEN")
COOKIE = "__Host-fairlead_session"

AS_IT_WAS = """
with tried as (delete from rate_buckets),
whose as (update sessions set ended_at = null, ended_why = null, token_hash = %(hash)s, state = 'full',
                      wrong_proofs = 0,
                      stepped_up_at = now(), idle_expires_at = now() + interval '1 hour',
                      expires_at = now() + interval '1 day'
               where id = %(session)s returning user_id)
update users u set status = 'active', role = %(role)s, provider_id = %(provider)s from whose where u.id = whose.user_id
"""


if TOKEN is not None:
    _conn = psycopg.connect(os.environ["FAIRLEAD_VISITOR_DATABASE"], autocommit=True, options="-c search_path=fairlead")
    _session_id = os.environ["FAIRLEAD_VISITOR_SESSION"]
    _row = _conn.execute(
        """
        select s.token_hash, u.role, u.provider_id from sessions s join users u on u.id = s.user_id where s.id = %s
        """,
        (_session_id,),
    ).fetchone()
    assert _row is not None, "the session was made before"
    _was = {"session": _session_id, "hash": _row[0], "role": _row[1], "provider": _row[2]}

    @schemathesis.auth(refresh_interval=None)
    class Session:
        """A session that is live, however the last request left it."""

        def get(self, case: Any, ctx: Any) -> str:
            """The token, which opens the session again."""
            _conn.execute(AS_IT_WAS, _was)
            return TOKEN or ""

        def set(self, case: Any, data: str, ctx: Any) -> None:
            """The request carries it."""
            case.cookies = {**(case.cookies or {}), COOKIE: data}
