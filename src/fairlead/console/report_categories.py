"""What categories of reports are called: by the operators, or as shipped."""

from collections.abc import Mapping

from fairlead.console.texts import noted, translated
from fairlead.core.money.report_rules import ReportCategory, ReportRules

_FOR_OPERATORS: Mapping[str, str] = {
    "unreachable": noted("could not be reached"),
    "wrong_contact": noted("wrong contact data"),
    "duplicate": noted("had it before"),
    "not_interested": noted("did not ask for an offer"),
    "outside_filter": noted("does not fit the filter"),
    "spam": noted("spam"),
    "other": noted("other"),
}

_FOR_PROVIDERS: Mapping[str, str] = {
    "unreachable": noted("cannot be reached"),
    "wrong_contact": noted("wrong contact details"),
    "duplicate": noted("I have this lead already"),
    "not_interested": noted("never asked for an offer"),
    "outside_filter": noted("outside my filter"),
    "spam": noted("spam"),
    "other": noted("something else"),
}


def words_for_operators(rules: ReportRules) -> dict[str, str]:
    """What each category is called in the console, by its key."""
    return {each.key: _words(each, _FOR_OPERATORS) for each in rules.categories}


def words_for_providers(category: ReportCategory) -> str:
    """What the category is called in the portal."""
    return _words(category, _FOR_PROVIDERS)


def _words(category: ReportCategory, shipped: Mapping[str, str]) -> str:
    if category.label is not None:
        return category.label
    text = shipped.get(category.key)
    return category.key if text is None else translated(text)
