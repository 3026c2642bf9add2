"""Mistakes that random days find: what only shows when time passes, several rules meet, or money comes back."""

from tests.seeded_bugs.bug import Bug, Edit

MODEL = "tests/model/test_model.py::test_short_days"

BUGS_OF_DAYS = (
    Bug(
        "every limit goes by the clocks of UTC",
        "a day is a day",
        (
            Edit(
                "core/calendar/time_rules.py",
                "windows_at(limits_text, timezone, self._moment)",
                'windows_at(limits_text, "UTC", self._moment)',
            ),
        ),
        (MODEL,),
    ),
    Bug(
        "a provider's schedule goes before that of its subscription",
        "what a provider says of itself holds for all of it",
        (
            Edit(
                "core/calendar/time_rules.py",
                "text = subscription.schedule_text or terms.schedule_text",
                "text = terms.schedule_text or subscription.schedule_text",
            ),
        ),
        (MODEL,),
    ),
)
