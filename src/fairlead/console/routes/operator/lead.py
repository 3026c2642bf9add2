"""A lead: its decision as a picture, what was asked for, where it came from, what happened, and what may be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.concurrency_limits import REPLAYS
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import Uuid
from fairlead.console.formats import money_text, number_text
from fairlead.console.operator.decision_picture import choices_of, outcome_sentence, picture_of
from fairlead.console.operator.erasure_words import ErasureOffered, due_texts, notices_of, offered
from fairlead.console.operator.jobs_in_words import message_words
from fairlead.console.operator.lead_facts import (
    answers_of,
    moments_of,
    money_of,
    name_of,
    time_to_sale,
)
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import translated
from fairlead.console.viewer import Viewer
from fairlead.core.errors import Broken, Refused
from fairlead.core.form import FormSchema, FormSchemaError, parse_form_schema
from fairlead.core.lead_actions import permitted_actions
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.throttle import Throttled
from fairlead.flows.erasure.preview import preview_lead
from fairlead.flows.erasure.retention import read_retention
from fairlead.flows.explaining.decision_queues import RecordedQueues, recorded_queues
from fairlead.flows.explaining.distribution_status import distribution_status
from fairlead.flows.explaining.explain import ProviderStory, explain_provider
from fairlead.store.access.users import actor_names
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.listing import ListedLead
from fairlead.store.leads.messages import LeadMessage, messages_of_lead
from fairlead.store.leads.rows import niche_form
from fairlead.store.leads.search import leads_of_contact
from fairlead.store.leads.timeline import LeadEvent, lead_timeline
from fairlead.store.leads.views import (
    LeadAssignment,
    LeadInFull,
    LeadOrigin,
    assignments_of_lead,
    lead_in_full,
    lead_origin,
)
from fairlead.store.lookups import marketplace_currency

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_ASSIGNMENTS = 1_000
MOST_MESSAGES = 1_000
MOST_OTHERS = 6


@dataclass(frozen=True, slots=True)
class LeadRead:
    """Everything that the page reads of a lead at one moment, but for its decision."""

    lead: LeadInFull
    origin: LeadOrigin
    assignments: tuple[LeadAssignment, ...]
    others: tuple[ListedLead, ...]
    events: tuple[LeadEvent, ...]
    messages: tuple[LeadMessage, ...]
    actors: dict[str, str]
    form: FormSchema
    currency: str


def read_lead(conn: Connection, lead_id: str) -> LeadRead:
    """The lead with all that is known of it. Raises `Refused`: `lead_unknown`."""
    lead = lead_in_full(conn, lead_id)
    events = lead_timeline(conn, lead_id)
    others = leads_of_contact(conn, lead.contact_email, lead.contact_phone, None, MOST_OTHERS + 1)
    form = niche_form(conn, lead.niche)
    return LeadRead(
        lead,
        lead_origin(conn, lead_id),
        tuple(assignments_of_lead(conn, lead_id, 1, MOST_ASSIGNMENTS)[1]),
        tuple(each for each in others if each.lead_id != lead_id),
        tuple(events),
        tuple(messages_of_lead(conn, lead_id, MOST_MESSAGES)),
        actor_names(conn, [each.actor for each in events if each.actor]),
        _form(None if form is None else form.form_schema),
        marketplace_currency(conn),
    )


@router.get("/leads/{lead_id}")
def show_lead(
    lead_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.LEADS_READ)],
    database: MarketplaceDatabase,
    page: PageOfRequest,
    entry: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
    provider: Annotated[Uuid | None, Query()] = None,
) -> Response:
    """One lead. `entry` chooses among its decisions, `provider` whose standing is explained."""
    read = database.read(lambda conn: read_lead(conn, lead_id))
    told = _told(database, reader, lead_id, entry, provider)
    story = told.story
    picture = None if story is None else picture_of(story, page.viewer, story.hash)
    amounts = {each.amount_cents for each in read.events} - {None}
    texts = {cents: money_text(cents, read.currency, page.viewer) for cents in amounts if cents is not None}
    return page.render(
        "operator/lead.html",
        reader,
        lead=read.lead,
        name=name_of(lead_id, read.lead.contact_name),
        origin=read.origin,
        others=read.others[:MOST_OTHERS],
        currency=read.currency,
        answers=answers_of(read.lead, read.form, page.viewer),
        moments=moments_of(read.events, read.actors, texts, lead_id),
        assignments=read.assignments,
        money=money_of(read.assignments),
        picture=picture,
        damage=told.damage,
        is_busy=told.is_busy,
        decision_seqs=() if story is None else story.decision_seqs,
        took=time_to_sale(read.lead, None if story is None else story.decision.decided_at),
        outcome=None if picture is None else outcome_sentence(picture),
        providers=() if story is None else choices_of(story),
        standing=told.standing,
        chosen_provider=provider,
        entry=entry,
        messages=read.messages,
        sent_text=_sent_text(read.messages, page.viewer),
        message_words=message_words,
        progress=distribution_status(database, lead_id),
        actions=permitted_actions(read.lead.status, reader.permissions),
        erasure=_erasure(database, reader, read.lead, page.viewer),
        notices=notices_of(read.messages),
        due=due_texts(read_retention(database, read.lead.niche_id).policy, read.lead),
    )


def _erasure(database: Database, reader: Principal, lead: LeadInFull, viewer: Viewer) -> ErasureOffered | None:
    """What erasing the lead would do; None where it is erased, or the reader may not."""
    if lead.erased_at is not None or Permission.PRIVACY_WRITE not in reader.permissions:
        return None
    return offered(preview_lead(database, lead.lead_id), viewer)


def _sent_text(messages: Sequence[LeadMessage], viewer: Viewer) -> str:
    sent = sum(each.state == "sent" for each in messages)
    return translated("%(sent)s of %(all)s sent") % {
        "sent": number_text(sent, viewer),
        "all": number_text(len(messages), viewer),
    }


@dataclass(frozen=True, slots=True)
class _Told:
    """What is rebuilt from the journal: the decision, what is wrong with its past, and one provider's standing.

    `is_busy`: it was not rebuilt, since too much is being rebuilt at once.
    """

    story: RecordedQueues | None = None
    damage: str = ""
    standing: ProviderStory | str | None = None
    is_busy: bool = False


def _told(database: Database, reader: Principal, lead_id: str, entry: int | None, provider_id: str | None) -> _Told:
    """With the limit of the API's routes for the same; beyond it the rest of the page is there all the same."""
    try:
        with REPLAYS.slot(reader.owner):
            story, damage = _story(database, lead_id, entry)
            return _Told(story, damage, _standing(database, lead_id, provider_id, entry))
    except Throttled:
        return _Told(is_busy=True)


def _story(database: Database, lead_id: str, entry: int | None) -> tuple[RecordedQueues | None, str]:
    """The decision, None where there is none; and what is wrong with its past, if anything is."""
    try:
        return recorded_queues(database, lead_id, entry), ""
    except Refused as refused:
        if refused.code == "lead_undecided" and entry is None:
            return None, ""
        raise
    except Broken as broken:
        return None, str(broken)


def _standing(
    database: Database, lead_id: str, provider_id: str | None, entry: int | None
) -> ProviderStory | str | None:
    """Why the provider did or did not receive the lead; a text where that cannot be said."""
    if provider_id is None:
        return None
    try:
        return explain_provider(database, lead_id, provider_id, entry)
    except Refused as refused:
        return str(refused)


def _form(document: object) -> FormSchema:
    try:
        return parse_form_schema(document)
    except FormSchemaError:
        return FormSchema(())
