"""Mistakes about jobs: what is done when, by whom, how often, and what becomes of it when somebody dies."""

from tests.seeded_bugs.bug import Bug, Edit

APPROVAL = "tests/flows/test_approval_and_its_job.py"
CLOCK = "tests/flows/upkeep/test_clock_set_back.py"
DISPATCH = "tests/flows/notifications/test_dispatch.py"
EMAIL = "tests/flows/notifications/test_send_email.py"
ENDS = "tests/chaos/test_ends_cut.py"
LEADS = "tests/flows/test_distribute_lead.py"
QUEUE = "tests/store/jobs/test_queue.py"
RUNNER = "tests/store/jobs/test_runner.py"
TAKE_OVER = "tests/flows/upkeep/test_take_over.py"
UNREADABLE = "tests/chaos/test_poison.py::test_a_lead_that_cannot_even_be_read_stops_nobody"

BUGS_OF_JOBS = (
    Bug(
        "approved first, enqueued afterwards",
        "the approval is what counts, the job can follow in a moment",
        (
            Edit(
                "flows/approve_lead.py",
                "    enqueue(conn, lead_jobs(awaiting, actor, now))\n"
                '    old, new = {"status": "pending_approval"}, {"status": "approved"}',
                '    old, new = {"status": "pending_approval"}, {"status": "approved"}',
            ),
            Edit(
                "flows/approve_lead.py",
                "        on_progress(done)\n    return done",
                "        database.run(lambda conn: enqueue(conn, lead_jobs(done.approved, actor, clock(conn))))\n"
                "        on_progress(done)\n    return done",
            ),
        ),
        (APPROVAL,),
        is_quick=True,
    ),
    Bug(
        "acknowledged before it is done",
        "a thread will see to it, the queue need not wait",
        (
            Edit(
                "store/jobs/runner.py",
                "        handler(JobRun(context.job.id, task, payload))",
                "        arguments = (JobRun(context.job.id, task, payload),)\n"
                "        threading.Thread(target=handler, args=arguments, daemon=True).start()",
            ),
        ),
        (f"{RUNNER}::test_a_handler_that_raises_is_run_again",),
    ),
    Bug(
        "nobody misses a dead worker",
        "a worker that is registered is at work",
        (
            Edit(
                "store/jobs/stalled.py",
                "where j.status = 'doing' and w.last_heartbeat < clock_timestamp() - make_interval(secs => %(silent)s)",
                "where j.status = 'doing' and extract(epoch from w.last_heartbeat) < %(silent)s",
            ),
        ),
        (TAKE_OVER,),
    ),
    Bug(
        "claims do not count",
        "the state says that it waits, so it may be sent",
        (
            Edit(
                "store/notifications/rows.py",
                "            where j.id = n.claimed_by_job and j.id <> %s and j.status = 'doing')",
                "            where j.id = n.claimed_by_job and j.id <> %s and false)",
            ),
        ),
        (f"{EMAIL}::test_two_jobs_for_one_notification_at_once_send_once",),
        is_quick=True,
    ),
    Bug(
        "a new Message-ID for each attempt",
        "every message needs an id of its own",
        (
            Edit(
                "flows/notifications/send_email.py",
                "        name = claimed.notification_id\n",
                '        name = f"{claimed.notification_id}.{time.monotonic_ns()}"\n',
            ),
        ),
        (f"{EMAIL}::test_a_worker_that_dies_after_the_servers_yes_sends_the_same_message_again",),
    ),
    Bug(
        "running jobs withdrawn too",
        "the lead is decided, no job of it is needed",
        (
            Edit(
                "store/jobs/queue.py",
                "args ->> 'lead_id' = lead.id and status = 'todo'\n",
                "args ->> 'lead_id' = lead.id\n",
            ),
        ),
        (QUEUE,),
    ),
    Bug(
        "a crash blamed on every lead",
        "its worker died, so it is to blame",
        (
            Edit(
                "store/leads/state.py",
                "crash_count = crash_count + (alone_since is not null)::integer",
                "crash_count = crash_count + 1",
            ),
        ),
        (f"{LEADS}::test_only_a_lead_that_was_decided_alone_is_to_blame_for_a_dead_worker",),
        is_quick=True,
    ),
    Bug(
        "delays ignored",
        "a job that is there can be done",
        (Edit("store/jobs/queue.py", "case when delay > 0 then", "case when delay < 0 then"),),
        (f"{RUNNER}::test_a_job_for_later_waits",),
    ),
    Bug(
        "handed out without a job",
        "marked in one transaction, enqueued in the next",
        (
            Edit(
                "flows/notifications/dispatch.py",
                "        handed = database.run(_hand_out_some)\n",
                "        handed = database.run(lambda conn: hand_out(conn, BATCH_NOTIFICATIONS, clock(conn)))\n"
                "        told = [delivery_job(n.notification_id, n.channel, None) for n in handed.notifications]\n"
                "        database.run(lambda conn: enqueue(conn, told))\n",
            ),
        ),
        (f"{DISPATCH}::test_marking_and_enqueueing_happen_together_or_not_at_all",),
        is_quick=True,
    ),
    Bug(
        "the end of a job told once",
        "if the connection breaks, the worker will be missed",
        (Edit("store/jobs/attention.py", "PAUSES_SECONDS = (0.1, 0.5, 1, 2, 5)", "PAUSES_SECONDS = ()"),),
        (ENDS,),
    ),
    Bug(
        "signs of life from the future",
        "a clock is never set back",
        (Edit("flows/upkeep/take_over.py", "    upkeep.database.run(doubt_heartbeats)\n", ""),),
        (CLOCK,),
    ),
    Bug(
        "put off until the clock has caught up",
        "a clock is never set back",
        (
            Edit(
                "flows/upkeep/remind.py",
                '    while count := upkeep.database.run(_put_off):\n        counts["put_off"] += count\n',
                "",
            ),
        ),
        (CLOCK,),
        is_quick=True,
    ),
    Bug(
        "the oldest lead is read to be named",
        "a lead is a lead",
        (
            Edit(
                "flows/distributor.py",
                "            return oldest_waiting(conn, niche_id)\n",
                "            from fairlead.store.leads.waiting import lock_waiting_leads\n"
                "            leads = lock_waiting_leads(conn, niche_id, 1).leads\n"
                "            return leads[0].lead_id if leads else None\n",
            ),
        ),
        (UNREADABLE,),
    ),
)
