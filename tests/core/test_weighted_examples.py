"""Weighted shares on paper: who is next where weights, absences and several recipients meet (R15)."""

from collections import Counter
from collections.abc import Callable

from fairlead.core.weighted import NO_LEVEL_PASS, opened_anew
from tests.core.weighted_level import Level

Change = Callable[[Level, int], frozenset[str]]
"""Changes the level before the lead of this number, and says who could have that."""


def _play(own_weights: dict[str, int], slots: int, leads: int, change: Change) -> str:
    level = Level(dict(own_weights), slots)
    return " ".join("".join(level.lead(change(level, number))) for number in range(1, leads + 1))


def test_equal_weights_are_least_recently_served() -> None:
    assert _play({"a": 7, "b": 7, "c": 7}, 1, 7, lambda level, _: frozenset(level.weights)) == "a b c a b c a"
    assert _play({"a": 7, "b": 7, "c": 7}, 2, 4, lambda level, _: frozenset(level.weights)) == "ab ca bc ab"


def test_a_weight_of_two_has_two_of_three() -> None:
    assert _play({"a": 2, "b": 1}, 1, 9, lambda level, _: frozenset(level.weights)) == "a b a b a a b a a"


def test_one_with_more_than_a_whole_share_has_every_lead_and_no_more_later() -> None:
    """Two slots, and "a" with nine of eleven parts: it has every lead. It saves up a lead of "b", the lightest: nine of
    its own; when two as heavy come, these nine are all that it has before them."""

    def change(level: Level, number: int) -> frozenset[str]:
        if number > 50:
            level.weights |= {"d": 9, "e": 9}
        return frozenset(level.weights)

    told = _play({"a": 9, "b": 1, "c": 1}, 2, 150, change).split()
    assert all("a" in lead for lead in told[:50])
    assert sum("a" in lead for lead in told[50:]) < 85
    assert sum("d" in lead for lead in told[50:]) > 55


def test_who_joins_after_a_long_time_is_even_with_the_others() -> None:
    def change(level: Level, number: int) -> frozenset[str]:
        return frozenset("abc" if number > 100 else "ab")

    assert _play({"a": 1, "b": 1, "c": 1}, 1, 106, change).split()[100:] == ["c", "a", "b", "c", "a", "b"]


def test_a_level_that_is_weighted_again_finds_all_even() -> None:
    level = Level({"a": 1, "b": 1, "c": 1}, 1)
    for _ in range(10):
        level.lead(frozenset("ab"))
    level.level_pass = opened_anew(level.level_pass)
    assert {level.at(name) for name in "abc"} == {level.level_pass.global_pass}
    assert opened_anew(NO_LEVEL_PASS) == NO_LEVEL_PASS


def test_who_joins_one_that_has_every_lead_stands_where_the_others_are() -> None:
    """Two slots: "a" trails, since it is due more than every lead. "c" takes turns with "b"."""

    def change(level: Level, number: int) -> frozenset[str]:
        return frozenset("abc" if number > 50 else "ab")

    told = _play({"a": 9, "b": 1, "c": 1}, 2, 60, change).split()[50:]
    assert Counter("".join(told)) == {"a": 10, "b": 5, "c": 5}


def test_one_that_waited_for_many_light_ones_has_its_share_in_the_end() -> None:
    """Two slots, twenty of weight one, and "A" due two leads of three: it waits for each, and makes up for it."""
    lights = "bcdefghijklmnopqrstu"
    told = _play({"A": 10} | dict.fromkeys(lights, 1), 2, 90, lambda level, _: frozenset(level.weights))
    assert sum("A" in lead for lead in told.split()) >= 54
