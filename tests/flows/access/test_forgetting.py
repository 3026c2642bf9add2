"""What was kept for a while is forgotten, and nothing that is still of use."""

from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.sessions import authenticate_session
from fairlead.flows.access.throttle import LOGIN_OF_PAIR
from fairlead.flows.maintenance.clean_up import clean_up
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.flows.access.people import AWAY, HOME, PASSWORD, enrolled_admin, refusal, rows, token_for, value


def test_old_sessions_tokens_and_full_buckets_go(database: Database) -> None:
    ann = enrolled_admin(database)
    old = log_in(database, ann.email, PASSWORD, AWAY).session_id
    value(database, "update sessions set expires_at = now() - interval '31 days' where id = %s", old)
    recent = log_in(database, ann.email, PASSWORD, AWAY).session_id
    value(database, "update sessions set expires_at = now() - interval '29 days' where id = %s", recent)
    for days in (29, 31):
        token_for(database, ann.user_id, "invite")
        value(
            database,
            """
            update one_time_tokens set created_at = created_at - interval '90 days',
                                       expires_at = now() - make_interval(days => %s)
            where expires_at > now()
            """,
            days,
        )
    for _ in range(LOGIN_OF_PAIR.capacity):
        refusal(log_in, database, ann.email, "wrong", HOME)
    value(database, "insert into rate_buckets values ('of long ago', now() - interval '1 second')")

    counts = clean_up(Maintenance(database, Settings()))

    assert (counts["sessions"], counts["tokens"]) == (1, 1)
    assert "of long ago" not in rows(database, "select name from rate_buckets")
    assert refusal(log_in, database, ann.email, PASSWORD, HOME) == "too_many_attempts"
    assert authenticate_session(database, ann.token).user_id == ann.user_id
