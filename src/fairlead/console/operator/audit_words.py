"""The audit log in words: what was done, to what, and by whom. The codes stay beside them, for filters and programs."""

from collections.abc import Mapping

from fairlead.console.texts import noted, translated
from fairlead.store.access.users import actor_names
from fairlead.store.connection import Database

ACTIONS: Mapping[str, str] = {
    "api_key.created": noted("API key made"),
    "api_key.revoked": noted("API key revoked"),
    "assignment.accepted": noted("Assignment accepted"),
    "assignment.created": noted("Lead assigned"),
    "assignment.refunded": noted("Assignment refunded"),
    "assignment.rejected": noted("Assignment rejected"),
    "assignment.viewed": noted("Assignment looked at"),
    "assignment.returned": noted("Turn or place in a limit given back"),
    "auto_top_up.changed": noted("Auto top-up changed"),
    "bad_lead.accepted": noted("Report of a bad lead accepted"),
    "bad_lead.rejected": noted("Report of a bad lead rejected"),
    "bad_lead.reported": noted("Lead reported as bad"),
    "balance.credited": noted("Balance credited by hand"),
    "balance.debited": noted("Balance debited by hand"),
    "billing_details.changed": noted("Billing details changed"),
    "conflict_group.created": noted("Conflict group made"),
    "conflict_group.deleted": noted("Conflict group deleted"),
    "conflict_group.renamed": noted("Conflict group renamed"),
    "credit_limit.changed": noted("Credit limit changed"),
    "credit_note.issued": noted("Credit note issued"),
    "data.exported": noted("Data exported"),
    "dead_letter.opened": noted("Work given up"),
    "dead_letter.resolved": noted("Dead letter closed"),
    "dead_letter.retried": noted("Dead letter tried again"),
    "deposit.credited": noted("Deposit credited"),
    "distribution.completed": noted("Lead decided"),
    "distribution.failed": noted("Distribution failed"),
    "distribution.reoffered": noted("Lead offered again"),
    "distribution.reopened": noted("Lead opened for another offer"),
    "distribution.skipped_provider": noted("Provider passed over"),
    "distribution.started": noted("Distribution started"),
    "distribution.triggered": noted("Distribution triggered"),
    "export.cancelled": noted("Export cancelled"),
    "export.deleted": noted("Export deleted"),
    "export.downloaded": noted("Export downloaded"),
    "export.dropped": noted("File of an export deleted after its time"),
    "export.failed": noted("Export failed"),
    "export.ready": noted("Export ready"),
    "export.requested": noted("Export requested"),
    "lead.approved": noted("Lead approved"),
    "lead.confirmed": noted("Lead confirmed"),
    "lead.created": noted("Lead created"),
    "lead.erased": noted("Personal data of a lead erased"),
    "lead.marked_bad": noted("Lead marked as bad"),
    "lead.rejected": noted("Lead rejected"),
    "lead.taken_in": noted("Lead taken in"),
    "lead.withdrawn": noted("Lead withdrawn by its consumer"),
    "lead_view.deleted": noted("View of leads deleted"),
    "lead_view.saved": noted("View of leads saved"),
    "leads.imported": noted("Leads imported"),
    "leads.submitted": noted("Leads submitted"),
    "level.changed": noted("Level changed"),
    "level.created": noted("Level made"),
    "level.deleted": noted("Level deleted"),
    "level.price_rules_changed": noted("Price rules changed"),
    "levels.reordered": noted("Levels put in another order"),
    "login.refused": noted("Login refused"),
    "marketplace.applied": noted("Marketplace file applied"),
    "marketplace.changed": noted("Marketplace changed"),
    "marketplace.logo_changed": noted("Logo changed"),
    "marketplace.report_rules_changed": noted("Rules of bad leads changed"),
    "month.closed": noted("Month closed"),
    "niche.archived": noted("Niche archived"),
    "niche.bad_lead_window_changed": noted("Days to report bad leads changed"),
    "niche.changed": noted("Niche changed"),
    "niche.created": noted("Niche made"),
    "niche.form_changed": noted("Form changed"),
    "niche.intake_changed": noted("Intake changed"),
    "niche.policy_changed": noted("Policy of a niche changed"),
    "niche.refund_policy_changed": noted("What a refund gives back changed"),
    "niche.restored": noted("Niche restored"),
    "niche.retention_changed": noted("Days that personal data is kept changed"),
    "notification.replayed": noted("Message sent again"),
    "password_change.refused": noted("Change of a password refused"),
    "payment.doubted": noted("Payment put in doubt"),
    "payment.requested": noted("Payment requested"),
    "payment.settled": noted("Payment settled"),
    "payment_doubt.resolved": noted("Payment in doubt resolved"),
    "payment_method.asked": noted("Payment method asked for"),
    "payment_method.forgotten": noted("Payment method removed"),
    "payment_method.saved": noted("Payment method saved"),
    "person.disclosed": noted("A person's data handed out"),
    "portal.left": noted("Portal of a provider left"),
    "portal.seen": noted("Portal looked at as a provider"),
    "postcode_table.loaded": noted("Postcode table loaded"),
    "provider.approved": noted("Provider approved"),
    "provider.changed": noted("Provider changed"),
    "provider.created": noted("Provider added"),
    "provider.note_added": noted("Note about a provider added"),
    "provider.notification_preferences_changed": noted("Choice of messages changed"),
    "provider.reactivated": noted("Provider reactivated"),
    "provider.registered": noted("Provider registered"),
    "provider.suspended": noted("Provider suspended"),
    "reconciliation.differs": noted("Difference in the books found"),
    "recovery_codes.renewed": noted("Recovery codes renewed"),
    "second_factor.enrolled": noted("Second factor set up"),
    "second_factor.enrolment_began": noted("Setting up a second factor begun"),
    "second_factor.refused": noted("Second factor refused"),
    "second_factor.reset": noted("Second factor reset"),
    "session.began": noted("Logged in"),
    "session.ended": noted("Logged out"),
    "session.opened": noted("Second factor given"),
    "session.stepped_up": noted("Proof of who it is given again"),
    "sessions.ended": noted("Sessions ended"),
    "setup.dismissed": noted("First steps dismissed"),
    "setup.keys_copied": noted("Copy of the keys confirmed"),
    "step_up.refused": noted("Proof of who it is refused"),
    "subscription.changed": noted("Subscription changed"),
    "subscription.filter_changed": noted("Filter changed"),
    "subscription.limits_changed": noted("Limits changed"),
    "subscription.max_price_changed": noted("Highest price changed"),
    "subscription.paused": noted("Subscription paused"),
    "subscription.resumed": noted("Subscription resumed"),
    "subscription.schedule_changed": noted("Schedule changed"),
    "subscription.subscribed": noted("Level subscribed to"),
    "subscription.unsubscribed": noted("Level left"),
    "subscription.weight_changed": noted("Weight changed"),
    "template.saved": noted("Message template saved"),
    "user.created": noted("User invited"),
    "user.disabled": noted("User disabled"),
    "user.enabled": noted("User enabled"),
    "user.invitation_handed_over": noted("Invitation link shown"),
    "user.invite_accepted": noted("Invitation accepted"),
    "user.invited_again": noted("User invited again"),
    "user.language_changed": noted("Language of a user changed"),
    "user.password_changed": noted("Password changed"),
    "user.password_reset": noted("Password set anew"),
    "user.password_reset_requested": noted("New password asked for"),
    "user.role_changed": noted("Role changed"),
    "verification.differs": noted("A check of the past does not hold"),
    "webhook_endpoint.changed": noted("Webhook endpoint changed"),
    "webhook_endpoint.created": noted("Webhook endpoint added"),
    "webhook_endpoint.active": noted("Webhook endpoint works again"),
    "webhook_endpoint.disabled": noted("Webhook endpoint disabled"),
    "webhook_endpoint.paused": noted("Webhook endpoint paused"),
    "webhook_endpoint.removed": noted("Webhook endpoint removed"),
    "webhook_endpoint.replayed": noted("Webhooks sent again"),
    "webhook_endpoint.resumed": noted("Webhook endpoint resumed"),
    "webhook_endpoint.secret_retired": noted("Previous secret retired"),
    "webhook_endpoint.secret_rotated": noted("Secret rotated"),
}
"""Every action that is audited."""

