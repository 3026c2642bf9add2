"""Mistakes about erasing personal data: something of a person is left, or comes back."""

from tests.seeded_bugs.bug import Bug, Edit

ERASING = "tests/flows/erasure/test_erase.py"
CANARIES = "tests/flows/erasure/test_canaries.py"

BUGS_OF_ERASURES = (
    Bug(
        "an erasure takes a message away from the job that is sending it",
        "what waits about an erased lead is not sent, what a job has in hand included",
        (
            Edit(
                "store/notifications/erasure.py",
                """and n.kind = any(%s) and not exists (
            select from jobs j where j.id = n.claimed_by_job and j.state = 'running')""",
                "and n.kind = any(%s)",
            ),
        ),
        ("tests/race/test_erasure_and_delivery.py",),
    ),
    Bug(
        "leads that were approved in vain are kept",
        "an approved lead will be sold",
        (Edit("store/leads/retention.py", ", \"status = 'approved'\"),", "),"),),
        ("tests/flows/maintenance/test_retain.py::test_a_run_reads_no_lead_that_it_has_nothing_to_do_with",),
    ),
    Bug(
        "a run of retention begins again at the leads that came in at one moment",
        "it goes on from the time of the last lead that it has seen to",
        (
            Edit(
                "flows/maintenance/retain.py",
                "found = next_of_deliveries(conn, niche.niche_id, before, after, CHUNK_LEADS)",
                "found = next_of_deliveries(conn, niche.niche_id, before, None, CHUNK_LEADS)",
            ),
        ),
        (
            # The others in the file would go round with it for ever.
            "tests/flows/maintenance/test_retain.py"
            "::test_leads_that_came_in_at_one_moment_do_not_keep_a_run_from_ending",
        ),
    ),
    Bug(
        "the links of a lead are taken away before its messages are held",
        "whichever comes first, both are gone when the erasure has ended",
        (
            Edit(
                "flows/erasure/erase.py",
                "    messages = lock_messages_about(conn, lead_ids)\n    forget_intake(conn, lead_ids)\n",
                "    forget_intake(conn, lead_ids)\n    messages = lock_messages_about(conn, lead_ids)\n",
            ),
        ),
        ("tests/race/test_log_last.py",),
    ),
    Bug(
        "an endpoint that is given up waits for messages that others hold",
        "their locks come in ascending order of id",
        (
            Edit(
                "store/notifications/webhook_endpoints.py",
                "and claimed_by_job is null\n            order by id for no key update skip locked))",
                "and claimed_by_job is null\n            order by id for no key update))",
            ),
        ),
        ("tests/race/test_log_last.py",),
    ),
    Bug(
        "what an export was kept by outlives the lead that alone had it",
        "its file is dropped",
        (Edit("flows/erasure/erase.py", "    exports.forget_sources(conn, own_sources, ERASED_WORDS)\n", ""),),
        ("tests/flows/erasure/test_canaries.py",),
    ),
    Bug(
        "the audit log has by which source an export was kept",
        "its filters are words of ours",
        (Edit("flows/exporting/rows.py", '"named" if name == "source" else value', "value"),),
        ("tests/flows/erasure/test_canaries.py",),
    ),
    Bug(
        "what is answered to a message about an old lead is kept for good",
        "answers go when the lead's days are over",
        (
            Edit(
                "flows/notifications/send_email.py",
                "answer = safe_line(delivery.answer, _personal(facts)) if facts.keeps_answers else NOT_KEPT",
                "answer = safe_line(delivery.answer, _personal(facts))",
            ),
        ),
        ("tests/flows/maintenance/test_retain.py",),
    ),
    Bug(
        "digests of what was asked about an assignment outlive the lead",
        "only the request that brought the lead is known by its id",
        (
            Edit(
                "store/leads/erasure.py",
                """{"leads": ids, "places": [*ids, *(row[0] for row in bought)]}""",
                """{"leads": ids, "places": [*ids, *(row[0] for row in bought if False)]}""",
            ),
        ),
        ("tests/flows/erasure/test_erase.py",),
    ),
    Bug(
        "the salt outlives the answers",
        "it is random, so it says nothing of a person",
        (
            Edit(
                "store/leads/state.py",
                "update leads set attributes = '{}', attributes_salt = null, answers_erased_at",
                "update leads set attributes = '{}', answers_erased_at",
            ),
            Edit(
                "store/migrations/baseline/05_leads.sql",
                "(answers_erased_at is null) = (attributes_salt is not null) and (",
                "(",
            ),
        ),
        (f"{CANARIES}::test_of_an_erased_lead_nothing_is_left_and_all_is_still_proven",),
        is_quick=True,
    ),
    Bug(
        "messages that wait are forgotten",
        "they hold nothing personal, so they may stay",
        (
            Edit(
                "flows/erasure/erase.py",
                "resolved = end_messages(conn, messages, cause.actor.name, now)",
                "resolved = list[str]()",
            ),
        ),
        (f"{ERASING}::test_what_waits_about_it_is_not_sent_and_those_who_bought_it_are_told",),
        is_quick=True,
    ),
    Bug(
        "a message that is sent again tells of an erased lead",
        "what was waiting was ended when the lead was erased",
        (
            Edit(
                "flows/notifications/message.py",
                "return ERASED_NOTICE if kind in TELLS_OF_LEAD and facts.erased_at is not None else None",
                "return None",
            ),
        ),
        (f"{ERASING}::test_what_waits_about_it_is_not_sent_and_those_who_bought_it_are_told",),
    ),
    Bug(
        "the evidence of a report outlives the lead",
        "it is what the provider wrote, not what the consumer did",
        (Edit("store/leads/erasure.py", "bad_lead_note = null, bad_lead_evidence = null\n", "bad_lead_note = null\n"),),
        (f"{CANARIES}::test_of_an_erased_lead_nothing_is_left_and_all_is_still_proven",),
        is_quick=True,
    ),
    Bug(
        "the request that brought the lead may be sent again",
        "its key is remembered for a day, whatever became of the lead",
        (
            Edit(
                "store/leads/erasure.py",
                "update idempotency_keys set fingerprint = 'erased' where",
                "update idempotency_keys set fingerprint = fingerprint where",
            ),
        ),
        (f"{ERASING}::test_a_request_that_brought_it_does_not_bring_it_again",),
    ),
    Bug(
        "fingerprints are stored of a lead that was erased meanwhile",
        "the task only reads leads",
        (Edit("store/leads/fingerprints.py", "order by id for share\n", "order by id\n"),),
        (f"{ERASING}::test_no_fingerprint_is_stored_of_a_lead_that_is_erased_meanwhile",),
    ),
    Bug(
        "a provider writes about a lead that was erased",
        "it is the provider's own record",
        (
            Edit(
                "flows/assignment_actions.py",
                "        if reason is not None and erased_among(conn, [before.lead_id]):",
                "        if reason is not None and not before.lead_id:",
            ),
        ),
        (f"{ERASING}::test_nothing_is_written_about_it_any_more",),
    ),
)
