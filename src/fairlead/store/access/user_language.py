"""In which language a user is written to."""

from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows


def user_language(conn: Connection, user_id: str) -> str | None:
    """The language that the user chose; None where it chose none."""
    rows = conn.execute("select language from users where id = %s", (user_id,)).fetchall()
    return rows[0][0] if rows else None


def write_user_language(conn: Connection, user_id: str, language: str | None) -> None:
    """The user has this language. It is there."""
    change_rows(
        conn, "users_with_a_language_are_there", 1, "update users set language = %s where id = %s", (language, user_id)
    )
