"""Who may be together, as operators change it: recipients per lead, exclusive levels, providers of one owner."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.money_by_hand import MoneyByHand, providers
from tests.model.words import email_of


class Together(MoneyByHand):
    """The rules of the machine about R16."""

    def apply(self, niche_tables: list[dict[str, Any]], provider_tables: list[dict[str, Any]]) -> None:
        """The marketplace file of these tables is applied."""
        raise NotImplementedError

    @rule(niche=st.sampled_from(("loans", "cards")), most=st.sampled_from([1, 2, 3, None]))
    def limit_recipients(self, niche: str, most: int | None) -> None:
        self.apply([{"slug": niche, "max_recipients_per_lead": most or 0}], [])
        self.model.niches[niche].most = most

    @rule(pick=st.integers(0, 11), is_exclusive=st.booleans())
    def make_exclusive(self, pick: int, is_exclusive: bool) -> None:
        living = list(self.model.levels.values())
        if living:
            level = living[pick % len(living)]
            level.most = 1 if is_exclusive else level.most
            told = {"name": level.name, "exclusive": is_exclusive, "max_recipients": level.most}
            self.apply([{"slug": level.niche, "level": [told]}], [])
            level.is_exclusive = is_exclusive

    @rule(provider=providers, owner=st.sampled_from(["one owner", "one owner", "another owner", None]))
    def set_owner(self, provider: str, owner: str | None) -> None:
        self.apply([], [{"email": email_of(provider), "conflict_group": owner or ""}])
        self.model.providers[provider].owner = owner
