"""What the demo's providers do with their leads: most are looked at, many accepted, a few rejected or reported."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from fairlead.core.decision import Recipient
from fairlead.core.errors import Refused
from fairlead.flows.assignment_actions import answer_assignments
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.money.assignments import ProviderAnswer

PROVIDER = Actor("demo", "provider")
REPORTED, REJECTED, ACCEPTED, ONLY_VIEWED = 0.015, 0.05, 0.42, 0.32
"""Shares of all leads; the rest has yet to be looked at."""

WHY_REJECTED = ("outside our region", "too small for us", "no capacity this month", "the budget is too low")
REPORTS = (
    ("wrong_contact", "The number is not in service."),
    ("unreachable", "Three calls and two emails, no answer."),
    ("not_interested", "Says that it never asked for an offer."),
    ("duplicate", "We had the same request last month."),
    ("spam", None),
)

Kind = Literal["viewed", "accepted", "rejected", "reported"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a provider does with a lead: `words` are its reason where it rejects it; `report` why it reports it."""

    kind: Kind
    words: str | None = None
    report: tuple[str, str | None] | None = None


def reaction(dice: random.Random) -> Reaction | None:
    """As the dice say; None: the lead has yet to be looked at."""
    drawn = dice.random()
    if drawn < REPORTED:
        return Reaction("reported", report=dice.choice(REPORTS))
    if drawn < REPORTED + REJECTED:
        return Reaction("rejected", dice.choice(WHY_REJECTED))
    if drawn < REPORTED + REJECTED + ACCEPTED:
        return Reaction("accepted")
    return Reaction("viewed") if drawn < REPORTED + REJECTED + ACCEPTED + ONLY_VIEWED else None


def react(database: Database, reactions: Sequence[tuple[Recipient, Reaction]]) -> None:
    """The recipients have looked at their leads, or answered them: in one transaction but for reports."""
    viewed = [each.assignment_id for each, done in reactions if done.kind == "viewed"]
    answers = [
        ProviderAnswer(each.assignment_id, done.kind, done.words)
        for each, done in reactions
        if done.kind in ("accepted", "rejected")
    ]
    if viewed or answers:
        answer_assignments(database, viewed, answers, PROVIDER)
    for each, done in reactions:
        if done.report is not None:
            reason, note = done.report
            with suppress(Refused):  # refunded meanwhile
                report_bad_lead(database, each.provider_id, each.assignment_id, reason, note, PROVIDER)


class ProvidersDesk:
    """Answers leads at once as the dice say, the same for the same order of leads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dice = random.Random(7)  # noqa: S311  # a reproducible play, nothing secret

    def answer(self, recipients: Sequence[Recipient]) -> None:
        """Each recipient has looked at its lead, or answered it, or has yet to."""
        drawn = [(each, reaction(self._dice)) for each in recipients]
        react(self._database, [(each, done) for each, done in drawn if done is not None])
