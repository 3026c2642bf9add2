"""What the list of leads shows: its filters as an address has them, saved views as links, and each lead in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BeforeValidator

from fairlead.api.schemas.lead_filters import IdPrefix, LeadOrder, LeadPeriod, Source
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import Slug
from fairlead.console.formats import day_text, number_text
from fairlead.console.operator.lead_facts import name_of
from fairlead.console.periods import EARLIEST, LATEST, TITLES
from fairlead.console.refusal_texts import reason_text
from fairlead.console.statuses import Tone, word_of
from fairlead.console.texts import noted, translated
from fairlead.console.viewer import Viewer
from fairlead.core.errors import BadInput
from fairlead.flows.lead_list import LeadInList
from fairlead.flows.lead_views import LEAD_COLUMNS, USUAL_COLUMNS, LeadColumn
from fairlead.store.leads.listing import LeadFilter, LeadOutcome
from fairlead.store.leads.rows import LeadStatus
from fairlead.store.leads.saved_views import SavedView

PATH = "/leads"
_DAYS = {"today": 1, "7": 7, "30": 30}

COLUMN_TITLES: Mapping[LeadColumn, str] = {
    "niche": noted("Niche"),
    "status": noted("Status"),
    "source": noted("Source"),
    "outcome": noted("Outcome"),
    "revenue": noted("Revenue"),
    "received": noted("Received"),
    "approved": noted("Approved"),
    "attempts": noted("Attempts"),
    "lead_id": noted("Id"),
}
OUTCOME_TITLES: Mapping[LeadOutcome, str] = {
    "sold": noted("sold"),
    "partial": noted("sold in part"),
    "unsold": noted("unsold"),
    "failed": noted("given up"),
    "rejected": noted("rejected"),
}
_FILTER_TITLES: Mapping[str, str] = {
    "niche": noted("Niche"),
    "status": noted("Status"),
    "source": noted("Source"),
    "outcome": noted("Outcome"),
    "period": noted("Received"),
    "from": noted("From"),
    "to": noted("Until"),
    "created_from": noted("From"),
    "created_before": noted("Before"),
    "id_prefix": noted("Id begins with"),
}


def _none_if_blank(given: object) -> object:
    return None if isinstance(given, str) and not given.strip() else given


_BLANK = BeforeValidator(_none_if_blank)
"""A form without a choice sends an empty text."""


@dataclass(frozen=True, slots=True)
class ChosenLeads:
    """Which leads an address asks for, in which columns and order. `given` is that as the address has it."""

    given: Mapping[str, str]
    filter: LeadFilter
    columns: tuple[LeadColumn, ...]
    order: LeadOrder

    @property
    def address(self) -> str:
        """The list so, from its beginning."""
        return self.address_with()

    def address_with(self, **changed: str | None) -> str:
        """The same list with these parameters changed, and without those that are None."""
        given = {name: self.given.get(name) for name in _FILTER_TITLES}  # always in one order: views are told by it
        parameters = {**given, **self._shown}
        kept = {name: value for name, value in {**parameters, **changed}.items() if value}
        return f"{PATH}?{urlencode(kept)}" if kept else PATH

    @property
    def hidden(self) -> Mapping[str, str]:
        """Columns and order, for a form that chooses other filters."""
        return self._shown

    @property
    def _shown(self) -> dict[str, str]:
        shown = {} if self.columns == USUAL_COLUMNS else {"columns": ",".join(self.columns) or "none"}
        return shown if self.order == "newest" else {**shown, "order": self.order}

    @property
    def saved_filters(self) -> Mapping[str, str]:
        """The filters as a saved view keeps them: days of one's own choice as moments."""
        kept = {name: value for name, value in self.given.items() if name not in ("from", "to")}
        if "from" in self.given:
            kept["created_from"] = _moment_text(self.filter.created_from) or ""
        if "to" in self.given:
            kept["created_before"] = _moment_text(self.filter.created_before) or ""
        return kept

    @property
    def export_address(self) -> str:
        """Where these leads are exported, by the names of the API's parameters."""
        wanted = self.filter
        parameters = {
            "niche": wanted.niche_slug,
            "status": wanted.status,
            "source": wanted.source,
            "outcome": wanted.outcome,
            "created_from": _moment_text(wanted.created_from),
            "created_before": _moment_text(wanted.created_before),
            "id_prefix": wanted.id_prefix,
        }
        return "/exports/new?" + urlencode({"kind": "leads", **{n: v for n, v in parameters.items() if v}})


