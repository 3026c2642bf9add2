"""What pages say of exports: the kinds in words, what may be chosen of each, and what was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fairlead.api.routes.admin.operations.export_requests import ExportState
from fairlead.console.operator import dead_letter_words
from fairlead.console.statuses import word_of
from fairlead.console.texts import noted, translated
from fairlead.core.canonical import timestamp_from_text
from fairlead.core.permissions import Permission
from fairlead.flows.exporting.kinds import KINDS, ExportKind
from fairlead.store.leads.listing import LEAD_OUTCOMES
from fairlead.store.leads.rows import LEAD_STATUSES

UNDER_WAY = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class KindText:
    """A kind of export: its title, and in one sentence what a row of it is."""

    title: str
    text: str


KIND_TEXTS: Mapping[str, KindText] = {
    "leads": KindText(noted("Leads"), noted("A row for each lead: what came in, its answers, and what became of it.")),
    "assignments": KindText(
        noted("Assignments"), noted("A row for each lead that a provider received: when, at which level, for how much.")
    ),
    "decisions": KindText(
        noted("Distribution history"),
        noted("A row for each decision and level: who received the lead, and who was refused why."),
    ),
    "refusals": KindText(
        noted("Refusals"), noted("A row for each subscription that a decision refused, with the reason in a sentence.")
    ),
    "ledger": KindText(noted("Ledger"), noted("A row for each movement of money, with the balance after it.")),
    "receipts": KindText(
        noted("Receipts"),
        noted("A row for each receipt and credit note: number, amount, tax, how it was paid, and whom it names."),
    ),
    "journal": KindText(noted("Journals"), noted("A row for each entry of the niches' journals, with its hash.")),
    "audit": KindText(noted("Audit log"), noted("A row for each thing that was done: who, when, from what to what.")),
    "report_period": KindText(
        noted("Period in figures"), noted("One row for the days that you choose, one for as many days before.")
    ),
    "report_period_parts": KindText(
        noted("Period by day"), noted("A row for each day, or each hour of one or two days.")
    ),
    "report_open_slots": KindText(noted("Open slots"), noted("A row for each reason for which slots stayed open.")),
    "report_revenue": KindText(noted("Revenue"), noted("A row for each day, niche and level with a sale or a refund.")),
    "report_funnel": KindText(
        noted("Funnel"), noted("A row for each day and niche: what came in, and what became of it.")
    ),
    "report_provider_activity": KindText(
        noted("Provider activity"), noted("A row for each provider: what it received, paid, accepted and reported.")
    ),
    "report_sources": KindText(
        noted("Lead sources"), noted("A row for each source: what its leads brought, and what of it was given back.")
    ),
    "report_outcomes": KindText(
        noted("Outcomes"), noted("A row for each niche: how many of its decisions sold their lead.")
    ),
    "report_recipients": KindText(
        noted("Recipients per lead"), noted("A row for each number of providers that decisions sold their lead to.")
    ),
    "report_refunds": KindText(
        noted("Refund rates"), noted("A row for each level, provider and source: what of its assignments was refunded.")
    ),
    "report_refusals": KindText(
        noted("Refusals by day"), noted("A row for each day and reason for which subscriptions were refused.")
    ),
    "report_fairness": KindText(
        noted("Fairness"), noted("A row for each level of one niche: starts, decisions and waits.")
    ),
    "report_fill_rate": KindText(
        noted("Fill rate"), noted("A row for each level of one niche: slots offered and filled.")
    ),
    "report_shares": KindText(
        noted("Shares"), noted("A row for each subscription of one niche: what it received beside an equal share.")
    ),
    "report_entitlement": KindText(
        noted("Entitlement"),
        noted("A row for each subscription of one niche: what it received beside what it could have had."),
    ),
}

FORMAT_TEXTS: Mapping[str, str] = {
    "csv": noted("CSV, for spreadsheets"),
    "jsonl": noted("JSON, a line for each row"),
    "parquet": noted("Parquet, with typed columns"),
}

_FILTER_TEXTS: Mapping[str, str] = {
    "niche": noted("Niche"),
    "provider_id": noted("Provider"),
    "status": noted("Status"),
    "source": noted("Source"),
    "outcome": noted("Outcome"),
    "id_prefix": noted("Id begins with"),
    "reason": noted("Reason"),
    "entry_kind": noted("Kind of entry"),
    "actor": noted("Actor"),
    "action": noted("Action"),
    "entity": noted("Kind of thing"),
    "entity_id": noted("Its id"),
}


@dataclass(frozen=True, slots=True)
class FilterField:
    """A filter of the form, by its name in the API. Without `choices` it is typed."""

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]] = ()
    is_required: bool = False


def may_have(kind: ExportKind, permissions: frozenset[Permission]) -> bool:
    """Whether an actor with these permissions may have exports of this kind."""
    return bool(kind.permissions & permissions)


def offered_kinds(permissions: frozenset[Permission], *, reports: bool) -> list[tuple[str, str, str]]:
    """Name, title and text of the kinds that an actor with these permissions may have."""
    return [
        (kind.name, translated(KIND_TEXTS[kind.name].title), translated(KIND_TEXTS[kind.name].text))
        for kind in KINDS.values()
        if kind.is_report == reports and may_have(kind, permissions)
    ]


def filter_fields(kind: ExportKind, given: Mapping[str, str], niches: Sequence[tuple[str, str]]) -> list[FilterField]:
    """The filters that the kind knows, with the values that were given in the address."""
    found: list[FilterField] = []
    for name in kind.filters:
        api_name = "provider_id" if name == "provider" else name
        is_required = name == "niche" and kind.needs_niche
        choices = _choices(kind.name, name, niches)
        if choices and not is_required:
            choices = [("", translated("all")), *choices]
        label = translated(_FILTER_TEXTS[api_name])
        found.append(FilterField(api_name, label, given.get(api_name, ""), choices, is_required))
    return found


def _choices(kind: str, name: str, niches: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    if name == "niche":
        return niches
    if name == "status" and kind == "leads":
        return [(each, word_of(each)) for each in LEAD_STATUSES]
    if name == "status":
        return [(each, word_of(each)) for each in ("active", "accepted", "rejected", "refunded")]
    if name == "outcome" and kind == "leads":
        return [(each, word_of(each)) for each in LEAD_OUTCOMES]
    return [(each, word_of(each)) for each in ("success", "partial", "no_eligible")] if name == "outcome" else ()


def chosen_words(state: ExportState, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Which rows were chosen: name and value of each filter, the span of time first.

    `names`: what niches are called by their slugs, and providers by their ids.
    """
    given = state.parameters
    found: list[tuple[str, str]] = []
    if "time_from" in given:
        found.append((translated("From"), f"{timestamp_from_text(given['time_from']):%Y-%m-%d}"))
    if "time_before" in given:
        last = timestamp_from_text(given["time_before"]) - timedelta(microseconds=1)
        found.append((translated("Through"), f"{last:%Y-%m-%d}"))
    for name in ("niche", "provider_id"):
        if name in given:
            found.append((translated(_FILTER_TEXTS[name]), names.get(given[name], str(given[name]))))
    for name, value in given.get("filters", {}).items():
        found.append((translated(_FILTER_TEXTS[name]), word_of(value) if name in ("status", "outcome") else str(value)))
    if given.get("columns"):
        found.append((translated("Columns"), ", ".join(given["columns"])))
    return found


def title_of(kind: str) -> str:
    """What the kind is called."""
    return translated(KIND_TEXTS[kind].title)


def cause_of(state: ExportState) -> str:
    """Why the export failed, in the language of the page; the kind of error where there are no words for it."""
    cause = dead_letter_words.cause_of(state.error or "")
    return cause.words or cause.error
