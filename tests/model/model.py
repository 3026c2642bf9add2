"""A marketplace in plain Python, written from the rules alone. It imports nothing of Fairlead, and never may."""

from collections.abc import Iterator
from dataclasses import dataclass, field

Rules = tuple[tuple[str, object], ...]
"""A filter: operators and values, all about the lead's age."""


@dataclass
class Niche:
    name: str
    asks_age: bool = True
    is_active: bool = True
    pointer: int = 1
    served: int = 0
    returns_turn: bool = False
    """Whether a refund puts its subscription where it stood before the lead."""
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


@dataclass
class Provider:
    number: int
    balance: int = 0
    credit: int = 0
    status: str = "active"
    owner: str | None = None

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


@dataclass
class Lead:
    niche: str
    age: int | None
    status: str = "approved"
    is_waiting: bool = True
    attempts: int = 0
    outcome: str | None = None


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

    # What people do -------------------------------------------------------------------------------------------

    def deposit(self, provider: str, cents: int) -> None:
        self.providers[provider].balance += cents
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
        self.deposit(provider, price)
        return True

    def mark_bad(self, lead: int) -> int:
        """The lead is bad, and paid back to everybody who was not yet; returns to how many."""
        self.leads[lead].status, self.leads[lead].is_waiting = "bad", False
        return sum(self.refund(number, name) for number, name, _ in self.sold() if number == lead)

    def set_credit(self, provider: str, cents: int) -> None:
        if cents != self.providers[provider].credit:
            self.providers[provider].credit = cents
            self._fund(each for each in self.living() if each.provider == provider)

    def set_price(self, level: str, cents: int) -> None:
        if cents != self.levels[level].price:
            self.levels[level].price = cents
            self._fund(each for each in self.living() if each.level.name == level)

    def move(self, level: str, position: int) -> str | None:
        """The level stands there; whoever stood there takes its place. Returns who that was."""
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
        self.leads.append(Lead(niche, age))

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

    def _fund(self, subscriptions: Iterator[Subscription] | list[Subscription]) -> None:
        for each in subscriptions:
            if each.inactive != "paused":
                can_pay = self.providers[each.provider].available >= each.level.price
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
        start, is_short = None, False
        if active:
            first = next((n for n, level in enumerate(active) if level.position >= niche.pointer), 0)
            start, niche.pointer = active[first].position, active[(first + 1) % len(active)].position
            for level in active[first:] + active[:first]:
                is_short |= self._fill(niche, level, number, received, refused, already, rivals, late)
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
            )
        )

    def _is_full(self, niche: Niche, received: list[tuple[str, str, int]]) -> bool:
        """Whether the lead can have no more recipients, at whatever level."""
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
    ) -> bool:
        """The level's slots are filled; returns whether one stayed open although somebody lacked the money for it."""
        lead = self.leads[number]
        elsewhere = [name for _, name, _ in received]
        open_slots, is_short = level.most, False
        queue = [each for each in self.living() if each.level is level]
        queue.sort(key=lambda each: (each.place is not None, each.place or 0, self.providers[each.provider].number))
        willing = [
            each
            for each in queue
            if self.providers[each.provider].status == "active"
            and not each.inactive
            and self.is_valid(each)
            and wants(each.rules, lead.age)
        ]
        if count := sum(each.provider in elsewhere for each in willing):
            already.append((level.name, count))
        for each in willing:
            provider = self.providers[each.provider]
            if open_slots == 0 or self._is_full(niche, received) or (level.is_exclusive and received):
                break
            if each.provider in elsewhere or self._has_rival(each.provider, received):
                continue
            if provider.available < level.price:
                refused.append((level.name, each.provider, "insufficient_balance"))
                is_short = True
            else:
                provider.balance -= level.price
                niche.served += 1
                each.place = each.places[number] = niche.served
                received.append((level.name, each.provider, level.price))
                open_slots -= 1
        asked = [name for where, name, _ in [*received, *refused] if where == level.name]
        others = [each for each in willing if each.provider not in asked and each.provider not in elsewhere]
        if count := sum(self._has_rival(each.provider, received) for each in others):
            rivals.append((level.name, count))
        count = sum(not self._has_rival(each.provider, received) for each in others)
        if count and (self._is_full(niche, received) or (level.is_exclusive and received)):
            late.append((level.name, count))
        # Once another level has sold the lead, the place of an exclusive one is none any more.
        return is_short and open_slots > 0 and not level.is_exclusive


def wants(rules: Rules, age: int | None) -> bool:
    """Whether every rule holds for that age; a rule about an age that is not told does not."""
    for operator, value in rules:
        if age is None:
            return False
        if operator == "gte" and not age >= value:  # type: ignore[operator]
            return False
        if operator == "lte" and not age <= value:  # type: ignore[operator]
            return False
        if operator == "between" and not value[0] <= age <= value[1]:  # type: ignore[index]
            return False
    return True
