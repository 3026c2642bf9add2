"""Levels whose leads go by weights, as operators set them; for the model and PostgreSQL alike."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.doubting import Doubting
from tests.model.words import email_of, subscription_to


class Weighing(Doubting):
    """The rules of the machine about R15."""

    @rule(pick=st.integers(0, 11), is_weighted=st.sampled_from([True, True, True, False]))
    def order_level(self, pick: int, is_weighted: bool) -> None:
        levels = list(self.model.levels.values())
        if levels:
            level = levels[pick % len(levels)]
            order = "weighted" if is_weighted else "least_recently_served"
            self.apply([{"slug": level.niche, "level": [{"name": level.name, "order": order}]}], [])
            self.model.order(level.name, is_weighted)

    @rule(pick=st.integers(0, 40), weight=st.sampled_from([1, 2, 3, 5]))
    def weigh(self, pick: int, weight: int) -> None:
        if subscription := self._picked(pick):
            words = subscription_to(subscription.level, weight=weight)
            self.apply([], [{"email": email_of(subscription.provider), "subscription": [words]}])
            self.model.weigh(subscription, weight)