def chosen_leads(
    viewer: Viewer, now: datetime, filters: Mapping[str, str], columns: Sequence[str] | None, order: LeadOrder
) -> ChosenLeads:
    """What these parameters ask for, each of which is checked by itself. Days are those of the viewer's zone."""
    today = now.astimezone(viewer.zone).date()
    froms = [_moment(filters.get("created_from"))]
    befores = [_moment(filters.get("created_before"))]
    if filters.get("period"):
        froms.append(_start(today - timedelta(days=_DAYS[filters["period"]] - 1), viewer))
    if filters.get("from"):
        froms.append(_start(date.fromisoformat(filters["from"]), viewer))
    if filters.get("to"):
        befores.append(_start(date.fromisoformat(filters["to"]) + timedelta(days=1), viewer))
    wanted = LeadFilter(
        filters.get("niche"),
        filters.get("status"),
        max((each for each in froms if each is not None), default=None),
        min((each for each in befores if each is not None), default=None),
        filters.get("id_prefix"),
        filters.get("source"),
        filters.get("outcome"),  # pyright: ignore[reportArgumentType]  # one of them, as it was checked
    )
    shown: tuple[LeadColumn, ...] = USUAL_COLUMNS
    if columns is not None:
        shown = tuple(column for column in LEAD_COLUMNS if column in columns)
    return ChosenLeads(filters, wanted, shown, order)


def filters_in_address(
    niche: Annotated[Slug | None, _BLANK, Query()] = None,
    status: Annotated[LeadStatus | None, _BLANK, Query()] = None,
    source: Annotated[Source | None, _BLANK, Query(max_length=200)] = None,
    outcome: Annotated[LeadOutcome | None, _BLANK, Query()] = None,
    period: Annotated[LeadPeriod | None, _BLANK, Query()] = None,
    first: Annotated[date | None, _BLANK, Query(alias="from")] = None,
    last: Annotated[date | None, _BLANK, Query(alias="to")] = None,
    created_from: From = None,
    created_before: Before = None,
    id_prefix: Annotated[IdPrefix, _BLANK] = None,
) -> Mapping[str, str]:
    """For a page's dependency: the filters that were given, by name. An empty one counts as none."""
    if any(each is not None and not EARLIEST <= each <= LATEST for each in (first, last)):
        raise BadInput([f"from, to: must be days from {EARLIEST} to {LATEST}"])
    given = {
        "niche": niche,
        "status": status,
        "source": source,
        "outcome": outcome,
        "period": period,
        "from": first and first.isoformat(),
        "to": last and last.isoformat(),
        "created_from": _moment_text(created_from),
        "created_before": _moment_text(created_before),
        "id_prefix": id_prefix,
    }
    return {name: value for name, value in given.items() if value}


