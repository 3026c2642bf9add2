"""The first steps of a new marketplace: a list that stays until all of them are done or an operator dismisses it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.watching.setup_progress import (
    SetupProgress,
    setup_progress,
    write_dismissed,
    write_keys_copied,
)

Step = Literal[
    "second_factor",
    "keys_copied",
    "mail",
    "name",
    "niche",
    "public_form",
    "provider_invited",
    "provider_joined",
    "subscription",
    "lead_received",
    "lead_sold",
]


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One step. One that is not needed does not keep the list open: a marketplace can do without."""

    step: Step
    is_done: bool
    is_needed: bool = True


@dataclass(frozen=True, slots=True)
class SetupChecklist:
    """The steps in the order in which they are done; the ids are of the oldest niche and provider."""

    steps: tuple[ChecklistStep, ...]
    is_dismissed: bool
    niche_id: str | None
    provider_id: str | None

    @property
    def is_complete(self) -> bool:
        """Whether all that is needed is done."""
        return all(each.is_done for each in self.steps if each.is_needed)

    @property
    def is_open(self) -> bool:
        """Whether it is to be shown."""
        return not self.is_dismissed and not self.is_complete


def read_setup_checklist(database: Database, *, sends_mail: bool) -> SetupChecklist:
    """How far the marketplace is. `sends_mail`: whether this installation's messages leave it."""
    found = database.read(setup_progress)
    return SetupChecklist(
        (
            ChecklistStep("second_factor", found.has_second_factor),
            ChecklistStep("keys_copied", found.keys_copied_at is not None),
            ChecklistStep("mail", sends_mail, is_needed=False),
            ChecklistStep("name", found.has_name),
            ChecklistStep("niche", found.has_active_level),
            ChecklistStep("public_form", found.has_public_form),
            *_of_providers(found),
            ChecklistStep("lead_received", found.has_lead),
            ChecklistStep("lead_sold", found.has_sold_lead),
        ),
        found.dismissed_at is not None,
        found.niche_id,
        found.provider_id,
    )


def _of_providers(found: SetupProgress) -> tuple[ChecklistStep, ...]:
    return (
        ChecklistStep("provider_invited", found.has_provider),
        ChecklistStep("provider_joined", found.has_provider_user),
        ChecklistStep("subscription", found.has_funded_subscription),
    )


def dismiss_setup_checklist(database: Database, actor: Actor) -> bool:
    """The list is shown no more, to no operator; False where it was so before. Audited."""
    return _said(database, write_dismissed, "setup.dismissed", actor)


def record_keys_copied(database: Database, actor: Actor) -> bool:
    """An operator says that there is a copy of the encryption keys; False where one said so before. Audited."""
    return _said(database, write_keys_copied, "setup.keys_copied", actor)


def _said(database: Database, write: Callable[..., bool], action: str, actor: Actor) -> bool:
    def work(conn: Connection) -> bool:
        now = clock(conn)
        if not write(conn, now):
            return False
        append_audit(conn, [AuditEvent(actor, action, "marketplace", "*")], now)
        return True

    return database.run(work)
