"""What a marketplace file makes of postcode tables: the pure difference. Versions are added and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fairlead.core.filters.postcode_tables import PostcodeTableContent
from fairlead.flows.changes import Change
from fairlead.flows.declaring.declaration import DeclaredPostcodes
from fairlead.store.configuration.postcode_tables import PostcodeTableRow


@dataclass(slots=True)
class PostcodeTablePlan:
    """The versions that are loaded, by name and number, in their order."""

    loaded: dict[tuple[str, int], PostcodeTableContent] = field(
        default_factory=dict[tuple[str, int], PostcodeTableContent]
    )
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])


def plan_postcode_tables(declared: Sequence[DeclaredPostcodes], known: Sequence[PostcodeTableRow]) -> PostcodeTablePlan:
    """The plan that has these tables among the known ones. `plan.problems` name their keys.

    Without a number a content becomes the table's next version, unless its newest has it. With one it is that version,
    which is there with the same content, or comes after all that are.
    """
    plan = PostcodeTablePlan()
    digests: dict[str, dict[int, str]] = {}
    for row in known:
        digests.setdefault(row.name, {})[row.version] = row.content_sha256
    for number, table in enumerate(declared):
        of_name = digests.setdefault(table.name, {})
        newest = max(of_name, default=0)
        version = table.version or (newest if table.content is None else _version(of_name, newest, table.content))
        problem = _problem(table, version, of_name, newest)
        if problem is not None:
            plan.problems.append(f"postcode_table[{number}].{problem}")
        elif table.content is not None and version not in of_name:
            of_name[version] = table.content.sha256
            plan.loaded[table.name, version] = table.content
            new = {"postcode_count": table.content.postcode_count, "content_sha256": table.content.sha256}
            plan.changes.append(Change("create", "postcode_table", f"{table.name}/{version}", None, new))
    return plan


def _version(digests: dict[int, str], newest: int, content: PostcodeTableContent) -> int:
    return newest if digests.get(newest) == content.sha256 else newest + 1


def _problem(table: DeclaredPostcodes, version: int, digests: dict[int, str], newest: int) -> str | None:
    if table.content is None and version not in digests:
        which = "" if table.version is None else f", version {version}"
        return f"name: there is no postcode table {table.name!r}{which}: give its file or content"
    if table.content is None or digests.get(version) == table.content.sha256:
        return None
    if version in digests:
        return (
            f"version: version {version} of {table.name!r} is there with other postcodes, and a version never changes"
        )
    if version < newest:
        return f"version: version {newest} of {table.name!r} is there, so {version} cannot be added before it"
    return None
