"""What is wrong with a level's price rules: every verb that takes them from outside asks here."""

from collections.abc import Iterator, Mapping

from fairlead.core.calendar.local_time import zone_named
from fairlead.core.calendar.schedule import schedule_problems
from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.document import (
    DocumentProblem,
    as_list,
    as_object,
    composed_texts,
    object_problems,
    shown,
    version_problem,
)
from fairlead.core.filters.filter import new_filter
from fairlead.core.form_field import FormSchema
from fairlead.core.model import MAX_AMOUNT_CENTS

MOST_PRICE_RULES = 50
MOST_AGE_MINUTES = 5_256_000
"""Ten years."""
MAX_RULE_NAME_CHARS = 100
MAX_PRICE_RULES_BYTES = 262_144

_CONDITIONS = ("filter", "hours", "lead_age_minutes")


def new_price_rules(raw: object, schema: FormSchema) -> tuple[JsonObject, tuple[DocumentProblem, ...]]:
    """The price rules as they are to be stored, and every problem that they have; () when they can be.

    Texts are composed, and options spelt as the form does.

    >>> rule = {"name": "Older", "price_cents": 500, "lead_age_minutes": {"from": 60}}
    >>> new_price_rules({"version": 1, "rules": [rule]}, FormSchema())[1]
    ()
    >>> [(each.path, each.code) for each in new_price_rules({"version": 1, "rules": [{**rule, "price_cents": 0}]},
    ...                                                     FormSchema())[1]]
    [('rules[0].price_cents', 'price_out_of_range')]
    """
    document = as_object(composed_texts(raw))
    if document is None:
        return {}, (DocumentProblem("", "not_an_object", "price rules must be an object"),)
    problems = object_problems(document, "", ("version", "rules"), ("timezone",))
    if "version" in document and (problem := version_problem(document)):
        problems.append(problem)
    rules = as_list(document.get("rules"))
    if rules is None or len(rules) > MOST_PRICE_RULES:
        words = f"rules must be a list of at most {MOST_PRICE_RULES} rules"
        return {}, (*problems, DocumentProblem("rules", "not_rules", words))
    spelt = [_spelt(rule, schema) for rule in rules]
    for number, rule in enumerate(spelt):
        problems += _rule_problems(rule, f"rules[{number}]", schema)
    problems += _repeated_names(spelt)
    problems += _zone_problems(document, spelt)
    stored: JsonObject = {str(key): value for key, value in document.items()} | {"rules": spelt}
    if not problems and (size := len(canonical_json(stored))) > MAX_PRICE_RULES_BYTES:
        words = f"price rules take at most {MAX_PRICE_RULES_BYTES:,} bytes, written without spaces; these take {size:,}"
        problems.append(DocumentProblem("rules", "price_rules_too_large", words))
    return stored, tuple(problems)


def _spelt(raw: object, schema: FormSchema) -> object:
    rule = as_object(raw)
    if rule is None or "filter" not in rule:
        return raw
    return {**rule, "filter": new_filter(rule["filter"], schema)[0]}


def _rule_problems(raw: object, path: str, schema: FormSchema) -> Iterator[DocumentProblem]:
    rule = as_object(raw)
    if rule is None:
        yield DocumentProblem(path, "not_an_object", "a price rule must be an object")
        return
    yield from object_problems(rule, f"{path}.", ("name", "price_cents"), _CONDITIONS)
    if "name" in rule and not _is_name(rule["name"]):
        words = f"name must be a text of 1 to {MAX_RULE_NAME_CHARS} characters on one line"
        yield DocumentProblem(f"{path}.name", "not_a_name", words)
    if "price_cents" in rule and not _is_whole(rule["price_cents"], 1, MAX_AMOUNT_CENTS):
        words = f"price_cents must be a whole number from 1 to {MAX_AMOUNT_CENTS}"
        yield DocumentProblem(f"{path}.price_cents", "price_out_of_range", words)
    if not any(condition in rule for condition in _CONDITIONS):
        words = "a price rule needs a condition; what is asked of all other leads is the level's own price"
        yield DocumentProblem(path, "no_condition", words)
    if "filter" in rule:
        yield from _filter_problems(rule["filter"], f"{path}.filter", schema)
    if "hours" in rule:
        for problem in schedule_problems({"weekly": rule["hours"]}):
            yield DocumentProblem(f"{path}.hours", "not_hours", problem.replace("`weekly`", "`hours`"))
    if "lead_age_minutes" in rule:
        yield from _age_problems(rule["lead_age_minutes"], f"{path}.lead_age_minutes")


def _filter_problems(raw: object, path: str, schema: FormSchema) -> Iterator[DocumentProblem]:
    _, problems = new_filter(raw, schema)
    for problem in problems:
        yield DocumentProblem(f"{path}.{problem.path}" if problem.path else path, problem.code, problem.message)
    rules = as_list((as_object(raw) or {}).get("rules"))
    if not problems and rules is not None and not rules:
        yield DocumentProblem(path, "no_condition", "a filter of a price rule needs a rule: without one, leave it out")


def _age_problems(raw: object, path: str) -> Iterator[DocumentProblem]:
    age = as_object(raw)
    if age is None or not age:
        yield DocumentProblem(path, "not_an_age", "lead_age_minutes must have `from`, `below`, or both")
        return
    yield from object_problems(age, f"{path}.", (), ("from", "below"))
    bounds = {key: age[key] for key in ("from", "below") if key in age}
    for key, value in bounds.items():
        if not _is_whole(value, 1, MOST_AGE_MINUTES):
            words = f"{key} must be a whole number of minutes from 1 to {MOST_AGE_MINUTES}"
            yield DocumentProblem(f"{path}.{key}", "age_out_of_range", words)
            return
    if len(bounds) == 2 and not bounds["from"] < bounds["below"]:  # type: ignore[operator]  # both are whole numbers
        yield DocumentProblem(path, "age_out_of_range", "`from` must be less than `below`")


def _repeated_names(rules: list[object]) -> Iterator[DocumentProblem]:
    seen: set[object] = set()
    for number, raw in enumerate(rules):
        name = (as_object(raw) or {}).get("name")
        if isinstance(name, str) and name in seen:
            words = f"another rule is called {shown(name)}"
            yield DocumentProblem(f"rules[{number}].name", "name_repeated", words)
        seen.add(name if isinstance(name, str) else None)


def _zone_problems(document: Mapping[object, object], rules: list[object]) -> Iterator[DocumentProblem]:
    if "timezone" in document:
        zone = document["timezone"]
        try:
            zone_named(zone if isinstance(zone, str) else "")
        except ValueError:
            yield DocumentProblem("timezone", "unknown_timezone", "timezone must be a zone such as Europe/Berlin")
    elif any("hours" in (as_object(rule) or {}) for rule in rules):
        words = "timezone is missing: hours are told by the clocks of a zone"
        yield DocumentProblem("timezone", "missing_key", words)


def _is_name(value: object) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_RULE_NAME_CHARS:
        return False
    return value == value.strip() and value.isprintable()


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most
