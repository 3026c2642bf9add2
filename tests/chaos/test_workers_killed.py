"""Workers are killed all along while the world outside fails: every lead is sold once, and every provider is told."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from fairlead.flows.approve_lead import trigger_distribution
from fairlead.flows.notifications.replay import replay_notification
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.market import (
    approve,
    assert_all_sold,
    assert_hooks_told,
    assert_told_once,
    one,
    open_market,
    outside,
    poison,
    rows,
    submit,
    wait_until_drained,
)
from tests.chaos.outside import Hook, MailBox, moody_mail_server, moody_receiver
from tests.chaos.workers import Fleet, deadly_at, killing, restarting
from tests.waiting import wait_until

WORKERS = 3


@pytest.mark.slow
@pytest.mark.chaos
def test_workers_killed_all_along_lose_and_repeat_nothing(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    _kill_under_load(database, database_url, open_fleet, seed, lead_count=150, kill_count=12, every_seconds=1.0)


@pytest.mark.chaos_long
def test_workers_killed_for_minutes_lose_and_repeat_nothing(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    _kill_under_load(
        database, database_url, open_fleet, seed, lead_count=500, kill_count=60, every_seconds=1.0, deadly=True
    )


def _kill_under_load(
    database: Database,
    database_url: str,
    open_fleet: Callable[..., Fleet],
    seed: int,
    lead_count: int,
    kill_count: int,
    every_seconds: float,
    deadly: bool = False,
) -> None:
    dice = random.Random(seed)
    box, hook = MailBox(random.Random(dice.random()), 0.2), Hook(random.Random(dice.random()), 0.3)
    with moody_mail_server(box) as smtp_port, moody_receiver(hook):
        market = open_market(database, hook=hook)
        lead_ids = submit(database, market, lead_count)
        poisoned = lead_ids[lead_count // 2]
        poison(database, poisoned)
        killer = lead_ids[lead_count // 3] if deadly else None
        fleet = open_fleet(database_url, **outside(smtp_port))
        if killer is not None:
            fleet.program = deadly_at(killer)
        fleet.start_serving(WORKERS)
        with restarting(fleet, WORKERS):
            with killing(fleet, dice, every_seconds):
                approve(database, lead_ids, pause_seconds=0.1)
                wait_until(lambda: fleet.kills >= kill_count, f"{kill_count} kills", 10 * kill_count)
            took_seconds = wait_until_drained(database, 120 if deadly else 60)
            had_bad_luck = _retry_what_had_bad_luck(database, killer)
    print(f"drained in {took_seconds:.0f} s after {fleet.kills} kills; bad luck: {had_bad_luck}")

    assert_all_sold(database, lead_ids, but=[poisoned, *([killer] if killer is not None else [])])
    repeated = assert_told_once(database, box)
    assert_hooks_told(database, market, hook)
    _assert_that_it_happened(database, fleet, box, hook, repeated)


def _retry_what_had_bad_luck(database: Database, killer: str | None) -> int:
    """What was given up because workers were killed at it three times is asked for again, as an operator would."""
    letters = rows(
        database,
        """
        select lead_id::text, notification_id::text from dead_letters
        where resolved_at is null and error like 'its worker died%%' and lead_id is distinct from %s::uuid
        """,
        killer,
    )
    for lead_id, notification_id in letters:
        if lead_id is not None:
            trigger_distribution(database, lead_id, OPERATOR)
        else:
            replay_notification(database, notification_id, OPERATOR)
    wait_until_drained(database, 60)
    return len(letters)


def _assert_that_it_happened(
    database: Database, fleet: Fleet, box: MailBox, hook: Hook, repeated: Counter[str]
) -> None:
    """Otherwise the run proves less than it claims."""
    crashed = one(database, "select count(*) from job_attempts where outcome = 'crashed'")
    failed = one(database, "select count(*) from job_attempts where outcome = 'failed'")
    retried = one(database, "select count(*) from notifications where attempts > 1")
    batches = rows(
        database, "select count(*) from niche_journal where kind = 'decision' group by niche_id, recorded_at"
    )
    worked = [each for each in fleet.processes if each.events("lead decided") or each.events("notification delivery")]
    print(
        f"crashed {crashed}, failed {failed}, retried {retried}, largest batch {max(batches)}, "
        f"{len(worked)} of {len(fleet.processes)} processes worked, mail {dict(box.fates())}, "
        f"webhooks {dict(hook.fates())}, repeated {len(repeated)}"
    )
    assert crashed > 0
    assert failed > 0
    assert retried > 0
    assert max(batches) > 1
    assert len(worked) >= WORKERS
    assert all(box.fates()[fate] for fate in ("taken", "refused", "dropped before taking", "dropped after taking"))
    assert all(hook.fates()[fate] for fate in ("taken", "taken slowly", "503", "429", "dropped"))
    assert one(database, "select count(*) from notifications where kind = 'subscription_deactivated'") > 0
    assert one(database, "select attempts from dead_letters where resolved_at is null and error not like 'its%%'") == 6
