"""What a roster knows, without the index: a niche's past at one `seq`, to be asked about one provider and one lead.

It is the same fold of the journal as a `Roster`, and can be written down and read back: that is a roster snapshot. A
filter is read when it is asked, so that thousands of subscriptions are there within milliseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import level_from_payload, level_payload
from fairlead.core.fairness import served_rank
from fairlead.core.filters.filter import compile_text
from fairlead.core.fold import Head, fold
from fairlead.core.form import FormSchema, parse_form_schema
from fairlead.core.gates import is_shut, price_refusal, shut_from_text, shut_text, standing_refusal
from fairlead.core.journal import Entry
from fairlead.core.model import PLAIN_TERMS, Level, ProviderTerms, Subscription
from fairlead.core.refusals import Refusal
from fairlead.core.roster import Roster
from fairlead.core.weighted import NO_LEVEL_PASS, LevelPass, pass_in_order, start_pass

FORMAT = 1
"""How a state is written down. Another number is not read: what it stands for can be folded again."""

LOCAL_TIME_FORMAT = 2
"""The same with limits, schedules, conflict groups and what is shut, where there are any."""


def _group_of(terms: ProviderTerms) -> list[str]:
    return [] if terms.conflict_group_id is None else [terms.conflict_group_id]


class RosterState:
    """One niche's levels, provider statuses, living subscriptions and served order at `head.seq`."""

    def __init__(self, niche_id: str) -> None:
        self.niche_id = niche_id
        self.head = Head(0, bytes(32), 1, 0)
        self._is_active = True
        self._max_recipients_per_lead: int | None = None
        self._form: JsonObject | None = None
        self._schema: FormSchema | None = FormSchema(())
        self._levels: dict[str, Level] = {}
        self._statuses: dict[str, str] = {}
        self._terms: dict[str, ProviderTerms] = {}
        self._timed: dict[str, tuple[str | None, str | None]] = {}
        self._max_prices: dict[str, int] = {}
        self._weights: dict[str, int] = {}
        self._passes: dict[str, int] = {}
        self._level_passes: dict[str, LevelPass] = {}
        self._shut: dict[str, Refusal] = {}
        self._columns = _Columns()
        self._filters = _Texts()
        self._served: dict[str, int] = {}
        self._asked: JsonObject | None = None
        self._accepts: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self._columns.row_of)

    @property
    def levels(self) -> Mapping[str, Level]:
        """The living levels by id, active or not."""
        return self._levels

    @property
    def schema(self) -> FormSchema:
        """The niche's form."""
        if self._schema is None:
            self._schema = parse_form_schema(self._form)
        return self._schema

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The living subscription of that id."""
        row = self._columns.row_of.get(subscription_id)
        return None if row is None else self._at(row)

    def subscriptions_of(self, provider_id: str) -> list[Subscription]:
        """The provider's living subscriptions in this niche, by subscription id."""
        own = [self._at(row) for row, own_id in enumerate(self._columns.provider_ids) if own_id == provider_id]
        return sorted(own, key=lambda subscription: subscription.subscription_id)

    def _at(self, row: int) -> Subscription:
        columns = self._columns
        return Subscription(
            columns.ids[row],
            columns.provider_ids[row],
            columns.level_ids[row],
            columns.is_active[row],
            columns.reasons[row],
            self._filters.texts[columns.filters[row]],
            columns.filter_is_valid[row],
            *self._timed.get(columns.ids[row], (None, None)),
            self._max_prices.get(columns.ids[row]),
            weight=self._weights.get(columns.ids[row], 1),
        )

    @property
    def terms(self) -> Mapping[str, ProviderTerms]:
        """The terms of providers, where they are not plain."""
        return self._terms

    def shut_by(self, subscription_id: str) -> Refusal | None:
        """The limit or schedule that shuts the living subscription until the moment that it says, if one does."""
        return self._shut.get(subscription_id)

    def provider_status(self, provider_id: str) -> str | None:
        """A provider's status in this niche's journal; None when it never subscribed here."""
        return self._statuses.get(provider_id)

    @property
    def provider_ids(self) -> set[str]:
        """The providers with a living subscription."""
        return {self._columns.provider_ids[row] for row in self._columns.row_of.values()}

    def served_seq(self, subscription_id: str) -> int | None:
        """When a subscription was last served by the niche's counter; None when it never was."""
        return self._served.get(subscription_id)

    def pass_value(self, subscription_id: str) -> int:
        """The subscription's own pass (R15), also while it is deleted (R12)."""
        return self._passes.get(subscription_id, 0)

    def level_pass(self, level_id: str) -> LevelPass:
        """Where the level stands, or stood while it was weighted."""
        return self._level_passes.get(level_id, NO_LEVEL_PASS)

    def start_pass(self, subscription_id: str, level_id: str) -> int:
        """The pass at which the level's subscription stands in its queue while the level is weighted."""
        return start_pass(self.pass_value(subscription_id), self.served_seq(subscription_id), self.level_pass(level_id))

    def subscriptions_at(self, level_id: str) -> list[Subscription]:
        """The level's living subscriptions in its order (R5, R15), whether they can receive a lead or not."""
        own = [self._at(row) for row, own_id in enumerate(self._columns.level_ids) if own_id == level_id]
        return sorted(own, key=lambda each: self._place(each.subscription_id, each.provider_id, level_id))

    def _place(self, subscription_id: str, provider_id: str, level_id: str) -> tuple[int, int, str]:
        """What sorts the subscriptions of a level in its order."""
        level = self._levels.get(level_id)
        own_pass = self.start_pass(subscription_id, level_id) if level is not None and level.is_weighted else 0
        return own_pass, served_rank(self._served.get(subscription_id), provider_id), provider_id

    def roster(self) -> Roster:
        """A roster that stands at the same entry, ready to decide."""
        roster = Roster(self.niche_id)
        if self._form is not None:
            roster.set_niche(self._is_active, self._form, self._max_recipients_per_lead)
        for level in self._levels.values():
            roster.set_level(level, is_deleted=False)
        for provider_id, status in self._statuses.items():
            roster.set_provider(provider_id, status, self._terms.get(provider_id, PLAIN_TERMS))
        for row in self._columns.row_of.values():
            roster.set_subscription(self._at(row), is_deleted=False)
        for subscription_id, served_seq in self._served.items():
            roster.set_served(subscription_id, served_seq)
        for subscription_id, pass_value in self._passes.items():
            roster.set_pass(subscription_id, pass_value)
        for level_id, level_pass in self._level_passes.items():
            roster.set_level_pass(level_id, level_pass)
        for subscription_id, refusal in self._shut.items():
            roster.set_shut(subscription_id, refusal)
        roster.head = self.head
        return roster

    def count_ahead(
        self, attributes: JsonObject, moment: datetime, subscription: Subscription, price_cents: int
    ) -> int:
        """How many candidates for a lead with these attributes, which costs so much, stand before the subscription."""
        if self._asked is not attributes:  # the levels of one decision ask about the same lead
            self._asked, self._accepts = attributes, {}
        accepts, ahead = self._accepts, 0
        for row in self._ahead_of(subscription):
            number = self._columns.filters[row]
            accepted = accepts.get(number)
            if accepted is None:
                compiled = compile_text(self._filters.texts[number], self.schema)
                accepted = accepts[number] = compiled.accepts(attributes)
            ahead += accepted and self._is_open(self._at(row), moment, price_cents)
        return ahead

    def _ahead_of(self, subscription: Subscription) -> Iterator[int]:
        """The rows of the same level that stand before it in its order."""
        columns, served, level_id = self._columns, self._served, subscription.level_id
        if self._levels[level_id].is_weighted:
            yield from self._due_before(subscription)
            return
        own_seq = served.get(subscription.subscription_id)
        own_place = served_rank(None, subscription.provider_id), subscription.provider_id
        for row, (subscription_id, own_level_id) in enumerate(zip(columns.ids, columns.level_ids, strict=True)):
            if own_level_id != level_id:
                continue
            seq = served.get(subscription_id)
            if own_seq is not None:
                is_ahead = seq is None or seq < own_seq
            else:
                provider_id = columns.provider_ids[row]
                is_ahead = seq is None and (served_rank(None, provider_id), provider_id) < own_place
            if is_ahead:
                yield row

    def _due_before(self, subscription: Subscription) -> Iterator[int]:
        columns, level_id = self._columns, subscription.level_id
        own = self._place(subscription.subscription_id, subscription.provider_id, level_id)
        for row in columns.row_of.values():
            is_beside = columns.level_ids[row] == level_id
            if is_beside and self._place(columns.ids[row], columns.provider_ids[row], level_id) < own:
                yield row

    def _is_open(self, subscription: Subscription, moment: datetime, price_cents: int) -> bool:
        if is_shut(self._shut.get(subscription.subscription_id), moment) or price_refusal(subscription, price_cents):
            return False
        return standing_refusal(subscription, self._statuses.get(subscription.provider_id, "unknown")) is None

    # Following the journal ------------------------------------------------------------------------------------

    def fold(self, entry: Entry) -> None:
        """The state stands at `entry.seq`. Raises as `fold.fold` does."""
        fold(self, entry)

    def set_niche(self, is_active: bool, form_schema: object, max_recipients_per_lead: int | None = None) -> None:
        """The niche's form schema, activity and limit of recipients per lead are these."""
        self._is_active = is_active
        self._max_recipients_per_lead = max_recipients_per_lead
        self._form, self._schema, self._asked = cast("JsonObject", form_schema), None, None

    def set_level(self, level: Level, is_deleted: bool) -> None:
        """The level is as given, or gone."""
        before = self._levels.pop(level.level_id, None)
        if not is_deleted:
            self._levels[level.level_id] = level
        own_pass = pass_in_order(self.level_pass(level.level_id), before and before.order, level.order)
        self.set_level_pass(level.level_id, own_pass)
        for subscription_id in [*self._shut]:
            if self._columns.level_ids[self._columns.row_of[subscription_id]] == level.level_id:
                del self._shut[subscription_id]

    def set_provider(self, provider_id: str, status: str, terms: ProviderTerms = PLAIN_TERMS) -> None:
        """The provider's status and terms are these. What shuts its subscriptions is forgotten."""
        self._statuses[provider_id] = status
        self._terms.pop(provider_id, None)
        if terms != PLAIN_TERMS:
            self._terms[provider_id] = terms
        for subscription_id in [*self._shut]:
            if self._columns.provider_ids[self._columns.row_of[subscription_id]] == provider_id:
                del self._shut[subscription_id]

    def set_subscription(self, subscription: Subscription, is_deleted: bool) -> None:
        """The subscription is as given, or gone; what shut it is forgotten. Its place stays what it was (R12)."""
        columns = self._columns
        columns.remove(subscription.subscription_id)
        self._shut.pop(subscription.subscription_id, None)
        self._timed.pop(subscription.subscription_id, None)
        self._max_prices.pop(subscription.subscription_id, None)
        self._weights.pop(subscription.subscription_id, None)
        if not is_deleted:
            if subscription.weight != 1:
                self._weights[subscription.subscription_id] = subscription.weight
            if subscription.max_price_cents is not None:
                self._max_prices[subscription.subscription_id] = subscription.max_price_cents
            if subscription.goes_by_local_time:
                self._timed[subscription.subscription_id] = (subscription.limits_text, subscription.schedule_text)
            columns.add(subscription, self._filters.number(subscription.filter_text))

    def set_served(self, subscription_id: str, served_seq: int) -> None:
        """The subscription was served last at `served_seq`."""
        self._served[subscription_id] = served_seq

    def set_pass(self, subscription_id: str, pass_value: int) -> None:
        """The subscription, living or not, has this pass of its own (R15)."""
        self._passes[subscription_id] = pass_value
        if pass_value == 0:
            del self._passes[subscription_id]

    def set_level_pass(self, level_id: str, level_pass: LevelPass) -> None:
        """The level stands there (R15)."""
        self._level_passes[level_id] = level_pass
        if level_pass == NO_LEVEL_PASS:
            del self._level_passes[level_id]

    def set_shut(self, subscription_id: str, refusal: Refusal) -> None:
        """The living subscription is shut by this refusal, until the moment that it says."""
        self._shut[subscription_id] = refusal

    def forget_served(self, subscription_id: str) -> None:
        """The subscription, living or not, stands among those never served."""
        self._served.pop(subscription_id, None)

    def open(self, subscription_id: str) -> None:
        """What shuts the living subscription is forgotten."""
        self._shut.pop(subscription_id, None)

    # Writing down and reading back ----------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """The state as a JSON object, the same for equal states. It holds no personal data: filters, ids, numbers."""
        rows = [self._columns.row_of[each] for each in sorted(self._columns.row_of)]
        columns = self._columns
        filters = sorted({self._filters.texts[columns.filters[row]] for row in rows})
        number_of = {text: number for number, text in enumerate(filters)}
        document = {
            "format": FORMAT,
            "niche_id": self.niche_id,
            "seq": self.head.seq,
            "hash": self.head.hash.hex(),
            "next_start_order_position": self.head.next_start_order_position,
            "last_served_seq": self.head.last_served_seq,
            "is_active": self._is_active,
            "form_schema": self._form,
            "levels": [level_payload(level, is_deleted=False) for _, level in sorted(self._levels.items())],
            "providers": dict(sorted(self._statuses.items())),
            "filters": filters,
            "subscriptions": {
                "ids": [columns.ids[row] for row in rows],
                "provider_ids": [columns.provider_ids[row] for row in rows],
                "level_ids": [columns.level_ids[row] for row in rows],
                "is_active": [columns.is_active[row] for row in rows],
                "reasons": [columns.reasons[row] for row in rows],
                "filters": [number_of[self._filters.texts[columns.filters[row]]] for row in rows],
                "filter_is_valid": [columns.filter_is_valid[row] for row in rows],
            },
            "served": dict(sorted(self._served.items())),
        }
        if self._max_recipients_per_lead is not None:
            document["max_recipients_per_lead"] = self._max_recipients_per_lead
        if self._max_prices:
            document["max_prices"] = dict(sorted(self._max_prices.items()))
        return {**document, **self._shares(), **self._local_time()}

    def _shares(self) -> dict[str, Any]:
        told = {
            "weights": dict(sorted(self._weights.items())),
            "passes": dict(sorted(self._passes.items())),
            "level_passes": {level_id: asdict(own) for level_id, own in sorted(self._level_passes.items())},
        }
        return {name: values for name, values in told.items() if values}

    def _local_time(self) -> dict[str, Any]:
        if not (self._terms or self._timed or self._shut):
            return {}
        return {
            "format": LOCAL_TIME_FORMAT,
            "terms": {
                provider_id: [terms.timezone, terms.limits_text, terms.schedule_text, *_group_of(terms)]
                for provider_id, terms in sorted(self._terms.items())
            },
            "timed": {subscription_id: [*texts] for subscription_id, texts in sorted(self._timed.items())},
            "shut": {subscription_id: shut_text(refusal) for subscription_id, refusal in sorted(self._shut.items())},
        }

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "RosterState":
        """The state that `document` wrote down. Raises ValueError or LookupError for another format."""
        if document["format"] not in (FORMAT, LOCAL_TIME_FORMAT):
            raise ValueError("a state of another format")
        state = RosterState(document["niche_id"])
        state.head = Head(
            document["seq"],
            bytes.fromhex(document["hash"]),
            document["next_start_order_position"],
            document["last_served_seq"],
        )
        if document["form_schema"] is not None:
            limit = document.get("max_recipients_per_lead")
            state.set_niche(document["is_active"], document["form_schema"], limit)
        for payload in document["levels"]:
            state.set_level(*level_from_payload(payload))
        state._statuses, state._served = document["providers"], document["served"]
        state._filters = _Texts(document["filters"])
        state._columns = _Columns(**document["subscriptions"])
        state._max_prices = document.get("max_prices", {})
        state._weights, state._passes = document.get("weights", {}), document.get("passes", {})
        level_passes = document.get("level_passes", {})
        state._level_passes = {level_id: LevelPass(**own) for level_id, own in level_passes.items()}
        if document["format"] == LOCAL_TIME_FORMAT:
            state._terms = {own_id: ProviderTerms(*terms) for own_id, terms in document["terms"].items()}
            state._timed = {own_id: (texts[0], texts[1]) for own_id, texts in document["timed"].items()}
            state._shut = {own_id: shut_from_text(text) for own_id, text in document["shut"].items()}
        return state


