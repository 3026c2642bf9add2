"""A marketplace in plain Python, written from the rules alone. It imports nothing of Fairlead, and never may."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction

from tests.model.in_doubt import ASKED_AGAIN_AFTER, OF_MONEY_THAT_CAME, Doubt, answers_of
from tests.model.local_time import DAY, NO_TERMS, Terms, takes_leads, window
from tests.model.prices import PriceRule, asked_price
from tests.model.shares import Standing
from tests.model.top_ups import Payment, TopUp, TopUps

REPORTED_WITHIN = 14 * DAY
Rules = tuple[tuple[str, object], ...]
"""A filter: operators and values, all about the lead's age; `any` has several such rules, and `not` has one."""


@dataclass
class Niche:
    name: str
    asks_age: bool = True
    is_active: bool = True
    pointer: int = 1
    served: int = 0
    returns_turn: bool = False
    """Whether a refund puts its subscription where it stood before the lead."""
    leaves_limits: bool = False
    """Whether a refunded lead counts in no limit any more."""
    most: int | None = None
    """To how many providers a lead goes, over all levels; None: to as many as the levels take."""


@dataclass
class Level:
    niche: str
    name: str
    price: int
    most: int
    position: int
    is_active: bool = True
    is_exclusive: bool = False
    price_rules: tuple[PriceRule, ...] = ()
    is_weighted: bool = False
    standing: Standing = field(default_factory=Standing)
    """Where it stands while leads go by weights."""

    @property
    def lowest(self) -> int:
        """The least that it can ask."""
        return min([self.price, *(rule.price for rule in self.price_rules)])


@dataclass
class Provider:
    number: int
    zone: str = "UTC"
    balance: int = 0
    credit: int = 0
    status: str = "active"
    owner: str | None = None
    terms: Terms = NO_TERMS

    @property
    def available(self) -> int:
        return self.balance + self.credit


@dataclass
class Subscription:
    """`inactive` says why it is inactive; `place` is when it was served last."""

    provider: str
    level: Level
    rules: Rules = ()
    inactive: str | None = None
    place: int | None = None
    places: dict[int, int] = field(default_factory=dict)
    """By lead, where it put the subscription; without those given back."""
    is_gone: bool = False
    terms: Terms = NO_TERMS
    pays_at_most: int | None = None
    weight: int = 1
    passed: Fraction = Fraction(0)
    """What it was charged where leads go by weights."""
    charged: dict[int, int] = field(default_factory=dict)
    """By lead, the weight at which it was charged for it."""


@dataclass
class Lead:
    niche: str
    age: int | None
    came: datetime
    status: str = "approved"
    is_waiting: bool = True
    attempts: int = 0
    outcome: str | None = None
    is_erased: bool = False


@dataclass(frozen=True)
class Sale:
    """What a limit counts, until it is paid back in a niche where such a lead leaves limits."""

    moment: datetime
    lead: int
    provider: str
    level: str
    price: int


@dataclass(frozen=True)
class Closed:
    """Those that a schedule or a limit kept from the lead at a level.

    `passed` the walk came by, with the reason. `behind` is how many it never came to: whether one of those is known to
    be closed depends on earlier leads, and is none of the model's business.
    """

    level: str
    passed: tuple[tuple[str, str], ...]
    behind: int


