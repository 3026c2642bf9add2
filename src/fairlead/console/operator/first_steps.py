"""The list of first steps in words, each with the page where it is done."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.console.texts import noted
from fairlead.flows.setup_checklist import SetupChecklist, Step


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str
    button: str
    address: str


_OF_STEP: Mapping[Step, _Words] = {
    "second_factor": _Words(
        noted("Operator with a second factor"),
        noted("Keep the recovery codes where the app is not."),
        noted("Set it up"),
        "/login/enrolment?next=/overview",
    ),
    "keys_copied": _Words(
        noted("Copy of the encryption key"),
        noted(
            "Second factors and webhook secrets cannot be read without it. Copy the file encryption_keys of the data "
            "directory, or FAIRLEAD_ENCRYPTION_KEYS, to a place apart from the database's backups."
        ),
        "",
        "",
    ),
    "mail": _Words(
        noted("Mail is not set up"),
        noted(
            "Messages are printed where fairlead serve runs and reach no recipient. Set FAIRLEAD_MAIL_TRANSPORT=smtp, "
            "FAIRLEAD_SMTP_HOST, FAIRLEAD_MAIL_FROM and FAIRLEAD_PUBLIC_URL. Until then you hand over "
            "invitations yourself."
        ),
        "",
        "",
    ),
    "name": _Words(
        noted("Name, time zone, currency, logo"),
        noted("The currency can be changed until money was moved."),
        noted("Open settings"),
        "/settings",
    ),
    "niche": _Words(
        noted("Niche with an active level"),
        noted("A market with its questions and prices: from a template, or by hand."),
        noted("Add a niche"),
        "/niches/new",
    ),
    "public_form": _Words(
        noted("Public form is on"),
        noted("Consumers send their requests by it."),
        noted("Turn it on"),
        "/niches/{niche_id}#intake",
    ),
    "provider_invited": _Words(
        noted("First provider"),
        noted("Add a provider, then invite its users on its page."),
        noted("Add a provider"),
        "/providers/new",
    ),
    "provider_joined": _Words(
        noted("Provider has joined"),
        noted("A user of it has set a password and can log in."),
        noted("Invite a user"),
        "/providers/{provider_id}#users",
    ),
    "subscription": _Words(
        noted("Subscription with money behind it"),
        noted("Add to the balance on the provider's page, or credit a payment; the provider subscribes in its portal."),
        noted("Open the provider"),
        "/providers/{provider_id}",
    ),
    "lead_received": _Words(
        noted("First lead received"),
        noted("Fill in the niche's form yourself to see what consumers see."),
        noted("Open the niche"),
        "/niches/{niche_id}",
    ),
    "lead_sold": _Words(
        noted("First lead sold"),
        noted("Confirmed by its consumer, approved here, and received by a provider."),
        noted("Review leads"),
        "/review",
    ),
}


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step as the list shows it. Without an address there is nothing to open."""

    key: Step
    title: str
    text: str
    button: str
    address: str
    is_done: bool
    is_needed: bool


def first_steps(checklist: SetupChecklist) -> list[FirstStep]:
    """The steps in their order. Where a page is of a niche or provider that is not there yet, its list stands in."""
    return [
        FirstStep(
            each.step, words.title, words.text, words.button, _address(words, checklist), each.is_done, each.is_needed
        )
        for each in checklist.steps
        for words in (_OF_STEP[each.step],)
        if each.is_needed or not each.is_done
    ]


def _address(words: _Words, checklist: SetupChecklist) -> str:
    if "{niche_id}" in words.address and checklist.niche_id is None:
        return "/niches/new"
    if "{provider_id}" in words.address and checklist.provider_id is None:
        return "/providers/new"
    return words.address.format(niche_id=checklist.niche_id, provider_id=checklist.provider_id)
