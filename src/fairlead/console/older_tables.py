"""Postcode tables of which a filter goes by an older version than there is."""

from dataclasses import dataclass

from fairlead.core.canonical import JsonObject
from fairlead.core.filters.spelling import versions_named
from fairlead.store.configuration.postcode_tables import newest_postcode_tables
from fairlead.store.connection import Database


@dataclass(frozen=True, slots=True)
class OlderTable:
    """The filter goes by `version` of the table, and `newest` is there."""

    name: str
    version: int
    newest: int


def older_tables_of(database: Database, filter_rules: JsonObject) -> tuple[OlderTable, ...]:
    """Those of the filter, by name; most filters name no table, and then nothing is read."""
    named = versions_named(filter_rules)
    if not named:
        return ()
    newest = {each.name: each.version for each in database.read(newest_postcode_tables)}
    return tuple(
        OlderTable(name, version, newest[name]) for name, version in named if version < newest.get(name, version)
    )
