"""One weighted level, lead by lead, with nothing but the rule around it."""

from dataclasses import dataclass, field

from fairlead.core.weighted import NO_LEVEL_PASS, LevelPass, Pick, after_lead, start_pass, stride


@dataclass
class Level:
    """One weighted level, lead by lead. `leads` says of each who could have had it, and who had it at which pass."""

    weights: dict[str, int]
    slots: int
    level_pass: LevelPass = NO_LEVEL_PASS
    passes: dict[str, int] = field(default_factory=dict[str, int])
    served: dict[str, int] = field(default_factory=dict[str, int])
    count: int = 0
    leads: list[tuple[frozenset[str], dict[str, int]]] = field(
        default_factory=list[tuple[frozenset[str], dict[str, int]]]
    )
    forgiven: list[str] = field(default_factory=list[str])

    def at(self, name: str) -> int:
        return start_pass(self.passes.get(name, 0), self.served.get(name), self.level_pass)

    def lead(self, eligible: frozenset[str]) -> list[str]:
        """The lead's recipients; `forgiven` has those whose claim grew longer than the longest stride."""
        queue = sorted(eligible, key=lambda name: (self.at(name), self.served.get(name, 0), name))[: self.slots]
        picks: list[Pick] = []
        for name in queue:
            self.count += 1
            picks.append(Pick(name, self.count, self.at(name), self.weights[name]))
        self.leads.append((eligible, {pick.subscription_id: pick.pass_value for pick in picks}))
        self.level_pass, passes = after_lead(self.level_pass, picks)
        self.forgiven = [
            pick.subscription_id
            for pick in picks
            if passes[pick.subscription_id] != pick.pass_value + stride(pick.weight)
        ]
        self.passes |= passes
        self.served |= {pick.subscription_id: pick.served_seq for pick in picks}
        return queue
