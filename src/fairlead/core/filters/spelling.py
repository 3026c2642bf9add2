"""A filter as it is stored: one way of writing what means the same, so that equal filters have equal digests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from fairlead.core.document import DocumentProblem, as_list, as_object, shown
from fairlead.core.entry.text import composed
from fairlead.core.filters.documents import GROUP_KINDS, MAX_DEPTH
from fairlead.core.filters.operands import parse_km, parse_operand, parse_point, parse_postcode
from fairlead.core.filters.postcode_tables import NO_TABLES, PostcodeTables, postcodes_within
from fairlead.core.filters.postcodes import postcode_key
from fairlead.core.filters.rules import MAX_ITEMS, Operator
from fairlead.core.form_field import Field, FormSchema

__all__ = ["NO_TABLES", "PostcodeTables", "as_asked", "asked_of_version", "spelt_filter", "versions_named"]

_POSTCODES = frozenset(each for each in Operator if each.startswith("postcode_"))
_LISTS = frozenset(
    (
        *(Operator.IN, Operator.NOT_IN, Operator.POSTCODE_IN, Operator.POSTCODE_NOT_IN),
        *(Operator.POSTCODE_STARTS_WITH, Operator.POSTCODE_NOT_STARTS_WITH),
    )
)


def spelt_filter(
    raw: object, schema: FormSchema, tables: PostcodeTables = NO_TABLES
) -> tuple[object, tuple[DocumentProblem, ...]]:
    r"""The filter as it is stored, and what is wrong with its distances by a table; nothing else is checked.

    Its texts are composed (NFC), options in the form's own spelling. In version 2 lists are in order and have each
    value once, postcodes are as they are compared, and distances by a table have the postcodes that lie within.

    >>> from fairlead.core.form import parse_form_schema
    >>> city = {"key": "city", "type": "select", "options": ["K\u00f6ln"]}
    >>> form = parse_form_schema({"version": 1, "fields": [city]})
    >>> rule = {"field_key": "city", "operator": "eq", "value": "Ko\u0308ln"}
    >>> spelt_filter({"version": 1, "rules": [rule]}, form)[0]["rules"][0]["value"] == "K\u00f6ln"
    True
    """
    document = as_object(raw)
    rules = None if document is None else as_list(document.get("rules"))
    if document is None or rules is None:
        return raw, ()
    speller = _Speller(schema, tables, document.get("version") == 2)
    spelt = [speller.node(rule, f"rules[{position}]", 0) for position, rule in enumerate(rules)]
    return {**document, "rules": spelt}, tuple(speller.problems)


def asked_of_version(raw: object, table: str, version: int) -> object:
    """The document with every distance by the postcode table as it is to be looked up in that version, once more.

    Distances by other tables, and all else, stay as they are.

    >>> circle = {"table": "de", "postcode": "10115", "km": 5, "version": 1, "postcodes": ["10115"]}
    >>> asked_of_version({"rules": [{"not": {"value": circle}}]}, "de", 2)["rules"][0]["not"]["value"]
    {'table': 'de', 'postcode': '10115', 'km': 5, 'version': 2}
    """
    if (document := as_object(raw)) is not None:
        if document.get("table") == table and "km" in document:
            kept = {key: each for key, each in document.items() if key not in ("version", "postcodes")}
            return {**kept, "version": version}
        return {key: asked_of_version(each, table, version) for key, each in document.items()}
    items = as_list(raw)
    return raw if items is None else [asked_of_version(each, table, version) for each in items]


def as_asked(raw: object) -> object:
    """The document without what its distances by postcode tables came to: it comes to the same by the same versions.

    >>> circle = {"table": "de", "postcode": "10115", "point": [52.5, 13.4], "km": 5, "version": 1, "postcodes": ["1"]}
    >>> as_asked({"rules": [{"not": {"value": circle}}]})["rules"][0]["not"]["value"]
    {'table': 'de', 'postcode': '10115', 'km': 5, 'version': 1}
    """
    if (document := as_object(raw)) is not None:
        if "table" in document and "km" in document:
            found = ("postcodes", "point") if "postcode" in document else ("postcodes",)
            return {key: each for key, each in document.items() if key not in found}
        return {key: as_asked(each) for key, each in document.items()}
    items = as_list(raw)
    return raw if items is None else [as_asked(each) for each in items]


def versions_named(raw: object) -> tuple[tuple[str, int], ...]:
    """The versions of postcode tables that the filter's distances go by, each once, in order.

    >>> circle = {"table": "de", "postcode": "10115", "km": 5, "version": 1, "postcodes": ["10115"]}
    >>> versions_named({"rules": [{"any": [{"value": circle}, {"value": 4}]}]})
    (('de', 1),)
    """
    return tuple(sorted(set(_versions_in(raw))))


def _versions_in(raw: object) -> Iterator[tuple[str, int]]:
    document = as_object(raw)
    if document is not None and "km" in document:
        name, version = document.get("table"), document.get("version")
        if isinstance(name, str) and type(version) is int:
            yield name, version
        return
    for each in document.values() if document is not None else as_list(raw) or ():
        yield from _versions_in(each)


@dataclass(slots=True)
class _Speller:
    schema: FormSchema
    tables: PostcodeTables
    is_version_2: bool
    problems: list[DocumentProblem] = field(default_factory=list[DocumentProblem])

    def node(self, raw: object, path: str, depth: int) -> object:
        document = as_object(raw)
        if document is None or depth > MAX_DEPTH:
            return raw
        kind = next((each for each in GROUP_KINDS if self.is_version_2 and each in document), None)
        if kind is None:
            return self._rule(document, path)
        members = as_list(document[kind])
        if members is None:
            return {**document, kind: self.node(document[kind], f"{path}.{kind}", depth + 1)}
        spelt = [self.node(each, f"{path}.{kind}[{number}]", depth + 1) for number, each in enumerate(members)]
        return {**document, kind: spelt}

    def _rule(self, rule: Mapping[object, object], path: str) -> object:
        key = rule.get("field_key")
        own = self.schema.field(key) if isinstance(key, str) else None
        if own is None or "value" not in rule:
            return rule
        value, operator = rule["value"], rule.get("operator")
        if self.is_version_2:
            return {**rule, "value": self._value(own, operator, value, f"{path}.value")}
        return {**rule, "value": _spelt(own, value)}

    def _value(self, own: Field, operator: object, value: object, path: str) -> object:
        if operator == Operator.WITHIN_KM and (circle := as_object(value)) is not None and "table" in circle:
            return self._by_table(circle, path)
        items = as_list(value)
        if items is None:
            return _spelt(own, value)
        if operator in _POSTCODES:
            spelt: list[object] = [postcode_key(item) or item for item in items]
        else:
            spelt = [own.spelt(item) if isinstance(item, str) else item for item in items]
        return self._ordered(own, operator, spelt) if operator in _LISTS else spelt

    def _ordered(self, own: Field, operator: object, items: list[object]) -> list[object]:
        """The items in order, each once; as they came where one is wrong, so that its place can be told."""
        read = parse_operand(own, Operator(str(operator)), items, "")
        return items if isinstance(read, DocumentProblem) else [*sorted(cast("tuple[str, ...]", read))]

    def _by_table(self, circle: Mapping[object, object], path: str) -> object:
        name, asked = circle.get("table"), circle.get("version")
        if not isinstance(name, str) or not (asked is None or type(asked) is int):
            return circle  # what is wrong with it is said when it is read
        name = composed(name)
        version = self.tables.version(name, asked)
        if version is None:
            words = f"there is no postcode table {shown(name)}" + ("" if asked is None else f", version {asked}")
            if self.tables is NO_TABLES:
                words = "distances by a postcode table cannot be asked for here, only those from a point"
            return self._refused(circle, f"{path}.table", "unknown_table", words)
        named = {key: each for key, each in circle.items() if key not in ("version", "postcodes")}
        point = named.get("point")
        if (postcode := named.get("postcode")) is not None:
            code = parse_postcode(postcode, f"{path}.postcode")
            if isinstance(code, DocumentProblem):
                self.problems.append(code)
                return circle
            found = self.tables.place(name, version, code)
            if found is None:
                words = f"the table {shown(name)} has no postcode {code}"
                return self._refused(circle, f"{path}.postcode", "unknown_postcode", words)
            named["postcode"], point = code, [found.latitude, found.longitude]
        centre, km = parse_point(point, f"{path}.point"), parse_km(named.get("km"), f"{path}.km")
        for each in (centre, km):
            if isinstance(each, DocumentProblem):
                self.problems.append(each)
        if isinstance(centre, DocumentProblem) or isinstance(km, DocumentProblem):
            return circle
        within = postcodes_within(self.tables, name, version, centre, km)
        if not within:
            return self._refused(circle, path, "empty_list", f"the table {shown(name)} has no postcode within {km} km")
        if len(within) > MAX_ITEMS:
            words = f"{len(within):,} postcodes lie within {km} km, and a list has at most {MAX_ITEMS:,}"
            return self._refused(circle, path, "too_many_items", words)
        return {**named, "table": name, "point": point, "version": version, "postcodes": list(within)}

    def _refused(self, circle: Mapping[object, object], path: str, code: str, words: str) -> object:
        self.problems.append(DocumentProblem(path, code, words))
        return circle


def _spelt(own: Field, value: object) -> object:
    items = as_list(value)
    if items is not None:
        return [own.spelt(item) if isinstance(item, str) else item for item in items]
    return own.spelt(value) if isinstance(value, str) else value
