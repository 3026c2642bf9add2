"""Reading the marketplace file, with every mistake named by its key. What may be in it: `tables`."""

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.errors import BadInput
from fairlead.core.filters.postcode_tables import PostcodeTableContent, read_postcode_table
from fairlead.core.form import FormSchemaError
from fairlead.flows.declaring.tables import (
    MarketplaceFileTables,
    MarketplaceTable,
    NicheTable,
    PostcodesTable,
    ProviderTable,
)
from fairlead.flows.input_types import describe_error

ReadBeside = Callable[[str], str]
"""Gives the text of the file at a path that the marketplace file says. Raises `BadInput` with one line."""


def nothing_beside(path: str) -> str:
    """For a text that came without a directory: no file is beside it."""
    raise BadInput([f"{path} cannot be read, since this text lies beside no files: give content"])


@dataclass(frozen=True, slots=True)
class DeclaredPostcodes:
    """A version of a postcode table; None for the next one. `content` None says that it has been loaded already."""

    name: str
    version: int | None
    content: PostcodeTableContent | None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a marketplace file says, known to be well formed. `sha256` names the very text that said it."""

    marketplace: MarketplaceTable
    niches: Sequence[NicheTable]
    providers: Sequence[ProviderTable]
    sha256: str
    postcode_tables: Sequence[DeclaredPostcodes] = ()


def parse_declaration(text: str, read_beside: ReadBeside = nothing_beside) -> Declaration:
    """The declaration that the text of a marketplace file makes, with the files that it names.

    Raises `BadInput` with every problem that shows without looking into the marketplace, each naming its key.
    """
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise BadInput(["this is not valid TOML: it is nested too deeply"]) from None
    except ValueError as error:
        raise BadInput([f"this is not valid TOML: {error}"]) from None
    try:
        file = MarketplaceFileTables.model_validate(raw)
    except ValidationError as error:
        raise BadInput([describe_error(detail) for detail in error.errors(include_url=False)]) from None
    problems = [*_form_problems(file.niche), *_repetitions(file)]
    postcode_tables = list(_postcodes(file.postcode_table, read_beside, problems))
    if problems:
        raise BadInput(problems)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Declaration(file.marketplace, file.niche, file.provider, sha256, postcode_tables)


def _postcodes(
    tables: Sequence[PostcodesTable], read_beside: ReadBeside, problems: list[str]
) -> Iterable[DeclaredPostcodes]:
    """The tables with their contents; what is wrong with one goes to `problems`."""
    for number, table in enumerate(tables):
        path, key = f"postcode_table[{number}]", "content" if table.file is None else "file"
        content: PostcodeTableContent | None = None
        try:
            lines = table.content if table.file is None else read_beside(table.file)
            content = None if lines is None else read_postcode_table(lines)
        except BadInput as refused:
            problems += [f"{path}.{key}: {problem}" for problem in refused.problems]
        yield DeclaredPostcodes(table.name, table.version, content)


def _form_problems(niches: Sequence[NicheTable]) -> Iterable[str]:
    for number, niche in enumerate(niches):
        try:
            niche.form()
        except FormSchemaError as error:
            for problem in error.problems:
                yield f"niche[{number}].{problem.path.replace('fields', 'field', 1)}: {problem.message}"


def _repetitions(file: MarketplaceFileTables) -> Iterable[str]:
    """One problem for each thing that is declared a second time: two answers to one question."""
    seen: dict[tuple[object, ...], str] = {}
    for path, *identity in _identities(file):
        first = seen.setdefault(tuple(identity), path)
        if first != path:
            yield f"{path}: is declared already by {first}"


def _identities(file: MarketplaceFileTables) -> Iterable[tuple[str, *tuple[object, ...]]]:
    yield from _postcode_identities(file.postcode_table)
    for number, niche in enumerate(file.niche):
        path = f"niche[{number}]"
        yield f"{path}.slug", "niche", niche.slug
        for place, level in enumerate(niche.level):
            yield f"{path}.level[{place}].name", "level", niche.slug, level.name
    for number, provider in enumerate(file.provider):
        path, email = f"provider[{number}]", mailbox_key(provider.email)
        yield f"{path}.email", "provider", email
        for place, deposit in enumerate(provider.deposit):
            yield f"{path}.deposit[{place}].external_id", "deposit", deposit.external_id
        for place, subscription in enumerate(provider.subscription):
            identity = ("subscription", email, subscription.niche, subscription.level)
            yield f"{path}.subscription[{place}].level", *identity


def _postcode_identities(tables: Sequence[PostcodesTable]) -> Iterable[tuple[str, *tuple[object, ...]]]:
    """Which version is newest must not depend on how often a file is applied: without a number a name stands once."""
    unnumbered = {table.name for table in tables if table.version is None}
    for number, table in enumerate(tables):
        path = f"postcode_table[{number}]"
        if table.name in unnumbered:
            yield f"{path}.name", "postcode_table", table.name
        else:
            yield f"{path}.version", "postcode_table", table.name, table.version