ENTITIES: Mapping[str, str] = {
    "api_key": noted("API key"),
    "assignment": noted("assignment"),
    "auto_top_up": noted("auto top-up"),
    "conflict_group": noted("conflict group"),
    "dead_letter": noted("dead letter"),
    "export": noted("export"),
    "intake": noted("leads taken in"),
    "lead": noted("lead"),
    "lead_view": noted("view of leads"),
    "level": noted("level"),
    "marketplace": noted("marketplace"),
    "month": noted("month"),
    "niche": noted("niche"),
    "notification": noted("message"),
    "payment": noted("payment"),
    "payment_doubt": noted("payment in doubt"),
    "payment_method": noted("payment method"),
    "payment_request": noted("payment request"),
    "person_file": noted("a person's data"),
    "postcode_table": noted("postcode table"),
    "provider": noted("provider"),
    "receipt": noted("receipt"),
    "reconciliation": noted("comparison of the books"),
    "session": noted("session"),
    "subscription": noted("subscription"),
    "template": noted("message template"),
    "user": noted("user"),
    "verification": noted("verification"),
    "webhook_endpoint": noted("webhook endpoint"),
}
"""Every kind of thing that is audited."""

_ACTORS: Mapping[str, str] = {
    "anonymous": noted("visitor"),
    "consumer": noted("consumer"),
    "demo": noted("demo"),
    "fairlead": noted("Fairlead"),
    "operator": noted("operator (command\u00a0line)"),
    "setup link": noted("set-up link"),
}
_KINDS_OF_ACTORS: Mapping[str, str] = {
    "gateway": noted("payment gateway"),
    "key": noted("API key"),
    "user": noted("user"),
}


def action_words(action: str) -> str:
    """What was done, in the language of the page; the code itself where it is not listed."""
    return translated(ACTIONS[action]) if action in ACTIONS else action


def entity_words(entity: str) -> str:
    """What kind of thing it was done to, likewise."""
    return translated(ENTITIES[entity]) if entity in ENTITIES else entity.replace("_", " ")


def actor_words(actor: str, names: Mapping[str, str]) -> str:
    """Who it was: a user by its name of `names`, what else acts by what it is.

    >>> actor_words("user:01900000", {"user:01900000": "Ann Example"}), actor_words("fairlead", {})
    ('Ann Example', 'Fairlead')
    """
    if actor in names:
        return names[actor]
    if actor in _ACTORS:
        return translated(_ACTORS[actor])
    kind, _, which = actor.partition(":")
    if kind not in _KINDS_OF_ACTORS:
        return actor
    return f"{translated(_KINDS_OF_ACTORS[kind])} {which[-8:]}"


class ActorNames:
    """`actor_words` for a page that names few actors: the names of users are read when one is first named."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._words: dict[str, str] = {}

    def __call__(self, actor: str) -> str:
        """What people call the actor."""
        if actor not in self._words:
            names = self._database.read(lambda conn: actor_names(conn, [actor]))
            self._words[actor] = actor_words(actor, names)
        return self._words[actor]