def _moment_text(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _start(first: date, viewer: Viewer) -> datetime:
    return datetime.combine(first, time(), viewer.zone)


@dataclass(frozen=True, slots=True)
class FilterChip:
    """A filter in force, and the list without it."""

    title: str
    value: str
    address: str


def chips_of(chosen: ChosenLeads, viewer: Viewer, niches: Mapping[str, str]) -> list[FilterChip]:
    """Every filter in force. `niches` has their names by slug."""
    return [
        FilterChip(
            translated(_FILTER_TITLES[name]),
            _filter_value(name, value, viewer, niches),
            chosen.address_with(**{name: None}),
        )
        for name, value in chosen.given.items()
    ]


def _filter_value(name: str, value: str, viewer: Viewer, niches: Mapping[str, str]) -> str:
    if name == "niche":
        return niches.get(value, value)
    if name == "status":
        return word_of(value)
    if name == "outcome":
        return translated(next(title for outcome, title in OUTCOME_TITLES.items() if outcome == value))
    if name == "period":
        return translated(TITLES[value])
    if name in ("from", "to"):
        return day_text(date.fromisoformat(value), viewer)
    if name in ("created_from", "created_before"):
        local = datetime.fromisoformat(value).astimezone(viewer.zone)
        return f"{day_text(local.date(), viewer)} {local:%H:%M}"
    return value


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A saved view, and the list that it shows. `view_id` is "" for the one of all leads."""

    view_id: str
    name: str
    address: str
    is_shared: bool
    is_current: bool


def view_links(views: Iterable[SavedView], viewer: Viewer, now: datetime, current: ChosenLeads) -> list[ViewLink]:
    """All leads, then the saved views."""
    everything = chosen_leads(viewer, now, {}, None, "newest")
    links = [ViewLink("", translated("All leads"), PATH, is_shared=True, is_current=current.address == PATH)]
    for view in views:
        order: Literal["newest", "oldest"] = "oldest" if view.is_oldest_first else "newest"
        chosen = chosen_leads(viewer, now, view.filters, view.columns, order)
        address = replace(everything, given=view.filters, columns=chosen.columns, order=order).address
        links.append(ViewLink(view.view_id, view.name, address, view.is_shared, address == current.address))
    return links


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead as the list shows it. `most_cents` is what it brings if every slot is sold, if it waits for approval."""

    lead_id: str
    name: str
    is_named: bool
    niche: str
    niche_name: str
    status: str
    source: str
    outcome: str
    outcome_tone: Tone
    net_cents: int | None
    created_at: datetime
    approved_at: datetime | None
    attempts: int
    most_cents: int


def rows_of(
    leads: Iterable[LeadInList], viewer: Viewer, most_cents: Mapping[str, int], *, with_names: bool
) -> list[LeadRow]:
    """The leads in words. `most_cents` is by niche; `with_names`: the reader may see contact data."""
    return [_row(each, viewer, most_cents, with_names=with_names) for each in leads]


def _row(found: LeadInList, viewer: Viewer, most_cents: Mapping[str, int], *, with_names: bool) -> LeadRow:
    lead = found.lead
    contact_name = lead.contact_name if with_names else None
    text, tone = outcome_text(found, viewer)
    return LeadRow(
        lead.lead_id,
        name_of(lead.lead_id, contact_name),
        contact_name is not None,
        lead.niche,
        lead.niche_name,
        lead.status,
        lead.utm_source or "",
        text,
        tone,
        found.net_cents if found.assignment_count else None,
        lead.created_at,
        lead.approved_at,
        lead.distribution_attempts,
        most_cents.get(lead.niche, 0) if lead.status == "pending_approval" else 0,
    )


def outcome_text(found: LeadInList, viewer: Viewer) -> tuple[str, Tone]:
    """What became of the lead, in a few words, and what that means for the sale."""
    if found.outcome in ("sold", "partial"):
        counts = {
            "count": number_text(found.assignment_count, viewer),
            "slots": number_text(found.slot_count or found.assignment_count, viewer),
        }
        return translated("sold %(count)s of %(slots)s") % counts, "ok"
    if found.outcome == "unsold":
        if found.unsold_reason is None:
            return translated("unsold: no provider subscribed"), "wait"
        return translated("unsold: %(reason)s") % {"reason": reason_text(found.unsold_reason).lower()}, "wait"
    if found.outcome == "failed":
        return translated("given up"), "bad"
    if found.outcome == "bad":
        return (translated("bad, refunded") if found.refunded_count else translated("bad")), "bad"
    if found.outcome == "rejected":
        return translated("rejected"), "off"
    return (translated("its decision is awaited"), "wait") if found.lead.awaits_decision else ("", "off")
