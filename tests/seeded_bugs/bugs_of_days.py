"""Mistakes that random days find: what only shows when time passes, several rules meet, or money comes back."""

from tests.seeded_bugs.bug import Bug, Edit

MODEL = "tests/model/test_model.py::test_short_days"

BUGS_OF_DAYS = (
    Bug(
        "every limit goes by the clocks of UTC",
        "a day is a day",
        (
            Edit(
                "core/time_rules.py",
                "windows = self._windows_of(text, terms.timezone)",
                'windows = self._windows_of(text, "UTC")',
            ),
        ),
        (MODEL,),
    ),
    Bug(
        "the provider's schedule counts before the subscription's",
        "it is over all of them",
        (
            Edit(
                "core/time_rules.py",
                "    text = subscription.schedule_text or terms.schedule_text\n",
                "    text = terms.schedule_text or subscription.schedule_text\n",
            ),
        ),
        (MODEL,),
    ),
    Bug(
        "hours of a price rule go by the clocks of UTC",
        "its zone is for people",
        (
            Edit(
                "core/time_rules.py",
                "        return is_within(hours_text, timezone, self._moment)\n",
                '        return is_within(hours_text, "UTC", self._moment)\n',
            ),
        ),
        (MODEL,),
    ),
    Bug(
        "a refunded lead stays in its provider's limits",
        "the subscription's windows are counted anew, that is enough",
        (Edit("store/money/returns.py", '    forget_used(conn, "providers", owner_ids)\n', ""),),
        (MODEL,),
    ),
    Bug(
        "an erased lead waits to be sold",
        "nothing of it is left that could be",
        (
            Edit(
                "flows/erasure/erase.py",
                "lock_rejectable(conn, [lead.lead_id for lead in leads])",
                "lock_rejectable(conn, [lead.lead_id for lead in leads][:0])",
            ),
        ),
        (MODEL,),
    ),
    Bug(
        "a lead that was paid back is reported all the same",
        "the provider says what it thinks of it",
        (
            Edit(
                "flows/money/bad_leads.py",
                '    if assignment.status == "refunded":\n        raise Refused("assignment_refunded"',
                '    if assignment.status == "lost":\n        raise Refused("assignment_refunded"',
            ),
        ),
        (MODEL,),
    ),
)