@dataclass(frozen=True)
class Decision:
    lead: int
    start: int | None
    next: int
    outcome: str
    received: tuple[tuple[str, str, int], ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    already: tuple[tuple[str, int], ...] = ()
    """By level, how many had the lead from an earlier one."""
    rivals: tuple[tuple[str, int], ...] = ()
    """By level, how many were kept from the lead by another provider of their owner."""
    late: tuple[tuple[str, int], ...] = ()
    """By level, how many came too late for the lead."""
    too_dear: tuple[tuple[str, int], ...] = ()
    """By level, how many would pay less than the lead costs there."""
    closed: tuple[Closed, ...] = field(default=(), compare=False)

    def where_told(self, hidden: set[str]) -> "Decision":
        """The decision without the counts at these levels, which depend on who is known to be closed."""

        def seen(counts: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
            return tuple(each for each in counts if each[0] not in hidden)

        return replace(self, already=seen(self.already), rivals=seen(self.rivals), late=seen(self.late))


@dataclass
class Model:
    """What the tables must say. Amounts are in cents; levels and providers go by their names."""

    niches: dict[str, Niche] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    subscriptions: dict[tuple[str, str], Subscription] = field(default_factory=dict)
    leads: list[Lead] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    refunded: set[tuple[int, str]] = field(default_factory=set)
    """Which lead was paid back to whom."""
    now: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    sales: list[Sale] = field(default_factory=list)
    uncounted: set[tuple[int, str]] = field(default_factory=set)
    """Which lead counts in no limit of whom any more."""
    reports: dict[tuple[int, str], str] = field(default_factory=dict)
    """What became of reports of bad leads: open, accepted or rejected."""
    top_ups: TopUps = field(default_factory=TopUps)
    doubts: list[Doubt] = field(default_factory=list)
    credited: set[str] = field(default_factory=set)
    """The charges of the gateway that are on a balance."""

    # What people do -------------------------------------------------------------------------------------------

    def deposit(self, provider: str, cents: int) -> None:
        self._move(provider, cents)
        self._fund(each for each in self.living() if each.provider == provider)

    def debit(self, provider: str, cents: int) -> bool:
        """So much is taken by hand; False, and nothing is, where the balance itself has less, whatever the credit."""
        if self.providers[provider].balance < cents:
            return False
        self.deposit(provider, -cents)
        return True

    def sold(self) -> list[tuple[int, str, int]]:
        """Every assignment: the lead, who bought it, for how much."""
        return [(each.lead, name, price) for each in self.decisions for _, name, price in each.received]

    def refund(self, lead: int, provider: str) -> bool:
        """The price is paid back; False when it had been before."""
        if (lead, provider) in self.refunded:
            return False
        self.refunded.add((lead, provider))
        [(level, price)] = [
            (level, price)
            for each in self.decisions
            for level, name, price in each.received
            if (each.lead, name) == (lead, provider)
        ]
        if self.niches[self.leads[lead].niche].returns_turn:
            own = self.subscriptions[provider, level]
            del own.places[lead]
            own.place = max(own.places.values(), default=None)
            if lead in own.charged:
                own.passed -= Fraction(1, own.charged[lead])
        if self.niches[self.leads[lead].niche].leaves_limits:
            self.uncounted.add((lead, provider))
        if self.reports.get((lead, provider)) == "open":
            self.reports[lead, provider] = "accepted"
        self.deposit(provider, price)
        return True

    def report_payment(self, payment: Payment, said: str, charge: str, reason: str = "card_declined") -> None:
        """The gateway says that of a payment, and names the charge."""
        if said in ("paid", "another amount"):
            self._paid(payment, charge, payment.cents + (said == "another amount"))
        if said == "failed" and payment.state == "pending":
            self.top_ups.failed(payment, reason, False, self.now)
        if said in ("refunded", "disputed"):
            self.doubt(Doubt(said, payment, charge, payment.cents))

    def _paid(self, payment: Payment, charge: str, cents: int) -> None:
        """It is credited once, and what came otherwise than it was asked for an operator decides on."""
        if payment.state == "succeeded":
            is_told = any(each.charge == charge and each.kind in OF_MONEY_THAT_CAME for each in self.doubts)
            if charge != payment.charge and not is_told:
                self.doubt(Doubt("paid_twice", payment, charge, cents))
        elif cents != payment.cents or charge in self.credited:
            kind = "not_creditable" if cents == payment.cents else "other_amount"
            if self.doubt(Doubt(kind, payment, charge, cents)):
                payment.state, payment.ask_at = "in_review", None
        else:
            payment.charge = charge
            self.credited.add(charge)
            self.deposit(payment.provider, cents)
            balance = self.providers[payment.provider].balance
            self.top_ups.over(payment, "succeeded", balance, self.now, is_credited=True)

    def doubt(self, new: Doubt) -> bool:
        """An operator is told, once of each kind and charge, or payment; False where that was before."""
        alike = [each for each in self.doubts if (each.kind, each.charge) == (new.kind, new.charge)]
        if any(new.charge or each.payment is new.payment for each in alike):
            return False
        self.doubts.append(new)
        return True

    def resolve(self, doubt: Doubt, to: str | None, *, is_credited: bool) -> bool:
        """An operator credits what came to a provider, or closes it; False where that is refused."""
        is_of_money = doubt.kind in OF_MONEY_THAT_CAME and doubt.charge not in self.credited
        if doubt.resolution is not None or (is_credited and (not is_of_money or to is None)):
            return False
        doubt.resolution, payment = "credited" if is_credited else "closed", doubt.payment
        if is_credited:
            assert to is not None
            assert doubt.charge is not None
            self.credited.add(doubt.charge)
            self.deposit(to, doubt.cents)
        never_answered = doubt.kind == "no_answer" and payment is not None and payment.state == "pending"
        if payment is not None and (payment.state == "in_review" or never_answered):
            balance = self.providers[payment.provider].balance
            self.top_ups.over(payment, "failed", balance, self.now, is_credited=is_credited)
        return True

    def ask_gateway(self, *, is_away: bool) -> int:
        """The gateway is asked about what is due, and answers unless it is away; about how many it was asked."""
        due = [each for each in self.top_ups.payments if each.ask_at is not None and each.ask_at <= self.now]
        for each in due:
            own = self.top_ups.by_provider.get(each.provider)
            for said, charge in [] if is_away else answers_of(each, None if own is None else own.card):
                name = f"{charge} {self.top_ups.number_of(each)}"
                self.report_payment(each, "failed" if said == "expired" else said, name)
            if each.state == "pending" and each.asked < len(ASKED_AGAIN_AFTER):
                each.ask_at = self.now + ASKED_AGAIN_AFTER[each.asked]
            elif each.state == "pending":
                each.ask_at = None
                self.doubt(Doubt("no_answer", each, None, each.cents))
            each.asked += 1
        return len(due)

    def set_top_up(self, provider: str, wanted: TopUp) -> None:
        """The auto top-up is like this, and begins anew unless it was so before."""
        own = self.top_ups.by_provider.get(provider)
        if own is not None and (own.below, own.cents, own.monthly, own.is_on, own.off_reason) == (
            *(wanted.below, wanted.cents, wanted.monthly, wanted.is_on),
            None,
        ):
            return
        self.top_ups.by_provider[provider] = wanted
        if wanted.is_on and self.providers[provider].balance < wanted.below:
            wanted.look(self.now, self.now)

    def top_up(self, provider: str) -> bool:
        """The provider's card is charged, if that is due; returns whether it was tried."""
        own = self.top_ups.by_provider.get(provider)
        if own is None or not own.is_due(self.now):
            return False
        is_active = self.providers[provider].status == "active"
        payment = self.top_ups.begin(provider, self.providers[provider].balance, is_active, self.now)
        if payment is None:
            return False
        if own.card == "pays":
            self.report_payment(payment, "paid", f"test {self.top_ups.number_of(payment)}")
        elif own.card != "pays_later":
            is_final = own.card == "declines_for_good"
            self.top_ups.failed(payment, "lost_card" if is_final else "insufficient_funds", is_final, self.now)
        return True

    def weigh(self, subscription: Subscription, weight: int) -> None:
        """Its next lead is charged at that weight."""
        subscription.weight = weight
        self._fund([subscription])

    def order(self, level: str, is_weighted: bool) -> None:
        """The level's leads go by weights, or in turn; where they go by weights again, all are even."""
        own = self.levels[level]
        if is_weighted and not own.is_weighted:
            own.standing.open_again()
        own.is_weighted = is_weighted

    def mark_bad(self, lead: int) -> int:
        """The lead is bad, and paid back to every buyer who was not yet; returns to how many."""
        self.leads[lead].status, self.leads[lead].is_waiting = "bad", False
        return sum(self.refund(number, name) for number, name, _ in self.sold() if number == lead)

    def set_credit(self, provider: str, cents: int) -> None:
        if cents != self.providers[provider].credit:
            self.providers[provider].credit = cents
            self._fund(each for each in self.living() if each.provider == provider)

    def set_price(self, level: str, cents: int) -> None:
        self.price_level(level, cents, self.levels[level].price_rules)

    def price_level(self, level: str, cents: int, rules: tuple[PriceRule, ...]) -> None:
        """The level asks that, and what the first of the rules asks that holds; funds follow the lowest of them."""
        own = self.levels[level]
        before = own.lowest
        own.price, own.price_rules = cents, rules
        if own.lowest != before:
            self._fund(each for each in self.living() if each.level.name == level)

    def agree(self, subscription: Subscription, terms: Terms, pays_at_most: int | None) -> None:
        """The subscription has these limits and hours, and takes leads up to that price."""
        subscription.terms, subscription.pays_at_most = terms, pays_at_most
        self._fund([subscription])

    def report(self, lead: int, provider: str) -> bool:
        """The provider says that the lead is bad; False where it did so before, was paid back, or is too late."""
        [sold_at] = [each.moment for each in self.sales if (each.lead, each.provider) == (lead, provider)]
        if (
            (lead, provider) in self.reports
            or (lead, provider) in self.refunded
            or self.now - sold_at > REPORTED_WITHIN
        ):
            return False
        self.reports[lead, provider] = "open"
        return True

    def erase(self, lead: int) -> None:
        """Nothing is known of its consumer any more; if it was not sold, it never will be."""
        own = self.leads[lead]
        own.is_erased, own.is_waiting = True, False
        if own.status == "approved":
            own.status = "rejected"

    def move(self, level: str, position: int) -> str | None:
        """The level stands there; the one that stood there takes its place. Returns which that was."""
        own = self.levels[level]
        other = next((each for each in self.levels_of(own.niche) if each.position == position), None)
        if other is not None:
            other.position = own.position
        own.position = position
        return other.name if other is not None and other is not own else None

    def delete(self, level: str) -> None:
        for each in self.living():
            if each.level.name == level:
                each.is_gone = True
        del self.levels[level]

    def subscribe(self, provider: str, level: str, rules: Rules | None) -> None:
        """Subscribed, for the first time or again; a new filter when one is given."""
        own = self.subscriptions.setdefault((provider, level), Subscription(provider, self.levels[level]))
        own.is_gone = False
        own.rules = own.rules if rules is None else rules
        self._fund([own])

    def pause(self, subscription: Subscription) -> None:
        subscription.inactive = "paused"

    def resume(self, subscription: Subscription) -> None:
        if subscription.inactive == "paused":
            subscription.inactive = None
        self._fund([subscription])

    def add_lead(self, niche: str, age: int | None) -> None:
        self.leads.append(Lead(niche, age, self.now))

    def ask_again(self, lead: int) -> None:
        if self.leads[lead].status == "approved":
            self.leads[lead].is_waiting = True

    def distribute(self, niche: str) -> int:
        """All waiting leads of the niche are decided, the oldest first; returns how many they were."""
        waiting = [number for number, lead in enumerate(self.leads) if lead.niche == niche and lead.is_waiting]
        for number in waiting:
            self._decide(self.niches[niche], number)
        return len(waiting)

    # What follows ---------------------------------------------------------------------------------------------

    def living(self) -> Iterator[Subscription]:
        return (each for each in self.subscriptions.values() if not each.is_gone)

    def levels_of(self, niche: str) -> list[Level]:
        return sorted((each for each in self.levels.values() if each.niche == niche), key=lambda each: each.position)

    def is_valid(self, subscription: Subscription) -> bool:
        return self.niches[subscription.level.niche].asks_age or not subscription.rules

    def _move(self, provider: str, cents: int) -> None:
        own = self.providers[provider]
        own.balance += cents
        self.top_ups.moved(provider, own.balance - cents, own.balance, self.now)

    def _fund(self, subscriptions: Iterator[Subscription] | list[Subscription]) -> None:
        for each in subscriptions:
            if each.inactive != "paused":
                can_pay = self.providers[each.provider].available >= each.level.lowest
                each.inactive = None if can_pay else "insufficient_funds"

    def _decide(self, niche: Niche, number: int) -> None:
        lead = self.leads[number]
        lead.is_waiting = False
        lead.attempts += 1
        active = [level for level in self.levels_of(niche.name) if level.is_active]
        received: list[tuple[str, str, int]] = []
        refused: list[tuple[str, str, str]] = []
        already: list[tuple[str, int]] = []
        rivals: list[tuple[str, int]] = []
        late: list[tuple[str, int]] = []
        too_dear: list[tuple[str, int]] = []
        closed: list[Closed] = []
        start, is_short = None, False
        if active:
            first = next((n for n, level in enumerate(active) if level.position >= niche.pointer), 0)
            start, niche.pointer = active[first].position, active[(first + 1) % len(active)].position
            for level in active[first:] + active[:first]:
                is_short |= self._fill(niche, level, number, received, refused, already, rivals, late, too_dear, closed)
        is_short &= not self._is_full(niche, received)
        lead.outcome = "no_eligible" if not received else "partial" if is_short else "success"
        lead.status = "distributed" if received else "approved"
        asked = [name for _, name, _ in received] + [name for _, name, why in refused if why == "insufficient_balance"]
        for each in self.living():
            if each.provider in asked and each.level.niche == niche.name and each.inactive is None:
                self._fund([each])
        self.decisions.append(
            Decision(
                number,
                start,
                niche.pointer,
                lead.outcome,
                tuple(received),
                tuple(refused),
                tuple(already),
                tuple(rivals),
                tuple(late),
                tuple(too_dear),
                tuple(closed),
            )
        )

    def _is_full(self, niche: Niche, received: list[tuple[str, str, int]]) -> bool:
        """Whether the lead can have no more recipients, at any level."""
        if any(self.levels[level].is_exclusive for level, _, _ in received):
            return True
        return niche.most is not None and len(received) >= niche.most

    def _has_rival(self, provider: str, received: list[tuple[str, str, int]]) -> bool:
        owner = self.providers[provider].owner
        return owner is not None and any(self.providers[name].owner == owner for _, name, _ in received)

    def _fill(
        self,
        niche: Niche,
        level: Level,
        number: int,
        received: list[tuple[str, str, int]],
        refused: list[tuple[str, str, str]],
        already: list[tuple[str, int]],
        rivals: list[tuple[str, int]],
        late: list[tuple[str, int]],
        too_dear: list[tuple[str, int]],
        closed: list[Closed],
    ) -> bool:
        """The level's slots are filled; returns whether one stayed open for lack of money, a limit or a schedule."""
        lead = self.leads[number]
        price = asked_price(level.price, level.price_rules, lead.age if niche.asks_age else None, lead.came, self.now)
        elsewhere = [name for _, name, _ in received]
        open_slots, is_short = level.most, False
        queue = self._queue(level)
        at = {each.provider: level.standing.at(each.passed, each.place) for each in queue}
        picked: list[Subscription] = []
        willing = [
            each
            for each in queue
            if self.providers[each.provider].status == "active"
            and not each.inactive
            and self.is_valid(each)
            and wants(each.rules, lead.age)
        ]
        if count := sum(each.pays_at_most is not None and each.pays_at_most < price for each in willing):
            too_dear.append((level.name, count))
        willing = [each for each in willing if each.pays_at_most is None or each.pays_at_most >= price]
        shut = {each.provider: reason for each in willing if (reason := self._closed(each, price, number)) is not None}
        passed: list[tuple[str, str]] = []
        for each in willing:
            provider = self.providers[each.provider]
            if open_slots == 0 or self._is_full(niche, received) or (level.is_exclusive and received):
                break
            if each.provider in shut:
                passed.append((each.provider, shut[each.provider]))
                is_short = True
                continue
            if each.provider in elsewhere or self._has_rival(each.provider, received):
                continue
            if provider.available < price:
                refused.append((level.name, each.provider, "insufficient_balance"))
                is_short = True
            else:
                self._move(each.provider, -price)
                picked.append(each)
                niche.served += 1
                each.place = each.places[number] = niche.served
                received.append((level.name, each.provider, price))
                self.sales.append(Sale(self.now, number, each.provider, level.name, price))
                open_slots -= 1
        if level.is_weighted and picked:
            self._charge(level, number, picked, at)
        if shut:
            closed.append(Closed(level.name, tuple(passed), len(shut) - len(passed)))
        willing = [each for each in willing if (each.provider, shut.get(each.provider)) not in passed]
        if count := sum(each.provider in elsewhere for each in willing):
            already.append((level.name, count))
        asked = [name for where, name, _ in [*received, *refused] if where == level.name]
        others = [each for each in willing if each.provider not in asked and each.provider not in elsewhere]
        if count := sum(self._has_rival(each.provider, received) for each in others):
            rivals.append((level.name, count))
        count = sum(not self._has_rival(each.provider, received) for each in others)
        if count and (self._is_full(niche, received) or (level.is_exclusive and received)):
            late.append((level.name, count))
        # Once another level has sold the lead, the place of an exclusive one is none any more.
        return is_short and open_slots > 0 and not level.is_exclusive

    def _queue(self, level: Level) -> list[Subscription]:
        """Who is next at the level, before the lead."""

        def in_turn(each: Subscription) -> tuple[bool, int, int]:
            return each.place is not None, each.place or 0, self.providers[each.provider].number

        queue = sorted((each for each in self.living() if each.level is level), key=in_turn)
        if level.is_weighted:
            queue.sort(key=lambda each: level.standing.at(each.passed, each.place))
        return queue

    def _charge(self, level: Level, lead: int, picked: list[Subscription], at: dict[str, Fraction]) -> None:
        passed = level.standing.give([(each.places[lead], at[each.provider], each.weight) for each in picked])
        for each, own in zip(picked, passed, strict=True):
            each.passed, each.charged[lead] = own, each.weight

    def _closed(self, own: Subscription, price: int, number: int) -> str | None:
        """Why hours or limits keep it from the lead; what its provider got of the same lead counts with the next."""
        provider = self.providers[own.provider]
        schedule = own.terms.schedule or provider.terms.schedule
        if schedule is not None and not takes_leads(schedule, self.now, provider.zone):
            return "outside_schedule"
        counted = [
            each
            for each in self.sales
            if each.provider == own.provider
            and each.lead != number
            and (each.lead, each.provider) not in self.uncounted
        ]
        at_level = [each for each in counted if each.level == own.level.name]
        for limits, sales in ((own.terms.limits, at_level), (provider.terms.limits, counted)):
            for name, most in limits:
                span = window(name.rpartition("_")[2], self.now, provider.zone)
                inside = [each for each in sales if span is None or span[0] <= each.moment < span[1]]
                used = sum(each.price for each in inside) if name.startswith("spend") else len(inside)
                if used + (price if name.startswith("spend") else 1) > most:
                    return "cap_reached"
        return None


def wants(rules: Rules, age: int | None) -> bool:
    """Whether every rule holds for that age; a rule about an age that is not told does not."""
    for operator, value in rules:
        if age is None:
            return False
        if operator == "any" and not any(wants((each,), age) for each in value):  # type: ignore[attr-defined]
            return False
        if operator == "not" and wants((value,), age):  # type: ignore[arg-type]
            return False
        if operator == "gte" and not age >= value:  # type: ignore[operator]
            return False
        if operator == "lte" and not age <= value:  # type: ignore[operator]
            return False
        if operator == "between" and not value[0] <= age <= value[1]:  # type: ignore[index]
            return False
    return True
