"""A session that is what it was before each request.

Generated requests also log out, change passwords, disable users, and are many.
"""

import psycopg

_AS_IT_WAS = """
with tried as (delete from rate_buckets),
whose as (update sessions set ended_at = null, ended_why = null, token_hash = %(hash)s, state = 'full',
                      wrong_proofs = 0,
                      stepped_up_at = now(), idle_expires_at = now() + interval '1 hour',
                      expires_at = now() + interval '1 day'
               where id = %(session)s returning user_id)
update users u set status = 'active', role = %(role)s, provider_id = %(provider)s from whose where u.id = whose.user_id
"""


class KeptSession:
    """A session of the marketplace at the URL, whose user is as it is now; for one thread."""

    def __init__(self, url: str, session_id: str) -> None:
        self._conn = psycopg.connect(url, autocommit=True, options="-c search_path=fairlead")
        row = self._conn.execute(
            """
            select s.token_hash, u.role, u.provider_id from sessions s join users u on u.id = s.user_id where s.id = %s
            """,
            (session_id,),
        ).fetchone()
        assert row is not None, "the session was made before"
        self._was = {"session": session_id, "hash": row[0], "role": row[1], "provider": row[2]}

    def restore(self) -> None:
        """The session opens what it opened, and no earlier request counts against a rate limit."""
        self._conn.execute(_AS_IT_WAS, self._was)

    def close(self) -> None:
        """The connection is closed."""
        self._conn.close()
