"""Mistakes about jobs: what is done when, by whom, how often, and what becomes of it when a worker dies."""

from tests.seeded_bugs.bug import Bug, Edit

APPROVAL = "tests/flows/test_approval_and_its_job.py"
CHUNKS = "tests/flows/test_chunks.py"
CLOCK = "tests/flows/maintenance/test_clock_set_back.py"
DISPATCH = "tests/flows/notifications/test_dispatch.py"
EMAIL = "tests/flows/notifications/test_send_email.py"
ENDS = "tests/chaos/test_ends_cut.py"
FETCHING = "tests/store/jobs/test_fetching.py"
LEADS = "tests/flows/test_distribute_lead.py"
QUEUE = "tests/store/jobs/test_queue.py"
REPLAYS = "tests/race/test_replays.py"
RUNNER = "tests/store/jobs/test_runner.py"
RESCUE = "tests/flows/maintenance/test_rescue.py"
UNREADABLE = "tests/chaos/test_poison.py::test_a_lead_that_cannot_even_be_read_stops_no_other"

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
                "            left = self.handlers[runs[0].task](runs) or ()\n",
                "            threading.Thread(target=self.handlers[runs[0].task], args=(runs,), daemon=True).start()\n"
                "            left = ()\n",
            ),
        ),
        (f"{RUNNER}::test_a_handler_that_raises_is_run_again",),
    ),
    Bug(
        "a dead worker is not missed",
        "a worker that is registered is at work",
        (
            Edit(
                "store/jobs/rescue.py",
                "w.last_heartbeat >= clock_timestamp() - make_interval(secs => %s))",
                "extract(epoch from w.last_heartbeat) > %s)",
            ),
        ),
        (RESCUE,),
    ),
    Bug(
        "claims do not count",
        "the state says that it waits, so it may be sent",
        (
            Edit(
                "store/notifications/rows.py",
                "j.id = n.claimed_by_job and j.id <> job.id and j.state = 'running')",
                "j.id = n.claimed_by_job and j.id <> job.id and false)",
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
                "payload ->> 'lead_id' = lead.id and state = 'waiting'\n",
                "payload ->> 'lead_id' = lead.id\n",
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
                "crash_count = crash_count + (isolated_since is not null)::integer",
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
        (
            Edit(
                "store/jobs/runner.py",
                "                time.sleep(pause_seconds)\n",
                "                del pause_seconds\n                return []\n",
            ),
        ),
        (f"{RUNNER}::test_how_a_job_ended_is_recorded_in_the_end",),
    ),
    Bug(
        "fetched, and forgotten when the database went away",
        "what could not be fetched is fetched again",
        (
            Edit(
                "store/jobs/runner.py",
                "return self.database.run_call(call)",
                "return self.database.run_call(Call(work))",
            ),
        ),
        (f"{RUNNER}::test_what_was_fetched_just_before_the_database_went_away_is_done",),
    ),
    Bug(
        "signs of life from the future",
        "a clock is never set back",
        (Edit("flows/maintenance/rescue.py", "    maintenance.database.run(bring_heartbeats_back)\n", ""),),
        (CLOCK,),
    ),
    Bug(
        "put off until the clock has caught up",
        "a clock is never set back",
        (
            Edit(
                "flows/maintenance/orphans.py",
                '    counts["rescheduled"] = in_chunks(',
                '    counts["rescheduled"] = 0 and in_chunks(',
            ),
        ),
        (CLOCK,),
        is_quick=True,
    ),
    Bug(
        "a failed run is audited before its dead letter is there",
        "the log says what happened in the order in which it did",
        (
            Edit(
                "flows/failures/failed_runs.py",
                "        failed_runs = add_failed_run(conn, lead_id, text, now)\n",
                '        event = AuditEvent(SYSTEM, "distribution.failed", "lead", lead_id, memo=text)\n'
                "        append_audit(conn, [event], now)\n"
                "        failed_runs = add_failed_run(conn, lead_id, text, now)\n",
            ),
            Edit(
                "flows/failures/failed_runs.py",
                '        events = [AuditEvent(SYSTEM, "distribution.failed", "lead", lead_id, memo=text)]\n',
                "        events = list[AuditEvent]()\n",
            ),
        ),
        ("tests/flows/failures/test_dead_letters.py::test_what_was_given_up_can_be_looked_at",),
    ),
    Bug(
        "put off by the marketplace's own clock",
        "there is one clock, and it has a function",
        (
            Edit(
                "store/jobs/fetching.py",
                "from fairlead.store.typed_rows import all_rows\n",
                "from fairlead.store.simulated_clock import simulated_now\n"
                "from fairlead.store.typed_rows import all_rows\n",
            ),
            Edit(
                "store/jobs/fetching.py",
                "        now = conn.execute(",
                "        now = simulated_now(conn) or conn.execute(",
            ),
        ),
        (CLOCK,),
    ),
    Bug(
        "found again and again",
        "rows that were seen to are not found any more",
        (Edit("flows/chunks.py", "        if after is not None and not after < chunk.last:", "        if False:"),),
        (CHUNKS,),
        is_quick=True,
    ),
    Bug(
        "a long task goes on while its process is to end",
        "the next chunk is soon done",
        (Edit("flows/chunks.py", "        if self._is_stopping() or (", "        if ("),),
        (CHUNKS,),
        is_quick=True,
    ),
    Bug(
        "what was left undone waits until tomorrow",
        "it is a daily task",
        (
            Edit(
                "store/schedules.py",
                "when s.is_cut_short then least(every_seconds, %s::float8)",
                "when s.is_cut_short then greatest(every_seconds, %s::float8)",
            ),
        ),
        ("tests/flows/maintenance/test_periodic.py",),
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
    Bug(
        "two workers fetch the same job",
        "the first of them will have changed the row",
        (
            Edit(
                "store/jobs/fetching.py",
                "scheduled_at is null\n            order by id limit %s for no key update skip locked))",
                "scheduled_at is null\n            order by id limit %s))",
            ),
        ),
        (f"{FETCHING}::test_what_is_being_fetched_by_another_is_skipped",),
        is_quick=True,
    ),
    Bug(
        "a worker ends jobs that are others' by now",
        "it ran the job, so it may say that it is done",
        (
            Edit(
                "store/jobs/fetching.py",
                '"delete from jobs where id = any(%s) and worker_id = %s", (list(job_ids), worker_id)',
                '"delete from jobs where id = any(%s) and %s > 0", (list(job_ids), worker_id)',
            ),
        ),
        (f"{FETCHING}::test_what_is_being_fetched_by_another_is_skipped",),
        is_quick=True,
    ),
    Bug(
        "a rescued job keeps its id",
        "it is the same job",
        (
            Edit(
                "store/jobs/rescue.py",
                "    delete_job(conn, job.job_id)\n    enqueue(",
                "    again = \"update jobs set state = 'waiting' where id = %s\"\n"
                "    return None if conn.execute(again, (job.job_id,)) else enqueue(",
            ),
        ),
        (f"{FETCHING}::test_a_rescued_job_is_its_former_workers_no_more",),
        is_quick=True,
    ),
    Bug(
        "what failed is run again at once",
        "the sooner the better",
        (Edit("store/jobs/fetching.py", "(delay_seconds or None, list", "(None, list"),),
        (f"{FETCHING}::test_an_isolated_job_waits_in_a_queue_of_its_own",),
        is_quick=True,
    ),
    Bug(
        "isolated jobs wait with all others",
        "one queue for each kind of work is enough",
        (Edit("store/jobs/queue.py", "return ISOLATED if self.is_isolated else QUEUE_OF", "return QUEUE_OF"),),
        (f"{FETCHING}::test_an_isolated_job_waits_in_a_queue_of_its_own",),
        is_quick=True,
    ),
    Bug(
        "the first death counts",
        "its worker died, so it is to blame",
        (Edit("flows/maintenance/rescue.py", '"crashed" if job.is_isolated else "interrupted"', '"crashed"'),),
        (f"{RESCUE}::test_what_was_in_hand_when_another_killed_its_worker_is_not_to_blame",),
        is_quick=True,
    ),
    Bug(
        "what waits already is replayed too",
        "it was asked for, so it is done",
        (
            Edit(
                "flows/notifications/replay.py",
                '        if locked.state == "queued":\n            return',
                '        if locked.state == "gone":\n            return',
            ),
        ),
        (REPLAYS,),
        is_quick=True,
    ),
    Bug(
        "given up without a dead letter",
        "the notification says that it failed",
        (
            Edit(
                "flows/maintenance/rescue.py",
                "    _give_up(conn, job, notification_id, found.kind, crash_count)\n",
                '    record_not_sent(conn, notification_id, "gone", clock(conn), is_final=True)\n',
            ),
        ),
        (f"{RESCUE}::test_a_delivery_that_kills_its_worker_three_times_is_given_up",),
        is_quick=True,
    ),
    Bug(
        "signalled in the transaction",
        "it is sent at the commit anyway",
        (
            Edit(
                "store/jobs/queue.py",
                "    wake_after_commit(conn, {job.queue for job in jobs if job.delay_seconds <= 0})\n",
                "    for job in jobs:\n"
                "        conn.execute(\"notify fairlead_jobs, 'fairlead:distribute'\")\n        del job\n",
            ),
        ),
        (f"{FETCHING}::test_a_signal_comes_after_the_commit_and_only_then",),
    ),
    Bug(
        "a batch is recorded at its end",
        "one transaction is quicker than fifty",
        (
            Edit(
                "flows/notifications/send_email.py",
                "        tell(tried, self._record(tried, attempt))\n",
                "        self._later = [*getattr(self, '_later', []), (tried, attempt)]\n",
            ),
            Edit(
                "flows/notifications/send_email.py",
                "        return deliveries, left\n",
                "        for each in getattr(self, '_later', []):\n"
                "            self._record(*each)\n"
                "        return deliveries, left\n",
            ),
        ),
        (f"{EMAIL}::test_several_go_over_one_connection_each_recorded_as_soon_as_it_is_taken",),
        is_quick=True,
    ),
)
