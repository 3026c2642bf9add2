"""What the demo's providers do with their leads: most are looked at, many accepted, a few rejected or reported."""

import random
from collections.abc import Sequence

from fairlead.core.decision import Recipient
from fairlead.flows.assignment_actions import accept_assignment, reject_assignment, view_assignment
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database

_PROVIDER = Actor("demo", "provider")
VIEWED, ACCEPTED, REJECTED, REPORTED = 0.7, 0.4, 0.06, 0.015
"""Shares of all leads, each within the one before it or beside it."""


class ProvidersDesk:
    """Answers leads as the dice say, the same for the same order of leads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dice = random.Random(7)  # noqa: S311  # a reproducible play, nothing secret

    def answer(self, recipients: Sequence[Recipient]) -> None:
        """Each recipient has looked at its lead, or answered it, or has yet to."""
        for each in recipients:
            drawn = self._dice.random()
            own = (self._database, each.provider_id, each.assignment_id)
            if drawn < REPORTED:
                report_bad_lead(*own, "wrong_contact", "The number is not in service.", _PROVIDER)
            elif drawn < REPORTED + REJECTED:
                reject_assignment(*own, "outside our region", _PROVIDER)
            elif drawn < REPORTED + REJECTED + ACCEPTED:
                accept_assignment(*own, _PROVIDER)
            elif drawn < VIEWED:
                view_assignment(self._database, each.provider_id, each.assignment_id)