class _Columns:
    """The subscriptions, a row each. Columns are read from JSON and gone through many times as fast as objects.

    A row that is not living any more has no level, and its subscription no row.
    """

    def __init__(self, **columns: list[Any]) -> None:
        self.ids: list[str] = columns.get("ids", [])
        self.provider_ids: list[str] = columns.get("provider_ids", [])
        self.level_ids: list[str] = columns.get("level_ids", [])
        self.is_active: list[bool] = columns.get("is_active", [])
        self.reasons: list[str | None] = columns.get("reasons", [])
        self.filters: list[int] = columns.get("filters", [])
        self.filter_is_valid: list[bool] = columns.get("filter_is_valid", [])
        self.row_of = {subscription_id: row for row, subscription_id in enumerate(self.ids)}
        if any(len(column) != len(self.row_of) for column in columns.values()):
            raise ValueError("columns of different lengths")

    def add(self, subscription: Subscription, filter_number: int) -> None:
        """The subscription, which has no row, has one."""
        self.row_of[subscription.subscription_id] = len(self.ids)
        self.ids.append(subscription.subscription_id)
        self.provider_ids.append(subscription.provider_id)
        self.level_ids.append(subscription.level_id)
        self.is_active.append(subscription.is_active)
        self.reasons.append(subscription.deactivation_reason)
        self.filters.append(filter_number)
        self.filter_is_valid.append(subscription.filter_is_valid)

    def remove(self, subscription_id: str) -> None:
        """The subscription has no row."""
        row = self.row_of.pop(subscription_id, None)
        if row is not None:
            self.level_ids[row] = self.provider_ids[row] = ""


class _Texts:
    """Texts by number, each once."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts = [*texts]
        self._number_of = {text: number for number, text in enumerate(texts)}

    def number(self, text: str) -> int:
        """The text's number, from now on."""
        number = self._number_of.setdefault(text, len(self.texts))
        if number == len(self.texts):
            self.texts.append(text)
        return number
